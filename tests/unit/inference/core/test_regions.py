"""Regions: which cells each AND part guides, for how long, and the guided estimate against one reckoned by hand in float64."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.api.regional import Region, Regional
from inference.api.request import Guidance
from inference.engine.guidance import Conditions, Guide
from inference.engine.regions import Regions, last_finished, rectangle

CLASSIC = Regional(
    (
        Region((1, 1), rows=(0, 1), columns=(0, 1), weight=0.2),
        Region((1, 2), rows=(0, 1), columns=(0, 1), weight=0.8),
        Region((1, 2), rows=(0, 1), columns=(1, 2), weight=0.8),
    )
)
"""The extension's defaults."""


def guide(regional: Regional | None, *, weights: tuple[float, ...], rescale: float = 0.0, scale: float = 7.0) -> Guide:
    """AND parts with `weights` on a canvas of 8 pixels a cell, in 30 steps of Euler."""
    parts = tuple((weight, Conditions(torch.full((1, 77, 4), float(i)))) for i, weight in enumerate(weights))
    regions = None if regional is None else Regions(regional, (72, 40), "euler")
    return Guide(
        Guidance(cfg_scale=scale, rescale=rescale),
        30,
        lambda _: parts,
        lambda _: Conditions(torch.zeros(1, 77, 4)),
        regions,
    )


def by_hand(rows: list[list[list[float]]], *, weights: tuple[float, ...], scale: float) -> list[list[float]]:
    """The extension's own words in plain numbers: each D_i becomes f·D_i + (1-f)·D_u, and then the webui guides as ever.

    `rows` are the parts' estimates and, last, the unconditional one, 5 cells high and 9 wide; only the classic regions.
    """
    *parts, base = rows
    middle = int(9 / 2 * 1)
    guided = [list(row) for row in base]
    for i, part in enumerate(parts):
        for y in range(5):
            for x in range(9):
                inside = (0.2, 0.8 if x < middle else 0.0, 0.8 if x >= middle else 0.0)
                f = inside[i] if i < 3 else 1.0
                filtered = f * part[y][x] + (1 - f) * base[y][x]
                guided[y][x] += weights[i] * scale * (filtered - base[y][x])
    return guided


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (1.0, 0.7, -0.5), (1.0, 1.2, 1.0, 0.4), (1.0,), (0.6, 1.0)])
def test_the_sum_agrees_with_the_extensions_own_words(weights: tuple[float, ...]) -> None:
    """D = D_u + Σ w_i·cfg·f_i·(D_i - D_u) at every cell, for fewer, as many and more parts than regions."""
    torch.manual_seed(1)
    denoised = torch.randn(len(weights) + 1, 1, 5, 9, dtype=torch.float64)
    painter = guide(CLASSIC, weights=weights)
    asked = painter.ask(0, 5.0)
    guided = painter.combine(asked, torch.zeros(1, 1, 5, 9), 5.0, denoised.float())
    wanted = torch.tensor(by_hand(denoised[:, 0].tolist(), weights=weights, scale=7.0), dtype=torch.float64)
    torch.testing.assert_close(guided[0, 0].double(), wanted, atol=2e-5, rtol=1e-5)


def test_after_the_end_step_the_prompt_guides_as_ever() -> None:
    """The extension's counter lags: end + 1 steps have regions; from then on the estimate is bit for bit that without any."""
    regional = Regional(CLASSIC.regions, end_step=4)
    with_regions, plain = guide(regional, weights=(1.0, 1.0, 1.0)), guide(None, weights=(1.0, 1.0, 1.0))
    denoised, x = torch.randn(4, 1, 5, 9), torch.zeros(1, 1, 5, 9)
    for call in range(8):
        results = [each.combine(each.ask(call, 5.0), x, 5.0, denoised) for each in (with_regions, plain)]
        assert torch.equal(*results) == (call > 4)


@pytest.mark.parametrize(
    ("sampler", "seen"),
    [
        ("euler", [0, 0, 1, 2, 3, 4, 5]),
        ("heun", [0, 0, 0, 1, 1, 2, 2]),
        ("unipc", [0, 0, 0, 1, 2, 3, 4]),
        ("plms", [0, 0, 0, 1, 2, 3, 4]),
        ("dpm_fast", [0, 0, 0, 0, 1, 1, 1]),
        ("dpm_adaptive", [0, 0, 0, 0, 0, 0, 1]),
    ],
)
def test_the_last_finished_step(sampler: str, seen: list[int]) -> None:
    """What the webui's counter shows at each model call: a step is told of after its first call, or where it ends."""
    assert [last_finished(call, sampler) for call in range(7)] == seen


