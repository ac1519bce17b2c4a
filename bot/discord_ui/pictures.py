"""Pictures as Discord gets them: WebP for the channel, and nine of them on one contact sheet.

Owns encoding and fitting into Discord's sizes; blocking, so callers run it in a thread. The PNG with its parameters is
kept as it was painted and never passes through here.
"""

import io
from collections.abc import Sequence
from typing import Final

import msgspec
from PIL import Image, ImageDraw, ImageOps

from inference.api.infotext import NoInfotext, exif_with, infotext_in

QUALITY: Final = 90
SMALLEST_SIDE: Final = 64
SHRINK: Final = 0.75
SHEET_COLUMNS: Final = 3
SHEET_LIMIT: Final = 9
CELL: Final = 256
GAP: Final = 8
GROUND: Final = (24, 25, 28)
_BADGE: Final = 36
_DIGITS: Final = 22
"""Height of the numbers in pixels: a phone shows the sheet at half its size."""

WEBP_SIDE: Final = 16_383
"""Pixels of a side that WebP can say at most."""


class PictureTooLarge(ValueError):
    """A picture cannot be made small enough for the place where it should go."""


def to_webp(png: bytes, *, limit: int) -> bytes:
    """`png` as WebP (quality 90) of at most `limit` bytes, its parameters inside, by three quarters smaller sides until it fits.

    What is transparent stays so. Raises PictureTooLarge when not even 64 pixels fit.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
        picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    if max(picture.size) > WEBP_SIDE:  # no WebP can be longer
        width, height = (max(1, side * WEBP_SIDE // max(picture.size)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    try:
        exif = exif_with(infotext_in(png))
    except NoInfotext:
        exif = b""
    while True:
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=QUALITY, method=4, exif=exif)
        if buffer.tell() <= limit:
            return buffer.getvalue()
        width, height = (int(side * SHRINK) for side in picture.size)
        if min(width, height) < SMALLEST_SIDE:
            raise PictureTooLarge(f"A picture does not fit into {limit:,} bytes, however small it is made.")
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)


class Fitted(msgspec.Struct, frozen=True):
    """A picture as a file that fits: its bytes, the file's ending, and what to say where it is not the PNG itself."""

    data: bytes
    ending: str
    note: str = ""


def fit_file(png: bytes, *, limit: int) -> Fitted:
    """The PNG itself where it has at most `limit` bytes, else the same pixels as WebP, else the best WebP that fits."""
    if len(png) <= limit:
        return Fitted(png, "png")
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        buffer = io.BytesIO()
        if max(picture.size) <= WEBP_SIDE:
            picture.save(buffer, "WEBP", lossless=True, method=4)
    if 0 < buffer.tell() <= limit:
        return Fitted(buffer.getvalue(), "webp", "The PNG is over Discord's limit; this WebP has the same pixels.")
    note = "Neither the PNG nor a lossless WebP fits Discord's limit here; this is the best that does."
    return Fitted(to_webp(png, limit=limit), "webp", note)


def contact_sheet(pngs: Sequence[bytes], *, first: int = 1) -> bytes:
    """One to nine pictures on one WebP, three in a row, each with its number (from `first`) in the corner."""
    if not 1 <= len(pngs) <= SHEET_LIMIT:
        raise ValueError(f"A contact sheet has 1 to {SHEET_LIMIT} pictures, not {len(pngs)}.")
    columns = min(SHEET_COLUMNS, len(pngs))
    rows = -(-len(pngs) // SHEET_COLUMNS)
    pitch = CELL + GAP
    sheet = Image.new("RGB", (columns * pitch + GAP, rows * pitch + GAP), GROUND)
    for index, png in enumerate(pngs):
        row, column = divmod(index, SHEET_COLUMNS)
        _place(sheet, png, number=first + index, corner=(GAP + column * pitch, GAP + row * pitch))
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def _place(sheet: Image.Image, png: bytes, *, number: int, corner: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
        picture = ImageOps.contain(opened.convert("RGB"), (CELL, CELL), Image.Resampling.LANCZOS)
    left, top = corner
    sheet.paste(picture, (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2))
    draw = ImageDraw.Draw(sheet)
    width = max(_BADGE, round(draw.textlength(str(number), font_size=_DIGITS)) + GAP * 2)
    draw.rectangle((left, top, left + width, top + _BADGE), fill=GROUND)
    centre = left + width / 2, top + _BADGE / 2
    draw.text(centre, str(number), fill=(255, 255, 255), font_size=_DIGITS, anchor="mm")
