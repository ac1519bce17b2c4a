"""Where the tiles of a picture lie, and how neighbours fade into each other.

Owns sizes by architecture and the grid (the webui's: evenly spread, flush at both ends). Each tile hands over to the next in
the middle half of the strip that both see: its outermost quarter, where a network has guessed what lies beyond, does not count
at all. Refuses to know networks.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from inference.api.tiles import tile_origins as tile_origins  # noqa: PLC0414 - the grid is the vocabulary's, for these tiles too


class Tiling(NamedTuple):
    """Pixels of a tile's side and of the strip that neighbours share."""

    tile: int
    overlap: int


WEBUI: Mapping[str, Tiling] = {
    "esrgan": Tiling(192, 8),
    "dat": Tiling(192, 8),
    "swinir": Tiling(192, 8),
    "scunet": Tiling(256, 8),
}
"""The webui's, by architecture; others are tiled there as ESRGAN."""
OVERLAP = 32
"""What Easel's neighbours share instead of 8: a fade over 8 pixels mixes edges that both tiles have guessed, and a seam shows
(`benchmarks/upscaling.py` measures it); over the middle 16 of 32 it does not, for a third more tiles."""
DISCOURAGED = Tiling(512, 64)
"""For architectures that look at a picture as a whole, as far as memory allows."""


def tiling_of(architecture: str, *, discouraged: bool = False, multiple: int = 1) -> Tiling:
    """How pictures are tiled for `architecture` (an id in lower case), in tiles whose sides are multiples of `multiple`."""
    known = WEBUI.get(architecture)
    alone = DISCOURAGED if discouraged else Tiling(WEBUI["esrgan"].tile, OVERLAP)
    wanted = alone if known is None else Tiling(known.tile, OVERLAP)
    return Tiling(max(1, -(-wanted.tile // multiple)) * multiple, wanted.overlap)


def fading(length: int, *, overlap: int, before: bool, after: bool) -> Tensor:
    """Weights (length,) fp32 in [0, 1] of a tile's rows or columns, fading where a neighbour lies before or after.

    0 over the outer quarter of `overlap`, then rising over its middle half, then 1.
    """
    weights = torch.ones(length)
    if overlap == 0:
        return weights
    edge = overlap // 4
    slope = torch.cat((torch.zeros(edge), (torch.arange(overlap - 2 * edge, dtype=torch.float32) + 0.5)))
    slope /= overlap - 2 * edge
    if before:
        weights[: slope.numel()] = torch.minimum(weights[: slope.numel()], slope)
    if after:
        weights[-slope.numel() :] = torch.minimum(weights[-slope.numel() :], slope.flip(0))
    return weights


class Side(NamedTuple):
    """One direction of a grid: the tiles' length, where they begin, and the overlap of neighbours."""

    tile: int
    origins: list[int]
    overlap: int

    def weights(self, origin: int, length: int, *, scale: int) -> Tensor:
        """Weights of the tile that begins at `origin` on a side of `length`, enlarged `scale` times."""
        after = origin + self.tile < length
        return fading(self.tile * scale, overlap=self.overlap * scale, before=origin > 0, after=after)


def side_of(length: int, tiling: Tiling) -> Side:
    """The tiles along a side of `length` pixels: one where it is no longer than a tile."""
    tile = min(tiling.tile, length)
    overlap = min(tiling.overlap, tiling.tile // 2)
    return Side(tile, tile_origins(length, tile, overlap), overlap)
