"""From the cells of a series to the files of its card: the grid as it grows, and the grids as they are in the end.

Owns what fits where: the PNG, else WebP, else tiles. Refuses to know Discord; everything here blocks, so it runs in a thread.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.discord_ui.reply import Attachment
from bot.discord_ui.series.drawing import BLANK, annotated, image_grid
from bot.requests.plots.layout import Layout
from inference.api.infotext import exif_with

FILE_LIMIT: Final = 9 * 2**20
"""Bytes of one grid; Discord takes 10 MiB where no server's boosts help."""
TILE_PIXELS: Final = 40_000_000
"""Pixels of one tile at most: what is drawn at once takes this machine three bytes for each, twice."""
WEBP_SIDE: Final = 16_383
QUALITY: Final = 90
PNG_PIXELS: Final = 12_000_000
"""Larger grids never fit as PNG, and are not tried."""
THUMBNAIL: Final = 256
PREVIEW_WIDTH: Final = 1_600
LEGIBLE: Final = 96
"""Sides of cells below this carry no legend: nobody could read it."""
PREVIEWS: Final = 4

Cells = Mapping[int, Image.Image]
"""Pictures by the number of their cell."""


class Part(msgspec.Struct, frozen=True):
    """Rows and columns of a page that are drawn together, from and up to but without."""

    top: int
    bottom: int
    left: int
    right: int

    def halves(self) -> tuple["Part", "Part"]:
        """The same in two, along the longer side."""
        if self.bottom - self.top >= self.right - self.left:
            middle = (self.top + self.bottom) // 2
            return (
                msgspec.structs.replace(self, bottom=middle),
                msgspec.structs.replace(self, top=middle),
            )
        middle = (self.left + self.right) // 2
        return msgspec.structs.replace(self, right=middle), msgspec.structs.replace(self, left=middle)

    @property
    def cells(self) -> int:
        """How many."""
        return (self.bottom - self.top) * (self.right - self.left)


def cell_picture(files: Sequence[bytes], *, side: int | None = None) -> Image.Image:
    """The picture of a cell: its one picture, or the grid of its several; at most `side` pixels wide and high where given."""
    pictures = [_opened(data) for data in files]
    picture = pictures[0] if len(pictures) == 1 else image_grid(pictures)
    if side is not None:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def thumbnail_side(layout: Layout) -> int:
    """How large a cell of the growing grid is."""
    return max(24, min(THUMBNAIL, PREVIEW_WIDTH // max(1, layout.columns)))


def previews(layout: Layout, cells: Cells, *, title: str) -> tuple[Attachment, ...]:
    """The grids as they stand, small: those of the last pages that have a picture."""
    begun = sorted({layout.places[ordinal][0] for ordinal in cells})[-PREVIEWS:]
    made: list[Attachment] = []
    for page in begun:
        drawn = drawn_part(layout, cells, page=page, part=whole(layout))
        data = _encoded(drawn, "WEBP", b"", quality=80)
        made.append(Attachment(f"grid-{page + 1}.webp", data, _alt(layout, page, title=title)))
    return tuple(made)


def grids(
    layout: Layout, cells: Cells, *, name: str, title: str, infotext: str, limit: int = FILE_LIMIT
) -> tuple[Attachment, ...]:
    """The finished grids, one a page, each as one file, or as tiles where it does not fit into `limit` bytes."""
    made: list[Attachment] = []
    for page in range(layout.pages):
        files = _fitted(layout, cells, page=page, part=whole(layout), infotext=infotext, limit=limit)
        for number, (data, ending) in enumerate(files, 1):
            tile = f"-tile-{number}" if len(files) > 1 else ""
            page_name = f"-{page + 1}" if layout.pages > 1 else ""
            tiled = f", tile {number} of {len(files)}" if tile else ""
            made.append(Attachment(f"{name}{page_name}{tile}.{ending}", data, _alt(layout, page, title=title) + tiled))
    return tuple(made)


def whole(layout: Layout) -> Part:
    """All rows and columns."""
    return Part(0, layout.rows, 0, layout.columns)


def drawn_part(layout: Layout, cells: Cells, *, page: int, part: Part) -> Image.Image:
    """A part of a page with the legend that belongs to it. A cell without a picture is blank."""
    size = _cell_size(cells)
    blank = Image.new("RGB", size, BLANK)
    there = {layout.places[ordinal]: picture for ordinal, picture in cells.items()}
    shown = [
        there.get((page, row, column), blank)
        for row in range(part.top, part.bottom)
        for column in range(part.left, part.right)
    ]
    grid = image_grid(shown, rows=part.bottom - part.top)
    if min(size) < LEGIBLE:
        return grid
    drawn = annotated(
        grid, size, across=layout.across[part.left : part.right], down=layout.down[part.top : part.bottom]
    )
    title = layout.titles[page : page + 1]
    return annotated(drawn, drawn.size, across=(title,)) if title and title[0].text else drawn


def _cell_size(cells: Cells) -> tuple[int, int]:
    sizes = [picture.size for picture in cells.values()] or [(THUMBNAIL, THUMBNAIL)]
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def _fitted(
    layout: Layout, cells: Cells, *, page: int, part: Part, infotext: str, limit: int
) -> list[tuple[bytes, str]]:
    """Files of at most `limit` bytes with their endings: PNG, else WebP, else two halves."""
    width, height = _cell_size(cells)
    pixels = part.cells * width * height
    if part.cells > 1 and pixels > TILE_PIXELS:
        return _halved(layout, cells, page=page, part=part, infotext=infotext, limit=limit)
    drawn = drawn_part(layout, cells, page=page, part=part)
    if pixels <= PNG_PIXELS:
        data = _encoded(drawn, "PNG", infotext)
        if len(data) <= limit:
            return [(data, "png")]
    while True:
        if max(drawn.size) <= WEBP_SIDE:
            data = _encoded(drawn, "WEBP", exif_with(infotext) if infotext else b"", quality=QUALITY)
            if len(data) <= limit:
                return [(data, "webp")]
        if part.cells > 1:
            return _halved(layout, cells, page=page, part=part, infotext=infotext, limit=limit)
        drawn = drawn.resize((max(1, drawn.width * 3 // 4), max(1, drawn.height * 3 // 4)), Image.Resampling.LANCZOS)


def _halved(
    layout: Layout, cells: Cells, *, page: int, part: Part, infotext: str, limit: int
) -> list[tuple[bytes, str]]:
    return [
        file
        for half in part.halves()
        for file in _fitted(layout, cells, page=page, part=half, infotext=infotext, limit=limit)
    ]


def _encoded(picture: Image.Image, kind: str, text: str | bytes, *, quality: int = QUALITY) -> bytes:
    buffer = io.BytesIO()
    if kind == "PNG":
        info = PngInfo()
        if text:
            info.add_text("parameters", text)
        picture.save(buffer, "PNG", pnginfo=info, compress_level=6)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=4, exif=text)
    return buffer.getvalue()


def _opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
        return opened.convert("RGB")


def _alt(layout: Layout, page: int, *, title: str) -> str:
    shape = f"A grid of {layout.columns} by {layout.rows} pictures"
    titled = layout.titles[page].text if page < len(layout.titles) else ""
    return f"{shape}{': ' + titled if titled else ''}. {title.strip()[:600]}"[:1000]
