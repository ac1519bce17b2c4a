"""Controls at work in a batch, against references built from diffusers' own ControlNet, T2I adapter and UNet calls."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, T2IAdapter
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from torch import Tensor

from inference.engine.checkpoint import Checkpoint
from inference.engine.control.adapters import Adapter
from inference.engine.control.controlnets import ControlNet
from inference.engine.control.scales import feature_scales, residual_scales
from inference.engine.control.units import Control
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.guidance import Conditions, NoiseLevels, input_scale
from tests.checkpoints import FamilyName, tiny_config, write_tiny_checkpoint
from tests.controls import tiny_adapter, tiny_controlnet, write_unusual_checkpoint

Load = Callable[[Path], Checkpoint]
SIGMAS = (9.0, 2.5, 0.7)
SIDE = 8


def painting_model(checkpoint: Checkpoint) -> PaintingModel:
    """The checkpoint as the loop paints with it."""
    return PaintingModel(
        checkpoint.unet,
        checkpoint.vae,
        checkpoint.vae_scale,
        "epsilon",
        NoiseLevels(checkpoint.alphas_cumprod),
        xl=checkpoint.family.xl,
    )


def hint_of(seed: int, size: tuple[int, int] = (8 * SIDE, 8 * SIDE)) -> Tensor:
    """A random map."""
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def engine_net(net: ControlNetModel) -> ControlNet:
    """A copy of `net` as the engine holds it, which takes its reader apart."""
    copy = ControlNetModel(**{key: value for key, value in net.config.items() if not key.startswith("_")})
    copy.load_state_dict(net.state_dict())
    return ControlNet(copy.eval())


def rows_of(
    checkpoint: Checkpoint, controls: Sequence[tuple[Control, ...]], *, side: tuple[int, int] = (SIDE, SIDE)
) -> list[Row]:
    """Random rows at different noise, each with its controls."""
    source = torch.Generator().manual_seed(5)
    width = int(checkpoint.unet.config["cross_attention_dim"])
    rows: list[Row] = []
    for number, acting in enumerate(controls):
        sigma = SIGMAS[number % 3]
        pooled = sizes = None
        if checkpoint.family.xl:
            pooled = torch.randn(1, 8, generator=source)
            sizes = torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]])
        x = torch.randn(1, 4, *side, generator=source) * sigma
        words = Conditions(torch.randn(1, 77, width, generator=source), pooled, sizes)
        rows.append(Row(x, sigma, words, controls=acting))
    return rows


def reference(
    checkpoint: Checkpoint,
    row: Row,
    residuals: Callable[[Tensor, float, dict[str, Any]], Sequence[Tensor]] | None = None,
    features: Sequence[Tensor] = (),
) -> Tensor:
    """The denoised estimate of one row by diffusers' UNet alone, which is handed `residuals` and `features`."""
    timestep = NoiseLevels(checkpoint.alphas_cumprod).timestep(row.sigma)
    seen = row.x * input_scale(row.sigma)
    words: dict[str, Any] = {"encoder_hidden_states": row.conditions.context}
    if row.conditions.pooled is not None:
        words["added_cond_kwargs"] = {"text_embeds": row.conditions.pooled, "time_ids": row.conditions.sizes}
    extra: dict[str, Any] = {}
    if residuals is not None:
        *down, middle = residuals(seen, timestep, words)
        extra = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
    if features:
        extra["down_intrablock_additional_residuals"] = [feature.clone() for feature in features]
    if row.hint is not None:
        seen = torch.cat((seen, row.hint), dim=1)
    output = checkpoint.unet(seen, torch.tensor([timestep]), **words, **extra).sample
    return row.x - row.sigma * output


def through(net: ControlNetModel, hint: Tensor, scales: Sequence[float]) -> Callable[..., list[Tensor]]:
    """Residuals of diffusers' own net, scaled one by one."""

    def residuals(seen: Tensor, timestep: float, words: dict[str, Any]) -> list[Tensor]:
        down, middle = net(seen, timestep, controlnet_cond=hint, return_dict=False, **words)
        return [part * scale for part, scale in zip((*down, middle), scales, strict=True)]

    return residuals


@torch.inference_mode()
def evaluated(checkpoint: Checkpoint, rows: Sequence[Row]) -> Tensor:
    """All rows in one batch of the engine."""
    return Forwards().evaluate(painting_model(checkpoint), rows)


def agree(found: Tensor, expected: Tensor) -> None:
    """Both within 1e-4 of their size."""
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max().clamp(min=1)


