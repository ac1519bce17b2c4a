"""The maps on a sheet: made where they are missing or are of other settings, and kept beside their control.

Owns when a map must be made anew. A picture that is a map already (the kind “none”) is shown as it is. How a preprocessor works
is the painter's to know.
"""

from typing import Final, Literal

import msgspec

from bot.discord_ui.control.sheets import Held, Sheet, keep_map, picture_of
from bot.discord_ui.desk import Desk
from bot.errors import NotFound, RequestRefused
from inference.api.control import MAX_RESOLUTION, NO_PREPROCESSOR, ControlUnit, Preprocessor, PreprocessRequest
from inference.api.request import Canvas
from storage.errors import Missing

LEAST: Final = 64
"""Pixels of a map's short side at least."""
_FILL: Final = 2
"""The resize mode that fits a picture inside."""


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """A control and what it follows, as a PNG; `size` (width, height) is its picture's. Where there is nothing to show,
    `trouble` is the sentence that says why."""

    held: Held
    png: bytes = b""
    size: tuple[int, int] = (0, 0)
    trouble: str = ""


async def mapped(desk: Desk, sheet: Sheet, canvas: Canvas, *, guild: int | None) -> tuple[Mapped, ...]:
    """Every control of `sheet` with its map for `canvas`; one that cannot be made hides no other. Raises BackendUnavailable."""
    return tuple([await _mapped_or_told(desk, held, canvas, guild=guild) for held in sheet.held])


def seen_at(unit: ControlUnit, *, picture: tuple[int, int], canvas: Canvas) -> Preprocessor:
    """The preprocessor of `unit` with its resolution settled: a pixel-perfect one is the canvas's (ControlNet extension).

    `picture` is (width, height): the map's short side is the picture's, as it lies on the canvas.
    """
    chosen = unit.preprocessor
    if not chosen.pixel_perfect:
        return chosen
    resolution = _pixel_perfect(picture, (canvas.width, canvas.height), unit.resize_mode)
    return msgspec.structs.replace(chosen, pixel_perfect=False, resolution=resolution)


def _pixel_perfect(picture: tuple[int, int], canvas: tuple[int, int], resize_mode: Literal[0, 1, 2]) -> int:
    across, down = canvas[0] / picture[0], canvas[1] / picture[1]
    scale = min(across, down) if resize_mode == _FILL else max(across, down)
    return min(MAX_RESOLUTION, max(LEAST, round(scale * min(picture))))


async def _mapped_or_told(desk: Desk, held: Held, canvas: Canvas, *, guild: int | None) -> Mapped:
    try:
        return await _mapped(desk, held, canvas, guild=guild)
    except (NotFound, RequestRefused) as error:
        return Mapped(held=held, trouble=error.sentence)


async def _mapped(desk: Desk, held: Held, canvas: Canvas, *, guild: int | None) -> Mapped:
    picture = await picture_of(desk, held)
    if held.unit.preprocessor.id == NO_PREPROCESSOR:
        return Mapped(held=held, png=picture.data, size=picture.size)
    preprocessor = seen_at(held.unit, picture=picture.size, canvas=canvas)
    made = msgspec.json.encode(preprocessor).decode()
    if held.map and held.made == made:
        try:
            return Mapped(held=held, png=await desk.db.benches.data(held.map), size=picture.size)
        except Missing:
            pass  # put away before the control: it is made again
    png = await desk.maps.make(
        PreprocessRequest(picture=picture.sha, preprocessor=preprocessor),
        picture=picture.data,
        person=held.bench.person,
        guild=guild,
    )
    return Mapped(held=await keep_map(desk, held, png, made=made), png=png, size=picture.size)


async def map_on(desk: Desk, sha256: str) -> bytes:
    """A map that is kept with a picture. Raises NotFound when it went with that."""
    try:
        return await desk.db.pictures.get(sha256)
    except Missing as error:
        raise NotFound("That map is gone: its picture was deleted.") from error
