"""The part of a large picture that one tile or seam needs: its mask, made and blurred on the spot, and the box around it.

Owns the masks' shapes. What comes out is, pixel by pixel, what masks of the whole picture's size would give
(`inference.engine.start.begin`), without ever making one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageOps

from inference.api.tiles import Box, Shape, Size, Spot, Stage
from inference.engine.masks import soften, widened


@dataclass(frozen=True, slots=True)
class Patch:
    """A `box` of the picture, and the blurred `mask` (grey, of the box's size): white is painted anew."""

    box: Box
    mask: Image.Image


def patch_of(spot: Spot, stage: Stage, whole: Size) -> Patch | None:
    """What is cut out of a picture of size `whole` to paint `spot`; None where its mask is black."""
    margin = 2 * (int(2.5 * stage.blur + 0.5) + 1)  # twice the blur's reach: nothing is mirrored in at the area's edges
    left, top, right, bottom = spot.box
    area = (
        max(left - margin, 0),
        max(top - margin, 0),
        min(right + margin, whole[0]),
        min(bottom + margin, whole[1]),
    )
    mask = Image.new("L", (area[2] - area[0], area[3] - area[1]))
    mask.paste(_SHAPES[spot.shape]((right - left, bottom - top)), (left - area[0], top - area[1]))
    soft = soften(mask, across=stage.blur, down=stage.blur)
    found = soft.getbbox()
    if found is None:
        return None
    around = (
        max(found[0] + area[0] - stage.padding, 0),
        max(found[1] + area[1] - stage.padding, 0),
        min(found[2] + area[0] + stage.padding, whole[0]),
        min(found[3] + area[1] + stage.padding, whole[1]),
    )
    box = widened(around, shape=stage.process, within=whole)
    inner = box[0] - area[0], box[1] - area[1], box[2] - area[0], box[3] - area[1]
    return Patch(box, soft.crop(inner))  # what lies beyond the area comes out black, and is


def _solid(size: Size) -> Image.Image:
    return Image.new("L", size, 255)


def _rows(size: Size) -> Image.Image:
    """Black at the top, white in the middle, black at the bottom, in two gradients."""
    return _mirrored((size[0], size[1]))


def _columns(size: Size) -> Image.Image:
    return _mirrored((size[1], size[0])).transpose(Image.Transpose.ROTATE_90)


def _row_band(size: Size) -> Image.Image:
    return _mirrored((256, 256)).resize(size, Image.Resampling.BICUBIC)


def _column_band(size: Size) -> Image.Image:
    return _mirrored((256, 256)).transpose(Image.Transpose.ROTATE_90).resize(size, Image.Resampling.BICUBIC)


def _round(size: Size) -> Image.Image:
    return ImageOps.invert(Image.radial_gradient("L").resize(size, Image.Resampling.BICUBIC))


def _mirrored(size: Size) -> Image.Image:
    """Grey that rises over the upper half and falls over the lower one; an odd last row stays black."""
    width, height = size
    rising, result = Image.linear_gradient("L"), Image.new("L", size)
    if half := height // 2:
        falling = rising.transpose(Image.Transpose.ROTATE_180)
        result.paste(rising.resize((width, half), Image.Resampling.BICUBIC), (0, 0))
        result.paste(falling.resize((width, half), Image.Resampling.BICUBIC), (0, half))
    return result


_SHAPES: Mapping[Shape, Callable[[Size], Image.Image]] = {
    "solid": _solid,
    "rows": _rows,
    "columns": _columns,
    "row band": _row_band,
    "column band": _column_band,
    "round": _round,
}