@pytest.fixture
def tiny(load: Load, tmp_path: Path) -> Checkpoint:
    """A tiny SD1 checkpoint."""
    return load(write_tiny_checkpoint(tmp_path / "tiny.safetensors"))


@pytest.mark.parametrize("soft", [False, True], ids=["balanced", "soft"])
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@torch.inference_mode()
def test_a_controlled_row_is_diffusers_own(load: Load, tmp_path: Path, family: FamilyName, *, soft: bool) -> None:
    """Rows with a control agree with ControlNetModel and UNet called by hand; the row without one is the bare UNet's.

    SDXL's further conditions reach the ControlNet too.
    """
    checkpoint = load(write_tiny_checkpoint(tmp_path / "tiny.safetensors", family=family))
    net, hint = tiny_controlnet(family=family), hint_of(1)
    scales = residual_scales(0.8, 5, soft=soft, xl=family == "sdxl")
    control = Control(engine_net(net), hint, scales)
    rows = rows_of(checkpoint, [(control,), (), (control,)])
    found = evaluated(checkpoint, rows)
    for number, row in enumerate(rows):
        expected = reference(checkpoint, row, through(net, hint, scales) if row.controls else None)
        agree(found[number : number + 1], expected)
    bare = reference(checkpoint, rows[0])
    assert (found[:1] - bare).abs().max() > 1e-2


@torch.inference_mode()
def test_several_units_are_summed(tiny: Checkpoint) -> None:
    """Two nets on one row give what diffusers' MultiControlNetModel gives; the same net may act twice with two maps."""
    nets, hints, weights = [tiny_controlnet(), tiny_controlnet(seed=1)], [hint_of(1), hint_of(2)], [0.7, 1.3]
    held = [engine_net(net) for net in nets]
    both = tuple(Control(net, hint, (weight,) * 5) for net, hint, weight in zip(held, hints, weights, strict=True))
    twice = tuple(Control(held[0], hint, (weight,) * 5) for hint, weight in zip(hints, weights, strict=True))
    rows = rows_of(tiny, [both, twice, both[:1]])
    found = evaluated(tiny, rows)
    for number, pair in ((0, nets), (1, [nets[0], nets[0]])):

        def residuals(seen: Tensor, timestep: float, words: dict[str, Any], pair: Any = pair) -> list[Tensor]:
            down, middle = MultiControlNetModel(pair)(
                seen, timestep, controlnet_cond=hints, conditioning_scale=weights, return_dict=False, **words
            )
            return [*down, middle]

        agree(found[number : number + 1], reference(tiny, rows[number], residuals))
    agree(found[2:], reference(tiny, rows[2], through(nets[0], hints[0], (0.7,) * 5)))


@torch.inference_mode()
def test_a_region_weighs_each_residual(tiny: Checkpoint) -> None:
    """A region is resized to every residual and multiplied; beside a row without one too."""
    net, hint, region = tiny_controlnet(), hint_of(1), torch.rand(1, 1, 64, 64)
    held = engine_net(net)
    rows = rows_of(tiny, [(Control(held, hint, (0.9,) * 5, region=region),), (Control(held, hint, (1.0,) * 5),)])
    found = evaluated(tiny, rows)

    def residuals(seen: Tensor, timestep: float, words: dict[str, Any]) -> list[Tensor]:
        parts = through(net, hint, (0.9,) * 5)(seen, timestep, words)
        return [part * F.interpolate(region, size=part.shape[-2:], mode="bilinear") for part in parts]

    agree(found[:1], reference(tiny, rows[0], residuals))
    agree(found[1:], reference(tiny, rows[1], through(net, hint, (1.0,) * 5)))


@torch.inference_mode()
def test_shuffle_models_act_by_their_means(tiny: Checkpoint) -> None:
    """The residuals of a pooled net become their spatial means."""
    net, hint = tiny_controlnet(), hint_of(1)
    held = engine_net(net)
    held.pooled = True
    (row,) = rows_of(tiny, [(Control(held, hint, (0.6,) * 5),)])

    def residuals(seen: Tensor, timestep: float, words: dict[str, Any]) -> list[Tensor]:
        parts = through(net, hint, (0.6,) * 5)(seen, timestep, words)
        return [part.mean((2, 3), keepdim=True).expand(part.shape) for part in parts]

    agree(evaluated(tiny, [row]), reference(tiny, row, residuals))