def test_an_end_step_of_nothing_is_never() -> None:
    """With an end of 0 not even the first call has regions."""
    assert not Regions(Regional(CLASSIC.regions, end_step=0), (64, 64), "euler").is_on(0)


def test_skipping_the_negative_keeps_the_first_part_as_the_base() -> None:
    """Without an unconditional row the others are still kept to their places, around the first part."""
    painter = guide(CLASSIC, weights=(1.0, 1.0, 1.0))
    asked = painter.ask(0, 5.0)
    bare = type(asked)(asked.parts, asked.weights, None, asked.regions)
    denoised = torch.randn(3, 1, 4, 8)
    guided = painter.combine(bare, torch.zeros(1, 1, 4, 8), 5.0, denoised)
    base = denoised[0, 0]
    left, right = base + 7 * 0.8 * (denoised[1, 0] - base), base + 7 * 0.8 * (denoised[2, 0] - base)
    torch.testing.assert_close(guided[0, 0, :, :4], left[:, :4])
    torch.testing.assert_close(guided[0, 0, :, 4:], right[:, 4:])


def test_rescaled_guidance_takes_the_regions_into_the_conditional_too() -> None:
    """RescaleCFG compares with Σ w·f·(D_i - D_u) at scale 1: with one region of weight 1 over all it is the plain prompt's."""
    whole = Regional((Region((1, 1), rows=(0, 1), columns=(0, 1), weight=1.0),))
    denoised, x = torch.randn(2, 1, 4, 4), torch.randn(1, 1, 4, 4)
    results = [
        each.combine(each.ask(0, 5.0), x, 5.0, denoised)
        for each in (guide(whole, weights=(1.0,), rescale=0.7), guide(None, weights=(1.0,), rescale=0.7))
    ]
    torch.testing.assert_close(*results)


SIDES = st.integers(1, 12)


@given(st.integers(1, 96), SIDES)
def test_parts_of_a_side_meet_and_cover_it(length: int, count: int) -> None:
    """Neighbours on a grid share an edge, the first begins at 0 and the last ends at the side: no cell is left out or double."""
    edges = [rectangle(Region((count, 1), rows=(i, i + 1), columns=(0, 1)), (length, 8))[0] for i in range(count)]
    assert edges[0][0] == 0
    assert edges[-1][1] == length
    assert all(a[1] == b[0] for a, b in pairwise(edges))


@given(
    st.tuples(st.integers(4, 64), st.integers(4, 64)), st.tuples(SIDES, SIDES), st.integers(0, 512), st.floats(-2, 2)
)
def test_feathered_grids_sum_to_their_weight(
    size: tuple[int, int], grid: tuple[int, int], feather: int, weight: float
) -> None:
    """However wide the feather and narrow the parts, filters of a whole grid sum to its weight at every cell, none beyond it."""
    (h, w), (rows, columns) = size, grid
    regions = tuple(
        Region((rows, columns), rows=(y, y + 1), columns=(x, x + 1), weight=weight)
        for y in range(min(rows, 4))
        for x in range(min(columns, 4))
    )
    filters = Regions(Regional(regions, feather=feather), (w * 8, h * 8), "euler").filters(16, torch.zeros(1, 4, h, w))
    used = filters[: len(regions)]
    assert float((used * math.copysign(1, weight)).min()) >= -1e-5
    assert float(used.abs().max()) <= abs(weight) + 1e-5
    if rows <= 4 and columns <= 4:
        torch.testing.assert_close(used.sum(0), torch.full((1, h, w), weight), atol=1e-4, rtol=1e-4)
    assert bool((filters[len(regions) :] == 1).all())


def test_a_hard_edge_is_hard_and_a_soft_one_is_as_wide_as_it_says() -> None:
    """Without a feather a cell is in or out; 32 pixels at 8 a cell are four cells of slope, twice as many at twice the size."""
    half = (Region((1, 2), rows=(0, 1), columns=(0, 1), weight=1.0),)
    hard = Regions(Regional(half), (128, 64), "euler").filters(1, torch.zeros(1, 4, 8, 16))
    assert hard.unique().tolist() == [0.0, 1.0]
    soft = Regions(Regional(half, feather=32), (128, 64), "euler")
    assert soft.filters(1, torch.zeros(1, 4, 8, 16))[0, 0, 0, 5:11].tolist() == [1.0, 0.875, 0.625, 0.375, 0.125, 0.0]
    grown = soft.filters(1, torch.zeros(1, 4, 16, 32))
    assert int((grown * (1 - grown) > 0).sum(-1).max()) == 8
