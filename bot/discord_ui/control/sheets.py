"""A sheet of controls: what somebody wants painted, and the controls that shall steer it, each on a bench with its picture.

Owns how a sheet lies in the memory, so that its card works after a restart and presses in a hurry all count. Refuses to know
what a card says and how a map is made. A control with a picture of ours holds its id alone: a deleted picture is gone here too.
"""

from typing import Final

import msgspec

from bot.discord_ui.brought import IMAGE, NAME, bench_of, pixels_on
from bot.discord_ui.desk import Desk
from bot.discord_ui.uploads import Upload
from bot.errors import LimitReached, NotAllowed, NotFound
from bot.requests.drafts import ImagineDraft
from inference.api.control import ControlUnit
from storage.errors import Missing
from storage.values import Bench

SHEET, UNIT, MAP = "control", "unit", "map"
"""Kinds of benches: a sheet, a control with its picture, and the map of one."""
_DRAFT, _BASE, _UNITS, _UNIT, _MAP, _MADE, _TOGETHER, _WHERE = (
    "draft",
    "base",
    "units",
    "unit",
    "map",
    "made",
    "together",
    "where",
)
GONE: Final = "That was put away: controls are kept for a week. Use /control again."
_NOT_YOURS: Final = "That card is somebody else's; use /control for one of your own."
_drafts: Final = msgspec.json.Decoder(ImagineDraft)
_units: Final = msgspec.json.Decoder(ControlUnit)


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that a control shall follow: its bytes, or the id of one of ours. `together` are benches of pictures that came
    in the same message, and `where` (places by name) is the only part of the picture that it shall steer; empty: all."""

    upload: Upload
    name: str = ""
    image: int | None = None
    together: tuple[int, ...] = ()
    where: str = ""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A control on a sheet. `map` is the bench of its map (0: none yet), `made` says of which settings that was made, `where`
    names the only places that it steers."""

    bench: Bench
    unit: ControlUnit
    name: str = ""
    map: int = 0
    made: str = ""
    together: tuple[int, ...] = ()
    where: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on a card. With a `base` (a picture's id) that picture is painted again, else what `draft` says."""

    number: int
    person: int
    draft: ImagineDraft
    base: int | None
    held: tuple[Held, ...]

    def control(self, bench: int) -> Held:
        """The control on that bench. Raises NotFound when it was taken out."""
        found = next((held for held in self.held if held.bench.id == bench), None)
        if found is None:
            raise NotFound("That control was taken out, or put away; look at the card again.")
        return found


async def begin(desk: Desk, draft: ImagineDraft, *, person: int, base: int | None = None) -> Sheet:
    """An empty sheet."""
    said = {_DRAFT: msgspec.json.encode(draft).decode(), _BASE: "" if base is None else str(base)}
    bench = await desk.db.benches.add(person=person, kind=SHEET, said=said, now=desk.now())
    return Sheet(number=bench.id, person=person, draft=draft, base=base, held=())


async def sheet_on(desk: Desk, number: int, *, person: int) -> Sheet:
    """The sheet on a bench. Raises NotFound when it was put away, NotAllowed where it is somebody else's."""
    bench = await desk.db.benches.get(number)
    if bench is None or bench.kind != SHEET:
        raise NotFound(GONE)
    if bench.person != person:
        raise NotAllowed(_NOT_YOURS)
    marks = sorted(int(mark) for mark in bench.said.get(_UNITS, "").split(",") if mark)
    units = [await desk.db.benches.get(mark) for mark in marks]
    return Sheet(
        number=number,
        person=person,
        draft=_drafts.decode(bench.said[_DRAFT]),
        base=int(bench.said[_BASE]) if bench.said.get(_BASE) else None,
        held=tuple(_held(unit) for unit in units if unit is not None),
    )


async def put(desk: Desk, sheet: Sheet, unit: ControlUnit, brought: Brought) -> Sheet:
    """One control more. Raises LimitReached."""
    most = desk.settings.limits.controls
    if len(sheet.held) >= most:
        raise LimitReached(f"A picture may follow {most} controls at most here; take one out first.")
    said = {_UNIT: _json(unit)} | _about(brought)
    picture = None if brought.image is not None else brought.upload.data
    bench = await desk.db.benches.add(person=sheet.person, kind=UNIT, said=said, now=desk.now(), picture=picture)
    await _toggle(desk, sheet, bench.id)
    return await sheet_on(desk, sheet.number, person=sheet.person)


async def change(desk: Desk, sheet: Sheet, held: Held, unit: ControlUnit) -> Sheet:
    """Other settings for a control, with the same picture."""
    await _say(desk, held.bench.id, {_UNIT: _json(unit)})
    return await sheet_on(desk, sheet.number, person=sheet.person)


async def exchange(desk: Desk, sheet: Sheet, held: Held, brought: Brought) -> Sheet:
    """Another picture for a control, with the same settings; it goes to the end of the list."""
    unit = msgspec.structs.replace(held.unit, picture=brought.upload.sha)
    together = brought.together or held.together
    follows = msgspec.structs.replace(brought, together=together, where=held.where)
    return await put(desk, await take(desk, sheet, held), unit, follows)


async def take(desk: Desk, sheet: Sheet, held: Held) -> Sheet:
    """One control less."""
    await _toggle(desk, sheet, held.bench.id)
    await desk.db.benches.remove((held.bench.id, held.map), person=sheet.person)
    return await sheet_on(desk, sheet.number, person=sheet.person)


async def tear(desk: Desk, sheet: Sheet) -> None:
    """Put everything away."""
    numbers = [number for held in sheet.held for number in (held.bench.id, held.map)]
    await desk.db.benches.remove((sheet.number, *numbers), person=sheet.person)


async def keep_map(desk: Desk, held: Held, data: bytes, *, made: str) -> Held:
    """Keep the map of a control, made of the settings `made`; an older one goes."""
    bench = await desk.db.benches.add(person=held.bench.person, kind=MAP, said={}, now=desk.now(), picture=data)
    await _say(desk, held.bench.id, {_MAP: str(bench.id), _MADE: made})
    await desk.db.benches.remove((held.map,), person=held.bench.person)
    return msgspec.structs.replace(held, map=bench.id, made=made)


async def picture_of(desk: Desk, held: Held) -> Upload:
    """The picture that a control follows. Raises NotFound when it is gone."""
    return await pixels_on(desk, held.bench)


async def brought_on(desk: Desk, number: int, *, together: tuple[int, ...] = ()) -> Brought:
    """The picture on a bench that the menus made. Raises NotFound when it was put away."""
    bench = await bench_of(desk, number)
    own = bench.said.get(IMAGE)
    return Brought(
        upload=await pixels_on(desk, bench),
        name=bench.said.get(NAME, ""),
        image=int(own) if own else None,
        together=together,
    )


def _held(bench: Bench) -> Held:
    said = bench.said
    return Held(
        bench=bench,
        unit=_units.decode(said[_UNIT]),
        name=said.get(NAME, ""),
        map=int(said.get(_MAP, "0")),
        made=said.get(_MADE, ""),
        together=tuple(int(each) for each in said.get(_TOGETHER, "").split(",") if each),
        where=said.get(_WHERE, ""),
    )


def _about(brought: Brought) -> dict[str, str]:
    said = {NAME: brought.name, _TOGETHER: ",".join(map(str, brought.together)), _WHERE: brought.where}
    return said if brought.image is None else said | {IMAGE: str(brought.image)}


def _json(unit: ControlUnit) -> str:
    return msgspec.json.encode(unit).decode()


async def _say(desk: Desk, bench: int, said: dict[str, str]) -> None:
    try:
        await desk.db.benches.say(bench, said)
    except Missing as error:
        raise NotFound(GONE) from error


async def _toggle(desk: Desk, sheet: Sheet, bench: int) -> None:
    try:
        await desk.db.benches.toggle(sheet.number, _UNITS, str(bench))
    except Missing as error:
        raise NotFound(GONE) from error