@torch.inference_mode()
def test_inpainting_unets_show_their_net_four_channels(load: Load, tmp_path: Path) -> None:
    """A UNet of nine channels sees mask and source, its ControlNet only the latent."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "tiny.safetensors", inpainting=True))
    net, hint = tiny_controlnet(), hint_of(1)
    (bare,) = rows_of(checkpoint, [(Control(engine_net(net), hint, (1.0,) * 5),)])
    row = Row(bare.x, bare.sigma, bare.conditions, hint=torch.randn(1, 5, SIDE, SIDE), controls=bare.controls)
    agree(evaluated(checkpoint, [row]), reference(checkpoint, row, through(net, hint, (1.0,) * 5)))


@pytest.mark.parametrize("soft", [False, True], ids=["balanced", "soft"])
@torch.inference_mode()
def test_adapters_go_inside_the_encoder(tiny: Checkpoint, *, soft: bool) -> None:
    """A T2I adapter's features are diffusers' intrablock residuals, beside a ControlNet on another row and on the same."""
    adapter, net, hint = tiny_adapter([16, 32]), tiny_controlnet(), hint_of(1)
    scales = feature_scales(0.9, 2, soft=soft)
    one, other = Control(Adapter(adapter), hint, scales), Control(engine_net(net), hint, (1.0,) * 5)
    rows = rows_of(tiny, [(one,), (other,), (one, other), ()])
    found = evaluated(tiny, rows)
    features = [part * scale for part, scale in zip(adapter(hint), scales, strict=True)]
    steered = through(net, hint, (1.0,) * 5)
    agree(found[:1], reference(tiny, rows[0], features=features))
    agree(found[1:2], reference(tiny, rows[1], steered))
    agree(found[2:3], reference(tiny, rows[2], steered, features))
    agree(found[3:], reference(tiny, rows[3]))


@torch.inference_mode()
def test_an_sdxl_adapter_reaches_the_middle(load: Load, tmp_path: Path) -> None:
    """Where a block makes things smaller first, its feature comes after; the last feature goes into the middle block."""
    config = tiny_config()
    config["unet"] |= {
        "block_out_channels": [8, 16, 32],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    }
    write_unusual_checkpoint(tmp_path / "tiny.safetensors", config)
    checkpoint = load(tmp_path / "tiny.safetensors")
    adapter: T2IAdapter = tiny_adapter([8, 16, 32, 32], form="full_adapter_xl")
    hint = hint_of(1, (128, 128))
    rows = rows_of(checkpoint, [(Control(Adapter(adapter), hint, (0.7,) * 4),), ()], side=(16, 16))
    found = evaluated(checkpoint, rows)
    agree(found[:1], reference(checkpoint, rows[0], features=[part * 0.7 for part in adapter(hint)]))
    agree(found[1:], reference(checkpoint, rows[1]))


@torch.inference_mode()
def test_maps_of_another_size_are_brought_to_the_latent(tiny: Checkpoint) -> None:
    """Latents of odd sides, and maps that are no whole number of squares, paint too: nearest neighbours fill in."""
    net = engine_net(tiny_controlnet())
    adapter = Adapter(tiny_adapter([16, 32]))
    hint = hint_of(1, (76, 60))
    rows = rows_of(tiny, [(Control(net, hint, (1.0,) * 5), Control(adapter, hint, (1.0, 1.0))), ()], side=(9, 7))
    found = evaluated(tiny, rows)
    assert found.shape == (2, 4, 9, 7)
    assert found.isfinite().all()


@torch.inference_mode()
def test_company_changes_nothing(tiny: Checkpoint) -> None:
    """A row is the same alone and among rows with other controls, twice as many, or none: to 1e-4, at any chunk."""
    first, second = engine_net(tiny_controlnet()), engine_net(tiny_controlnet(seed=1))
    adapter = Adapter(tiny_adapter([16, 32]))
    one = Control(first, hint_of(1), residual_scales(1.0, 5, soft=True, xl=False))
    two = Control(second, hint_of(2), (0.5,) * 5, region=torch.rand(1, 1, 64, 64))
    three = Control(adapter, hint_of(3), (1.0, 1.0))
    rows = rows_of(tiny, [(one,), (), (two, one), (three,), (one, two, three), ()])
    together = evaluated(tiny, rows)
    for number, row in enumerate(rows):
        agree(together[number : number + 1], evaluated(tiny, [row]))


@torch.inference_mode()
def test_a_map_is_read_once(tiny: Checkpoint) -> None:
    """However many calls follow it, a net reads its map only the first time."""
    net, read = engine_net(tiny_controlnet()), list[Tensor]()
    inner = net.read
    net.read = lambda hint: (read.append(hint), inner(hint))[1]  # type: ignore[method-assign]
    rows = rows_of(tiny, [(Control(net, hint_of(1), (1.0,) * 5),)])
    for _ in range(3):
        evaluated(tiny, rows)
    assert len(read) == 1
