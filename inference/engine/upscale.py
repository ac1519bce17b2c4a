"""Enlarging one picture: the webui's contract for upscalers, and tiles that join without seams.

A network runs up to three times until both sides reach the target; Lanczos brings the result to the exact size.
Tiles of one size are asked for one by one, so that the loop batches them with those of other jobs.
"""

import math
from collections.abc import Callable, Generator
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from inference.engine.picture import to_unit, unit_to_picture
from inference.engine.work import Painting, UpscaleTile

TILE, OVERLAP = 192, 32
"""Pixels of a tile's side and of the strip that neighbours share (webui shares 8, too few for a seam not to show)."""
PASSES = 3


def _resized(resampling: Image.Resampling) -> Callable[[Image.Image, tuple[int, int]], Image.Image]:
    return lambda picture, size: picture.resize(size, resampling)


RESAMPLERS: dict[str, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {
    "lanczos": _resized(Image.Resampling.LANCZOS),
    "nearest": _resized(Image.Resampling.NEAREST),
}
"""Upscalers of the catalogue that need no network."""


def target_size(picture: Image.Image, scale: float) -> tuple[int, int]:
    """Width and height after enlarging, rounded down to multiples of 8 (at least 8), as in the webui."""
    width, height = (max(8, int(side * scale // 8 * 8)) for side in picture.size)
    return width, height


def enlarge(picture: Image.Image, *, upscaler: str, scale: float) -> Painting:
    """Enlarge RGB `picture` `scale` times with a resampler of `RESAMPLERS` or the network called `upscaler`."""
    size = target_size(picture, scale)
    if upscaler in RESAMPLERS:
        return RESAMPLERS[upscaler](picture, size)
    for _ in range(PASSES):
        if picture.width >= size[0] and picture.height >= size[1]:
            break
        picture = unit_to_picture((yield from _enlarge_tiled(to_unit(picture), upscaler)))
    return picture.resize(size, Image.Resampling.LANCZOS) if picture.size != size else picture


def tile_origins(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along a side of `length`: evenly spread, the first at 0, the last flush with the end."""
    if length <= tile:
        return [0]
    count = math.ceil((length - overlap) / (tile - overlap))
    return [i * (length - tile) // (count - 1) for i in range(count)]


def ramp(length: int, *, fade: int, before: bool, after: bool) -> Tensor:
    """Weights (length,) fp32 in (0, 1] that rise over `fade` pixels where a neighbour lies before or after."""
    weights = torch.ones(length)
    slope = (torch.arange(fade, dtype=torch.float32) + 0.5) / fade
    if before:
        weights[:fade] = torch.minimum(weights[:fade], slope)
    if after:
        weights[-fade:] = torch.minimum(weights[-fade:], slope.flip(0))
    return weights


def _enlarge_tiled(pixels: Tensor, upscaler: str) -> Generator[UpscaleTile, Any, Tensor]:
    _, _, height, width = pixels.shape
    tile_h, tile_w = min(TILE, height), min(TILE, width)
    fade = min(OVERLAP, tile_h // 2, tile_w // 2)
    rows, columns = tile_origins(height, tile_h, fade), tile_origins(width, tile_w, fade)
    total = weight_sum = torch.zeros(0)
    for top in rows:
        down = (top > 0, top + tile_h < height)
        for left in columns:
            across = (left > 0, left + tile_w < width)
            answer = yield UpscaleTile(upscaler, pixels[:, :, top : top + tile_h, left : left + tile_w])
            tile = answer.float().cpu()
            k = tile.shape[-1] // tile_w
            weights = torch.outer(
                ramp(tile_h * k, fade=fade * k, before=down[0], after=down[1]),
                ramp(tile_w * k, fade=fade * k, before=across[0], after=across[1]),
            )
            if total.numel() == 0:
                total, weight_sum = torch.zeros(1, 3, height * k, width * k), torch.zeros(height * k, width * k)
            area = slice(top * k, (top + tile_h) * k), slice(left * k, (left + tile_w) * k)
            total[:, :, area[0], area[1]] += tile * weights
            weight_sum[area] += weights
    return total / weight_sum


def tile_count(picture: Image.Image, *, upscaler: str, scale: float, network_scale: int) -> int:
    """How many tiles `enlarge` will ask for; 1 where it needs no network."""
    if upscaler in RESAMPLERS:
        return 1
    (width, height), size, count = picture.size, target_size(picture, scale), 0
    for _ in range(PASSES):
        if width >= size[0] and height >= size[1]:
            break
        fade = min(OVERLAP, min(TILE, height) // 2, min(TILE, width) // 2)
        count += len(tile_origins(width, min(TILE, width), fade)) * len(tile_origins(height, min(TILE, height), fade))
        width, height = width * network_scale, height * network_scale
    return max(1, count)
