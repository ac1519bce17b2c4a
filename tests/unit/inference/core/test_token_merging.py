"""Token merging against the paper, written out token by token; and that nothing of it stays."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from inference.engine import token_merging
from inference.engine.forward import Forwards, Row
from inference.engine.token_merging import Plan, blocks, merge_tokens, plan
from tests.checkpoints import tiny_config
from tests.unit.inference.core.paintings import conditions, tiny_model

SIZES = ((4, 4), (6, 4), (5, 7), (2, 9), (8, 8))


def tokens(rows: int, columns: int, *, batch: int = 2, width: int = 6, seed: int = 0) -> Tensor:
    """Random tokens."""
    return torch.randn(batch, rows * columns, width, generator=torch.Generator().manual_seed(seed))


def planned(x: Tensor, size: tuple[int, int], ratio: float) -> Plan:
    """The plan, which there must be."""
    made = plan(x, size, ratio)
    assert made is not None
    return made


def by_hand(x: Tensor, size: tuple[int, int], ratio: float) -> tuple[dict[int, int], list[int]]:
    """For one row (N, C): which place goes into which anchor's place, and all anchors; word for word the paper's steps.

    Anchors are one token of every 2 × 2 (here the upper left, since chance is off); each other token draws an edge to the
    anchor it is most like; the r most alike edges are kept, and their tokens merge.
    """
    rows, columns = size
    anchors = [r * columns + c for r in range(rows) for c in range(columns) if not (r % 2 or c % 2)]
    anchors = [place for place in anchors if place // columns + 1 < rows and place % columns + 1 < columns]
    edges: list[tuple[float, int, int]] = []
    for place in range(rows * columns):
        if place not in anchors:
            likes = [torch.cosine_similarity(x[place], x[anchor], dim=0).item() for anchor in anchors]
            best = max(range(len(anchors)), key=likes.__getitem__)
            edges.append((likes[best], place, anchors[best]))
    edges.sort(reverse=True)
    go = min(len(edges), int(rows * columns * ratio))
    return {place: anchor for _, place, anchor in edges[:go]}, anchors


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("size", SIZES)
def test_merging_is_the_papers(size: tuple[int, int], ratio: float) -> None:
    """Every merged token is the mean of an anchor and all that go into it, and every place gets its token's answer back."""
    x = tokens(*size)
    made = planned(x, size, ratio)
    merged = made.merge(x)
    back = made.unmerge(merged)
    for row in range(len(x)):
        goes, anchors = by_hand(x[row], size, ratio)
        assert merged.shape[1] == x.shape[1] - len(goes)
        for place in range(x.shape[1]):
            anchor = goes.get(place, place)
            family = [anchor, *(other for other, into in goes.items() if into == anchor)]
            wanted = x[row, family].mean(0) if anchor in anchors else x[row, place]
            torch.testing.assert_close(back[row, place], wanted)


def test_nothing_is_lost_where_neighbours_are_the_same() -> None:
    """Where every 2 × 2 is of one colour, three quarters can go and all comes back as it was."""
    coarse = tokens(4, 4, width=8)
    fine = coarse.view(2, 4, 4, 8).repeat_interleave(2, 1).repeat_interleave(2, 2).reshape(2, 64, 8)
    made = planned(fine, (8, 8), 0.75)
    assert made.merge(fine).shape[1] == 16
    torch.testing.assert_close(made.unmerge(made.merge(fine)), fine)


def test_a_row_merges_the_same_in_any_company() -> None:
    """What goes depends on the row alone, also where likenesses are worked out in parts."""
    x = tokens(6, 6, batch=3)
    whole = planned(x, (6, 6), 0.4)
    for row in range(3):
        alone = planned(x[row : row + 1], (6, 6), 0.4)
        assert torch.equal(alone.gone[0], whole.gone[row])
        assert torch.equal(alone.into[0], whole.into[row])
        assert torch.equal(alone.kept[0], whole.kept[row])


def test_large_pictures_compare_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on what is compared at once changes nothing but the memory."""
    x = tokens(8, 8)
    whole = planned(x, (8, 8), 0.5)
    monkeypatch.setattr(token_merging, "_AT_ONCE", 100)
    parts = planned(x, (8, 8), 0.5)
    assert torch.equal(whole.gone, parts.gone)
    assert torch.equal(whole.into, parts.into)


@pytest.mark.parametrize(("size", "ratio"), [((8, 8), 0.0), ((8, 8), 0.01), ((1, 8), 0.5)])
def test_where_nothing_can_go_there_is_no_plan(size: tuple[int, int], ratio: float) -> None:
    """No ratio, less than a token, or a strip without a whole square."""
    assert plan(tokens(*size), size, ratio) is None


def _evaluated(unet: Any, model: Any, x: Tensor, ratio: float) -> Tensor:
    painting = type(model)(unet, model.vae, model.vae_scale, model.prediction, model.levels, merging=ratio)
    with torch.inference_mode():
        rows = [Row(part.clone(), 2.0, words) for part, words in zip(x, (conditions(1), conditions(2)), strict=True)]
        return Forwards().evaluate(painting, rows)


def test_without_a_ratio_all_is_as_it_was() -> None:
    """Before, between and after merging the UNet gives the same bits; while it merges, others; more where more merges."""
    model, x = tiny_model(), torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    before = _evaluated(model.unet, model, x, 0.0)
    some, more = (_evaluated(model.unet, model, x, ratio) for ratio in (0.25, 0.75))
    again = _evaluated(model.unet, model, x, 0.25)
    after = _evaluated(model.unet, model, x, 0.0)
    assert torch.equal(before, after)
    assert torch.equal(some, again)
    assert 0 < (some - before).abs().mean() < (more - before).abs().mean()
    hooked = [m for m in model.unet.modules() if m._forward_pre_hooks or m._forward_hooks]
    assert not hooked


def test_self_attention_alone_sees_merged_tokens() -> None:
    """A block is x + unmerged(attention(merged(norm x))), decided by x before the norm; the rest sees all tokens."""
    unet = tiny_model().unet
    block = next(blocks(unet))
    width = block.norm1.normalized_shape[0]
    x, words = tokens(8, 8, width=width), torch.randn(2, 77, 16, generator=torch.Generator().manual_seed(5))
    canvas = SimpleNamespace(shape=(2, 4, 8, 8))
    with torch.inference_mode():
        merge_tokens(unet, ratio=0.5)
        for hook in unet._forward_pre_hooks.values():
            hook(unet, (canvas,), {})
        made = block(x, encoder_hidden_states=words)
        merge_tokens(unet, ratio=0.0)
        chosen = planned(x, (8, 8), 0.5)
        wanted = x + chosen.unmerge(block.attn1(chosen.merge(block.norm1(x))))
        wanted = wanted + block.attn2(block.norm2(wanted), encoder_hidden_states=words)
        wanted = wanted + block.ff(block.norm3(wanted))
    assert torch.equal(made, wanted)


def test_coarser_blocks_do_not_merge() -> None:
    """As in the webui: a UNet whose attention begins at half the latent's size (SDXL's) paints the same with any ratio."""
    config = tiny_config()["unet"] | {
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    }
    torch.manual_seed(0)
    unet, model = UNet2DConditionModel(**config).eval(), tiny_model()
    x = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    assert list(blocks(unet))
    assert torch.equal(_evaluated(unet, model, x, 0.75), _evaluated(unet, model, x, 0.0))
