"""The small map of words for places: where each of them will guide, in colours, with their numbers.

Owns its pixels. Where places lie is `bot.requests.places`' to say. Blocking; run it in a thread.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bot.requests.places import GRID, Box, Placed

LONG: Final = 384
"""The map's longer side in pixels."""
_GROUND: Final = (43, 45, 49)
_LINE: Final = (92, 94, 102)
_INK: Final = (255, 255, 255)
_MARKED: Final = (226, 101, 59)
_TAKEN: Final = [0] * 9 + [255] * 247
"""How far a grey level is from the ground's: where another place is already."""
COLORS: Final = (
    (66, 133, 190),
    (196, 78, 96),
    (84, 150, 96),
    (190, 140, 50),
    (134, 100, 180),
    (60, 150, 150),
    (170, 110, 80),
    (120, 130, 60),
)
"""By the number of a place, again from the first behind the last."""


def draw_map(
    places: Sequence[Placed], *, shape: tuple[float, float], feather: float, marked: Iterable[Box] = ()
) -> bytes:
    """The map of `places` that have boxes, on a picture of the proportions `shape`, as WebP.

    `feather` is the width of soft borders as a share of the shorter side; `marked` boxes are framed.
    """
    scale = LONG / max(shape)
    size = max(GRID, round(shape[0] * scale)), max(GRID, round(shape[1] * scale))
    picture = Image.new("RGB", size, _GROUND)
    for number, place in enumerate(places):
        mask = Image.new("L", size, 0)
        for box in place.boxes:
            mask.paste(200, pixels(box, size))
        if feather:
            mask = mask.filter(ImageFilter.GaussianBlur(feather * min(size) / 3))
        picture = Image.composite(_mixed(picture, COLORS[number % len(COLORS)]), picture, mask)
    draw = ImageDraw.Draw(picture)
    _rule(draw, size)
    for number, place in enumerate(places, 1):
        for box in place.boxes:
            left, top, right, bottom = pixels(box, size)
            draw.text(((left + right) / 2, (top + bottom) / 2), str(number), fill=_INK, font_size=28, anchor="mm")
    for box in marked:
        left, top, right, bottom = pixels(box, size)
        draw.rectangle((left + 1, top + 1, right - 2, bottom - 2), outline=_MARKED, width=4)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=85, method=2)
    return buffer.getvalue()


def pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """`box` in pixels of `size` (width, height): left, top, right, bottom."""
    top, left, bottom, right = box
    width, height = size
    return left * width // GRID, top * height // GRID, right * width // GRID, bottom * height // GRID


def place_mask(boxes: Iterable[Box], size: tuple[int, int], *, feather: float = 0.0) -> bytes:
    """White in `boxes` of a picture of `size` (width, height), black elsewhere, soft over `feather` pixels: an 8-bit grey PNG."""
    mask = Image.new("L", size, 0)
    for box in boxes:
        mask.paste(255, pixels(box, size))
    if feather:
        mask = mask.filter(ImageFilter.GaussianBlur(feather / 3))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _mixed(picture: Image.Image, color: tuple[int, int, int]) -> Image.Image:
    """`color` over the ground, and half of it over what is another place's already."""
    taken = ImageChops.difference(picture, Image.new("RGB", picture.size, _GROUND)).convert("L").point(_TAKEN)
    solid = Image.new("RGB", picture.size, color)
    return Image.composite(Image.blend(picture, solid, 0.5), solid, taken)


def _rule(draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    width, height = size
    for part in (1, 2):
        draw.line((width * part // 3, 0, width * part // 3, height), fill=_LINE)
        draw.line((0, height * part // 3, width, height * part // 3), fill=_LINE)
