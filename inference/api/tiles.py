"""Where a tiled upscale paints: tiles, seams, sizes and the chain of enlargements, as Ultimate SD Upscale and SD upscale count.

Pure arithmetic on pixels, shared by the painter, who paints it, and the bot, who predicts what it costs. Refuses to know of
pictures.
"""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from inference.api.redraw import SIZE_STEP, SdUpscale, SeamFix, UltimateUpscale
from inference.api.sizes import LATENT

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom lie outside."""
Size = tuple[int, int]
"""Width and height in pixels."""
Shape = Literal["solid", "rows", "columns", "row band", "column band", "round"]
"""What a mask looks like within its box: white all over; black, white and black again from row to row (or column to column);
the same stretched from one gradient over the whole picture's side; white in the middle and black in the corners."""
FACTORS = (4, 3, 2)
"""How many times a picture is enlarged at once, the first that divides what is left."""


class Spot(msgspec.Struct, frozen=True):
    """A place that is painted anew: the `box` of its mask, which may stand over the picture's right and lower edge."""

    box: Box
    shape: Shape = "solid"


class Stage(msgspec.Struct, frozen=True):
    """Spots that are painted one after the other at the same `process` size, with `padding` pixels around them.

    Their masks are blurred by `blur`. `strength` None is the source's own.
    """

    spots: tuple[Spot, ...]
    process: Size
    padding: int
    blur: int
    strength: float | None = None


def target_of(size: Size, scale: float) -> Size:
    """What a picture of `size` becomes when it is redrawn `scale` times as large: each side up to a multiple of 64."""
    width, height = (math.ceil(round(side * scale / SIZE_STEP, 6)) * SIZE_STEP for side in size)
    return width, height


def chain_of(size: Size, target: Size) -> tuple[int, ...]:
    """The factors by which an upscaler is run, one after the other, before Lanczos brings the picture to `target`.

    What is missing is raised until 2 or 3 divides it, then divided by 4, 3 or 2 as long as more than 1 is left. Where none of
    them divides (10, 13, 14, 15 times), the original stops with an error; here 3 goes on.
    """
    wanted = math.ceil(max(target) / max(size))
    while wanted > 1 and wanted % 2 and wanted % 3:
        wanted += 1
    factors: list[int] = []
    while (left := wanted // math.prod(factors)) > 1:
        factors.append(next((factor for factor in FACTORS if left % factor == 0), 3))
    return tuple(factors)


def tile_of(redraw: UltimateUpscale) -> Size:
    """Width and height of a tile: a 0 copies the other side."""
    width, height = redraw.tile
    return width or height, height or width


def stages_of(redraw: UltimateUpscale) -> tuple[Stage, ...]:
    """All that is painted, in order: the tiles, then the seams. Nothing where neither is asked for."""
    return tuple(stage for stage in (*_tiles(redraw), *_seams(redraw)) if stage.spots)


def sd_tile_of(redraw: SdUpscale, canvas: Size) -> Size:
    """Width and height of SD upscale's tiles: the canvas, or the whole side where that is shorter."""
    return min(canvas[0], redraw.size[0]), min(canvas[1], redraw.size[1])


def sd_overlap_of(redraw: SdUpscale, canvas: Size) -> int:
    """How many pixels neighbouring tiles share: never more than half of one."""
    return min(redraw.overlap, *(side // 2 for side in sd_tile_of(redraw, canvas)))


def sd_boxes(redraw: SdUpscale, canvas: Size) -> tuple[Box, ...]:
    """SD upscale's tiles, row after row."""
    (width, height), overlap = sd_tile_of(redraw, canvas), sd_overlap_of(redraw, canvas)
    return tuple(
        (left, top, left + width, top + height)
        for top in tile_origins(redraw.size[1], height, overlap)
        for left in tile_origins(redraw.size[0], width, overlap)
    )


def tile_origins(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along a side of `length`: evenly spread, the first at 0, the last flush with the end (webui)."""
    if length <= tile:
        return [0]
    count = math.ceil((length - overlap) / (tile - overlap))
    return [i * (length - tile) // (count - 1) for i in range(count)]


def latent_size(size: Size) -> Size:
    """`size` with each side up to a whole latent pixel."""
    width, height = (math.ceil(side / LATENT) * LATENT for side in size)
    return width, height


def _tiles(redraw: UltimateUpscale) -> Iterator[Stage]:
    width, height = tile_of(redraw)
    across, down = _counts(redraw)
    places = [(x, y) for y in range(down) for x in range(across)]
    if redraw.order == "chess":
        places.sort(key=lambda place: sum(place) % 2)
    if redraw.order != "none":
        # the original's rectangle has its end inside: a tile is one pixel wider and higher than it says
        spots = tuple(Spot((x * width, y * height, (x + 1) * width + 1, (y + 1) * height + 1)) for x, y in places)
        process = _up(width + redraw.padding), _up(height + redraw.padding)
        yield Stage(spots, process, redraw.padding, redraw.mask_blur)


def _seams(redraw: UltimateUpscale) -> Iterator[Stage]:
    seams = redraw.seams
    if seams is None:
        return
    if seams.type == "band":
        yield from _bands(redraw, seams)
        return
    width, height = tile_of(redraw)
    across, down = _counts(redraw)
    process = latent_size((width, height))

    def stage(shape: Shape, counts: Size, start: Size, padding: int) -> Stage:
        corners = ((x * width + start[0], y * height + start[1]) for y in range(counts[1]) for x in range(counts[0]))
        spots = tuple(Spot((left, top, left + width, top + height), shape) for left, top in corners)
        return Stage(spots, process, padding, seams.mask_blur, seams.denoising_strength)

    yield stage("rows", (across, down - 1), (0, height // 2), seams.padding)
    yield stage("columns", (across - 1, down), (width // 2, 0), seams.padding)
    if seams.type == "intersections":
        yield stage("round", (across - 1, down - 1), (width // 2, height // 2), 0)


def _bands(redraw: UltimateUpscale, seams: SeamFix) -> Iterator[Stage]:
    """A band along each inner edge, as long as the picture; what it is called is how its mask changes across it."""
    (width, height), (across, down) = tile_of(redraw), _counts(redraw)
    broad, half, thick = seams.width, seams.width // 2, seams.width + 2 * seams.padding
    lefts = (x * width - half for x in range(1, across))
    tops = (y * height - half for y in range(1, down))
    upright = tuple(Spot((left, 0, left + broad, redraw.size[1]), "column band") for left in lefts)
    level = tuple(Spot((0, top, redraw.size[0], top + broad), "row band") for top in tops)
    for spots, process in ((upright, (thick, redraw.size[1])), (level, (redraw.size[0], thick))):
        yield Stage(spots, latent_size(process), seams.padding, 0, seams.denoising_strength)


def _counts(redraw: UltimateUpscale) -> Size:
    """How many tiles lie side by side, and how many one under the other."""
    width, height = tile_of(redraw)
    return math.ceil(redraw.size[0] / width), math.ceil(redraw.size[1] / height)


def _up(length: int) -> int:
    return math.ceil(length / SIZE_STEP) * SIZE_STEP
