"""Tiles that overlap, sewn into one picture as the webui's combine_grid does it: row after row, each over the last by a ramp.

Owns the joining alone, in 8 bits: a picture of any size costs its own memory and that of one row.
"""

import numpy as np
from PIL import Image


class Quilt:
    """A picture of `size` (width, height) in the making. Tiles come row after row, from left to right.

    Over its first `overlap` pixels a tile shines through more and more, whatever lay there before.
    """

    def __init__(self, size: tuple[int, int], overlap: int) -> None:
        self._whole = Image.new("RGB", size)
        self._overlap = overlap
        self._row: Image.Image | None = None
        self._top = 0

    def lay(self, tile: Image.Image, left: int, top: int) -> None:
        """Add RGB `tile` with its corner at (`left`, `top`) in pixels."""
        if self._row is None or top != self._top:
            self._sew()
            self._row, self._top = Image.new("RGB", (self._whole.width, tile.height)), top
        self._row.paste(tile, (left, 0), None if left == 0 else _ramp(tile.size, self._overlap, across=True))

    def finished(self) -> Image.Image:
        """The whole picture; nothing may be added after."""
        self._sew()
        return self._whole

    def _sew(self) -> None:
        if self._row is not None:
            mask = None if self._top == 0 else _ramp(self._row.size, self._overlap, across=False)
            self._whole.paste(self._row, (0, self._top), mask)
        self._row = None


def _ramp(size: tuple[int, int], overlap: int, *, across: bool) -> Image.Image:
    """Grey of `size`: from black up to white over the first `overlap` columns (or rows), white from there on."""
    levels = np.full(size[0] if across else size[1], 255, dtype=np.uint8)
    rising = np.arange(min(overlap, len(levels)), dtype=np.float32) * 255 / max(overlap, 1)
    levels[: len(rising)] = rising.astype(np.uint8)
    return Image.fromarray(levels[None] if across else levels[:, None]).resize(size, Image.Resampling.NEAREST)
