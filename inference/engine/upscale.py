"""Enlarging one picture: the webui's contract for upscalers, and tiles that join without seams.

An upscaler runs up to three times until both sides reach the target; Lanczos brings the result to the exact size. Networks
see RGB, as they were trained (the webui hands them BGR). Tiles of one size are asked for one by one, so that the loop
batches them with those of other jobs.
"""

import math
from collections.abc import Callable, Generator
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from inference.engine.picture import to_unit, unit_to_picture
from inference.engine.work import Borrow, UpscaleTile

TILE, OVERLAP = 192, 32
"""Pixels of a tile's side and of the strip that neighbours share (webui shares 8, too few for a seam not to show)."""
PASSES = 3


def _times(resampling: Image.Resampling) -> Callable[[Image.Image, float], Image.Image]:
    return lambda picture, scale: picture.resize(
        (max(1, int(picture.width * scale)), max(1, int(picture.height * scale))), resampling
    )


RESAMPLERS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "none": lambda picture, scale: picture,  # noqa: ARG005 - an upscaler that leaves everything to the last step
    "lanczos": _times(Image.Resampling.LANCZOS),
    "nearest": _times(Image.Resampling.NEAREST),
}
"""Upscalers of the catalogue that need no network: one pass of each."""


def target_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Width and height after enlarging, rounded down to multiples of 8 (at least 8), as in the webui."""
    width, height = (max(8, int(side * scale // 8 * 8)) for side in size)
    return width, height


Enlarging = Generator[Borrow | UpscaleTile, Any, Image.Image]
"""A picture that grows: asks for its network, then for tiles; returns it enlarged."""


def enlarge(picture: Image.Image, *, upscaler: str, scale: float) -> Enlarging:
    """Enlarge RGB `picture` `scale` times with a resampler of `RESAMPLERS` or the network called `upscaler`."""
    target = target_size(picture.size, scale)
    network = None if upscaler in RESAMPLERS else (yield Borrow(upscaler))
    for number in range(PASSES):
        before = picture.size
        if _is_done(before, target, first=number == 0, scale=scale):
            break
        if upscaler in RESAMPLERS:
            picture = RESAMPLERS[upscaler](picture, scale)
        else:
            picture = unit_to_picture((yield from _enlarge_tiled(to_unit(picture), network)))
        if picture.size == before:
            break
    return picture.resize(target, Image.Resampling.LANCZOS) if picture.size != target else picture


def brought_to(picture: Image.Image, size: tuple[int, int], *, upscaler: str) -> Enlarging:
    """RGB `picture` at exactly `size` (width, height): what grows grows through `upscaler`, Lanczos does the rest (webui).

    Without an upscaler ("" or "none") Lanczos does it all.
    """
    scale = max(size[0] / picture.width, size[1] / picture.height)
    if scale > 1 and upscaler not in ("", "none"):
        picture = yield from enlarge(picture, upscaler=upscaler, scale=scale)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def _is_done(size: tuple[int, int], target: tuple[int, int], *, first: bool, scale: float) -> bool:
    return size[0] >= target[0] and size[1] >= target[1] and not (first and scale == 1)


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


def _enlarge_tiled(pixels: Tensor, network: Any) -> Generator[UpscaleTile, Any, Tensor]:
    _, _, height, width = pixels.shape
    tile_h, tile_w = min(TILE, height), min(TILE, width)
    fade = min(OVERLAP, tile_h // 2, tile_w // 2)
    rows, columns = tile_origins(height, tile_h, fade), tile_origins(width, tile_w, fade)
    total = weight_sum = torch.zeros(0)
    for top in rows:
        down = (top > 0, top + tile_h < height)
        for left in columns:
            across = (left > 0, left + tile_w < width)
            answer = yield UpscaleTile(network, pixels[:, :, top : top + tile_h, left : left + tile_w])
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


def tile_count(size: tuple[int, int], *, upscaler: str, scale: float, network_scale: int) -> int:
    """How many tiles `enlarge` will ask for with a picture of `size`; 0 where it needs no network."""
    if upscaler in RESAMPLERS:
        return 0
    (width, height), target, count = size, target_size(size, scale), 0
    for number in range(PASSES):
        if _is_done((width, height), target, first=number == 0, scale=scale):
            break
        fade = min(OVERLAP, min(TILE, height) // 2, min(TILE, width) // 2)
        count += len(tile_origins(width, min(TILE, width), fade)) * len(tile_origins(height, min(TILE, height), fade))
        if network_scale == 1:
            break
        width, height = width * network_scale, height * network_scale
    return count
