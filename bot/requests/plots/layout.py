"""Where the cells of a series stand on its grids, and what is written beside them.

Owns the arrangement as a value that is kept in the database, and the webui's rule for a grid without axes. Refuses to know
pixels. Pages count what the Z axis tells apart: each is a grid of its own.
"""

import math
from collections.abc import Mapping
from typing import Final

import msgspec


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text beside a row or above a column; one that is not `active` is grey and struck out."""

    text: str
    active: bool = True


Legend = tuple[tuple[Mark, ...], ...]
"""For each column (or row) the marks that stand above (or beside) it, from the top."""


class Layout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`places` has (page, row, column) for each cell in the order of painting, all from 0.

    `across` has an entry a column, `down` a row, `titles` a page; empty ones stand for no legend. `facts` go into the grid's
    parameter text.
    """

    columns: int
    rows: int
    pages: int = 1
    places: tuple[tuple[int, int, int], ...]
    across: Legend = ()
    down: Legend = ()
    titles: tuple[Mark, ...] = ()
    words: tuple[str, ...] = ()
    facts: Mapping[str, str] = {}


_DECODER: Final = msgspec.json.Decoder(Layout)


def to_text(layout: Layout) -> str:
    """As it is kept."""
    return msgspec.json.encode(layout).decode()


def from_text(text: str) -> Layout:
    """What `to_text` wrote. Raises msgspec.MsgspecError."""
    return _DECODER.decode(text)


def grid_shape(count: int, *, rows: int | None = None, even: bool = False) -> tuple[int, int]:
    """Rows and columns of a grid of `count` pictures (webui, `image_grid`): about as many of one as of the other.

    `rows` asks for so many, of which there are never more than pictures; `even` leaves no place empty.
    """
    if rows is None:
        rows = _even_rows(count) if even else round(math.sqrt(count))
    rows = max(1, min(rows, count))
    return rows, math.ceil(count / rows)


def plain_layout(count: int) -> Layout:
    """`count` cells in reading order, without a legend."""
    rows, columns = grid_shape(count)
    places = tuple((0, index // columns, index % columns) for index in range(count))
    return Layout(columns=columns, rows=rows, places=places)


def _even_rows(count: int) -> int:
    rows = math.floor(math.sqrt(count))
    while count % rows:
        rows -= 1
    return rows
