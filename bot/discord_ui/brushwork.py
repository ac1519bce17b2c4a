"""Pixels before anything is painted: masks, the preview of chosen regions, and the larger sheet around a picture.

Owns drawing them as PNG or WebP; where things lie is `bot.requests`' to say. Blocking, so callers run it in a thread.
"""

import io
from collections.abc import Iterable
from typing import Final

from PIL import Image, ImageDraw

from bot.requests.outpaint import Sheet
from bot.requests.regions import ACROSS, region_boxes

SHOWN: Final = 512
"""The longer side of a preview in pixels."""
_CHOSEN: Final = (226, 101, 59)
"""The accent of our cards."""
_LINE: Final = (255, 255, 255)
_SHADE: Final = 0.45
_FORMATS: Final = ("PNG",)


def region_mask(size: tuple[int, int], regions: Iterable[int]) -> bytes:
    """A mask of `size` (width, height) as an 8-bit grey PNG: white in `regions`, black elsewhere."""
    mask = Image.new("L", size, 0)
    for box in region_boxes(size, regions):
        mask.paste(255, box)
    return _png(mask)


def region_preview(png: bytes, regions: Iterable[int]) -> bytes:
    """The picture as WebP, `SHOWN` pixels long, ruled into nine; `regions` are tinted and framed."""
    with Image.open(io.BytesIO(png), formats=_FORMATS) as opened:
        picture = opened.convert("RGB")
    scale = SHOWN / max(picture.size)
    width, height = (max(ACROSS, round(side * scale)) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    for part in range(1, ACROSS):
        draw.line((width * part // ACROSS, 0, width * part // ACROSS, height), fill=_LINE)
        draw.line((0, height * part // ACROSS, width, height * part // ACROSS), fill=_LINE)
    for box in region_boxes(picture.size, regions):
        inside = picture.crop(box)
        picture.paste(Image.blend(inside, Image.new("RGB", inside.size, _CHOSEN), _SHADE), box[:2])
        draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=_CHOSEN, width=3)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()


def spread(png: bytes, sheet: Sheet) -> tuple[bytes, bytes]:
    """The picture on its larger sheet, and the sheet's mask: white is what is new and the strip that is painted over.

    Around the picture its edge pixels are drawn out: it is what a model sees of the new part where a mask is soft.
    """
    with Image.open(io.BytesIO(png), formats=_FORMATS) as opened:
        picture = opened.convert("RGB")
    left, top, right, bottom = sheet.inner
    inner = picture.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
    whole = Image.new("RGB", sheet.size)
    whole.paste(inner, (left, top))
    _draw_out(whole, sheet)
    mask = Image.new("L", sheet.size, 255)
    mask.paste(0, sheet.kept)
    return _png(whole), _png(mask)


def _draw_out(whole: Image.Image, sheet: Sheet) -> None:
    """Fill what is around `sheet.inner` with its edge pixels, first sideways, then up and down over the whole width."""
    left, top, right, bottom = sheet.inner
    width, height = sheet.size
    for column, place in ((left, (0, left)), (right - 1, (right, width))):
        if place[1] > place[0]:
            edge = whole.crop((column, top, column + 1, bottom))
            whole.paste(edge.resize((place[1] - place[0], bottom - top)), (place[0], top))
    for row, place in ((top, (0, top)), (bottom - 1, (bottom, height))):
        if place[1] > place[0]:
            edge = whole.crop((0, row, width, row + 1))
            whole.paste(edge.resize((width, place[1] - place[0])), (0, place[0]))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
