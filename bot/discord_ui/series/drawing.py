"""Grids as pictures: cells side by side, and the legend around them, with the webui's geometry and fitting of fonts.

Owns pixels. Refuses to know what the cells are and what the legend means. Everything here blocks; run it in a thread.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from bot.requests.plots.layout import Legend, Mark, grid_shape

Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
WHITE: Final[Color] = (255, 255, 255)
INK: Final[Color] = (0, 0, 0)
FADED: Final[Color] = (153, 153, 153)
BLANK: Final[Color] = (228, 229, 232)
"""A cell that has no picture: not painted yet, or never."""
STRIKE: Final = 4
"""Pixels of the line through what is not in a cell."""
_LATIN: Final = 0x17F
"""The last character that Pillow's own font draws; for others a font of the machine is looked for."""
_OTHER_FONTS: Final = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "arial.ttf",
)


class _Line:
    """A line of a legend as it is drawn, measured in the size that all lines begin with."""

    __slots__ = ("active", "height", "room", "text", "width")

    def __init__(self, text: str, *, active: bool, room: int, size: int) -> None:
        self.text, self.active, self.room = text, active, room
        left, top, right, bottom = _PEN.textbbox((0, 0), text, font=_font(text, size))
        self.width, self.height = right - left, bottom - top


_PEN: Final = ImageDraw.Draw(Image.new("RGB", (1, 1)))


def image_grid(
    pictures: Sequence[Image.Image], *, rows: int | None = None, even: bool = False, ground: Color = WHITE
) -> Image.Image:
    """`pictures` in reading order, in cells as large as the largest needs, smaller ones in the middle of theirs (webui)."""
    rows, columns = grid_shape(len(pictures), rows=rows, even=even)
    width, height = max(each.width for each in pictures), max(each.height for each in pictures)
    grid = Image.new("RGB", (columns * width, rows * height), ground)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        left = column * width + (width - picture.width) // 2
        grid.paste(picture, (left, row * height + (height - picture.height) // 2))
    return grid


def annotated(
    grid: Image.Image, cell: tuple[int, int], *, across: Legend = (), down: Legend = (), margin: int = 0
) -> Image.Image:
    """`grid` of cells of size `cell` (width, height) with `across` above its columns and `down` left of its rows (webui).

    Texts wrap at words to the room that they have; a line that is still too long is written smaller. `margin` pixels part
    the cells.
    """
    width, height = cell
    size = (width + height) // 25
    spacing = size // 2
    left = width * 3 // 4 if any(mark.text for marks in down for mark in marks) else 0
    above = [_lines(marks, room=width, size=size) for marks in across]
    beside = [_lines(marks, room=left, size=size) for marks in down]
    heights = [sum(line.height + spacing for line in lines) - spacing for lines in above if lines]
    top = round(max(heights)) + spacing * 2 if any(mark.text for marks in across for mark in marks) else 0
    columns, rows = grid.width // width, grid.height // height
    result = Image.new(
        "RGB", (grid.width + left + margin * (columns - 1), grid.height + top + margin * (rows - 1)), WHITE
    )
    for row in range(rows):
        for column in range(columns):
            part = grid.crop((width * column, height * row, width * (column + 1), height * (row + 1)))
            result.paste(part, (left + (width + margin) * column, top + (height + margin) * row))
    pen = ImageDraw.Draw(result)
    for column, lines in enumerate(above[:columns]):
        centre = left + (width + margin) * column + width / 2
        tall = sum(line.height + spacing for line in lines) - spacing
        _write(pen, lines, (centre, top / 2 - tall / 2), size=size)
    for row, lines in enumerate(beside[:rows]):
        tall = sum(line.height + spacing for line in lines) - spacing * len(lines)
        _write(pen, lines, (left / 2, top + (height + margin) * row + height / 2 - tall / 2), size=size)
    return result


def _write(pen: ImageDraw.ImageDraw, lines: Sequence[_Line], start: tuple[float, float], *, size: int) -> None:
    """Write `lines` centred below `start`."""
    x, y = start
    for line in lines:
        fitted = size
        while fitted > 1 and _width(line.text, fitted) > line.room:
            fitted -= 1
        color = INK if line.active else FADED
        pen.text((x, y + line.height / 2), line.text, font=_font(line.text, fitted), fill=color, anchor="mm")
        if not line.active:
            half = line.width // 2
            pen.line((x - half, y + line.height // 2, x + half, y + line.height // 2), fill=color, width=STRIKE)
        y += line.height + size // 2


def _lines(marks: Sequence[Mark], *, room: int, size: int) -> list[_Line]:
    """`marks` in lines of whole words that fit into `room` pixels, as far as words allow."""
    lines: list[_Line] = []
    for mark in marks:
        wrapped: list[str] = []
        for word in mark.text.split():
            longer = f"{wrapped[-1]} {word}" if wrapped else word
            if wrapped and _font(longer, size).getlength(longer) <= room:
                wrapped[-1] = longer
            else:
                wrapped.append(word)
        lines += [_Line(text, active=mark.active, room=room, size=size) for text in wrapped]
    return lines


def _width(text: str, size: int) -> float:
    left, _, right, _ = _PEN.textbbox((0, 0), text, font=_font(text, size))
    return right - left


def _font(text: str, size: int) -> Font:
    """Pillow's own font, the same everywhere; another of the machine where it lacks a character of `text`."""
    return _font_of(max(1, size), foreign=any(ord(sign) > _LATIN for sign in text))


@lru_cache(maxsize=256)
def _font_of(size: int, *, foreign: bool) -> Font:
    for name in _OTHER_FONTS if foreign else ():
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
