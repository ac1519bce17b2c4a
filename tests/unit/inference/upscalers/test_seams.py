"""Tiles: a picture in tiles is the picture in one piece, at any size, in no more memory than the result and one band."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inference.engine.picture import to_unit
from inference.engine.upscale import enlarge, sizes_of, tile_count
from inference.engine.upscalers.mosaic import Mosaic
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.tiles import OVERLAP, Tiling, side_of, tiling_of
from tests.unit.inference.upscalers.files import noise, rrdb, run

SMALL = Tiling(64, 32)


class Blur(nn.Module):
    """A network that sees `context` pixels around each, and doubles: every third-party habit of convolutions in small."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 2 * context + 1, padding=context, groups=3, bias=False)
        nn.init.constant_(self.conv.weight, 1 / (2 * context + 1) ** 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of the surroundings, twice as large; beyond the edge lies black, as in real networks."""
        return self.conv(x).repeat_interleave(2, -1).repeat_interleave(2, -2)


def upscaler(network: nn.Module, *, scale: int, tiling: Tiling = SMALL) -> Upscaler:
    """`network` as a shelf lends it, in small tiles."""
    return Upscaler(network, Traits("test", scale, tiling))


@pytest.mark.parametrize("size", [(150, 120), (64, 64), (65, 200), (33, 300), (400, 9), (1, 70)])
def test_tiles_are_the_whole_picture_where_the_context_fits(size: tuple[int, int]) -> None:
    """What a network sees around a pixel fits into a quarter of the overlap: then tiles and one piece agree."""
    network = upscaler(Blur(OVERLAP // 4), scale=2)
    picture = noise(*size)
    with torch.inference_mode():
        result, calls = run(network.enlarge_once(picture, 2.0))
        whole = network(to_unit(picture))
    expected = (whole[0].permute(1, 2, 0) * 255).round().numpy().astype(int)
    assert calls == network.calls(picture.size, 2.0)
    assert np.abs(np.asarray(result).astype(int) - expected).max() <= 1


def roughness(picture: Image.Image, borders: list[int]) -> float:
    """Mean absolute difference from column to column within 8 pixels of `borders`, by that of all others."""
    steps = np.abs(np.diff(np.asarray(picture).astype(float), axis=1)).mean(axis=(0, 2))
    beside = np.zeros(len(steps), dtype=bool)
    for border in borders:
        beside[border - 8 : border + 8] = True
    return float(steps[beside].mean() / steps[~beside].mean())


def test_a_deep_network_shows_no_seam() -> None:
    """A network that sees further than any overlap: beside the borders of tiles, pixels differ at most 1.1 times as much.

    Measured against the same places of the picture in one piece, whose own edges are not tiles' doing.
    """
    network, tiling, picture = rrdb(blocks=3), Tiling(96, 32), noise(260, 130)
    result, calls = run(upscaler(network, scale=4, tiling=tiling).enlarge_once(picture, 4.0))
    whole, once = run(upscaler(network, scale=4, tiling=Tiling(512, 32)).enlarge_once(picture, 4.0))
    assert (calls, once) == (8, 1)
    borders = [4 * (origin + 16) for origin in side_of(260, tiling).origins[1:]]
    assert roughness(result, borders) <= 1.1 * roughness(whole, borders)
    assert np.abs(np.asarray(result).astype(int) - np.asarray(whole).astype(int)).mean() < 1.0


def test_a_strip_of_20000_by_10_needs_tiles_no_wider_than_others() -> None:
    """An extreme picture is a row of ordinary tiles."""
    seen: list[tuple[int, ...]] = []

    class Watch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(x.shape))
            return x.repeat_interleave(2, -1).repeat_interleave(2, -2)

    network = upscaler(Watch(), scale=2, tiling=tiling_of("esrgan"))
    picture = noise(20_000, 10)
    result, _ = run(enlarge(picture, upscaler="net", scale=2.0), net=network)
    assert result.size == (40_000, 16)
    assert set(seen) == {(1, 3, 10, 192)}


def test_only_a_band_is_held_as_numbers() -> None:
    """However high a picture is, the sums of its tiles are as high as one tile."""
    mosaic = Mosaic((64, 4096), band=32)
    for top in range(0, 4096, 16):
        mosaic.close(top)
        height = min(32, 4096 - top)
        mosaic.lay(torch.full((3, height, 64), top / 4096), torch.ones(height, 64), left=0, top=top)
    assert mosaic._sum.shape == (3, 32, 64)
    levels = np.asarray(mosaic.finished())[:, 0, 0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert (levels[0], levels[-1]) == (0, 255 * 4080 // 4096)


@pytest.mark.parametrize(
    ("own", "scale", "sizes"),
    [
        (4, 2.0, [(100, 60)]),
        (4, 8.0, [(100, 60), (400, 240)]),
        (2, 8.0, [(100, 60), (200, 120), (400, 240)]),
        (2, 3.0, [(100, 60), (200, 120)]),
        (1, 2.0, [(100, 60)]),
        (4, 1.0, [(100, 60)]),
    ],
)
def test_passes_before_they_are_run(own: int, scale: float, sizes: list[tuple[int, int]]) -> None:
    """What will be computed is known from sizes alone: for a factor below the network's own, one pass and Lanczos down."""
    network = upscaler(nn.Identity(), scale=own)
    assert sizes_of((100, 60), network, scale) == sizes
    assert tile_count((100, 60), network=network, scale=scale) == sum(network.calls(size, scale) for size in sizes)


def times(factor: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """A network that repeats pixels."""
    return lambda x: x.repeat_interleave(factor, -1).repeat_interleave(factor, -2)


@pytest.mark.parametrize(("own", "scale"), list(itertools.product((1, 2, 4), (1.0, 1.5, 2.0, 3.0, 8.0))))
def test_the_target_is_met_whatever_the_networks_factor(own: int, scale: float) -> None:
    """Below, at and above the network's own factor, the result has the size that was asked for, and the picture's colours."""
    network = Upscaler(nn.Identity(), Traits("test", own, Tiling(64, 32)), call=times(own))
    picture = noise(100, 64)
    result, _ = run(enlarge(picture, upscaler="net", scale=scale), net=network)
    assert result.size == (int(100 * scale // 8 * 8), int(64 * scale // 8 * 8))
    small = result.resize((25, 16), Image.Resampling.BOX)
    wanted = picture.resize((25, 16), Image.Resampling.BOX)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(wanted).astype(int)).mean() < 6
