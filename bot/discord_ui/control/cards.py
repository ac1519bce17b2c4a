"""The card of a sheet: the maps, their settings, and the ways on. Facts in, `Reply` out; pure.

Owns its words and buttons. Refuses to know where maps come from.
"""

from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket, base36
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.markup import code, plain, shorten
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Part, Picture, Reply, Row, Style, Text
from bot.requests.control_lines import kind_of, map_alt
from bot.requests.controls import MODES, RESIZES
from inference.api.control import ControlUnit

PROMPT_SHOWN: Final = 300
NOTES: Final = 3
_ROW: Final = 5


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A control on a card. `bench` is its bench, `webp` its map as the channel gets it, `size` (width, height) its picture's.

    `trouble` says in a sentence why there is no map, `note` what is to be known of its picture, `where` the only places that it
    steers.
    """

    bench: int
    unit: ControlUnit
    name: str = ""
    webp: bytes = b""
    size: tuple[int, int] = (0, 0)
    trouble: str = ""
    note: str = ""
    where: str = ""


class SheetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a card shows. `canvas` is the picture's size; `together` are benches of pictures of the same message, of which the
    control on bench `at` follows `present`; `most` is how many controls there may be."""

    number: int
    prompt: str
    model: str
    canvas: tuple[int, int]
    shown: tuple[Shown, ...]
    together: tuple[int, ...] = ()
    most: int = 10


def sheet_card(facts: SheetFacts) -> Reply:
    """The maps as they will be followed, what is set, and the ways on."""
    pictures = tuple(
        (f"map-{number}.webp", each.webp, map_alt(each.unit, number=number, name=each.name))
        for number, each in enumerate(facts.shown, 1)
        if each.webp
    )
    parts: list[Part] = [Text(_words(facts))]
    if pictures:
        parts.append(Gallery(tuple(Picture(name, alt) for name, _, alt in pictures)))
    parts += [Text(f"-# {plain(note, limit=400)}") for note in _notes(facts)]
    parts += _rows(facts)
    files = tuple(Attachment(name, data, alt) for name, data, alt in pictures)
    return Reply(parts=tuple(parts), files=files, accent=ACCENT)


def unit_line(unit: ControlUnit, *, number: int, where: str = "") -> str:
    """A control's settings in a line or two of markdown; `where` are the only places that it steers."""
    size = _resolution(unit)
    thresholds = "/".join(
        f"{value:g}" for value in (unit.preprocessor.threshold_a, unit.preprocessor.threshold_b) if value
    )
    seen = "".join(f" · {each}" for each in (size, thresholds) if each)
    only = f" · {plain(where, limit=60)} only" if where else ""
    return (
        f"**{number}.** {plain(kind_of(unit))}{seen} · {code(unit.model, limit=60)}{only}\n-# weight {unit.weight:g} · from "
        f"{unit.start:g} to {unit.end:g} of the steps · {MODES[unit.mode]} · {RESIZES[unit.resize_mode]}"
    )


def _resolution(unit: ControlUnit) -> str:
    if unit.preprocessor.pixel_perfect:
        return "pixel perfect"
    return f"{unit.preprocessor.resolution} px" if unit.preprocessor.resolution else ""


def _words(facts: SheetFacts) -> str:
    width, height = facts.canvas
    prompt = plain(facts.prompt, limit=PROMPT_SHOWN) or "No words yet: “Paint” asks for them."
    lines = [
        f"### Control\n{prompt}\n-# {code(facts.model, limit=60)} · {width} × {height} px",
        *(unit_line(each.unit, number=number, where=each.where) for number, each in enumerate(facts.shown, 1)),
    ]
    if not facts.shown:
        lines.append("No control is left; add one, or cancel.")
    return "\n".join(lines)


def _notes(facts: SheetFacts) -> list[str]:
    many = len(facts.shown) > 1
    told = [
        f"{f'{number}. ' if many else ''}{each.trouble or each.note}"
        for number, each in enumerate(facts.shown, 1)
        if each.trouble or each.note
    ]
    more = len(told) - NOTES
    return told[:NOTES] + ([f"… and {more} more."] if more > 0 else [])


def _rows(facts: SheetFacts) -> list[Row]:
    ready = bool(facts.shown) and not any(each.trouble for each in facts.shown)
    first = [
        _button(Action.CONTROL_PAINT, facts.number, label="Paint", emoji="🎨", style="success", disabled=not ready),
        _button(Action.CONTROL_WORDS, facts.number, label="Words", emoji="✏️", disabled=not facts.shown),
        _button(
            Action.CONTROL_ADD,
            facts.number,
            label="Another control",
            emoji="➕",
            disabled=len(facts.shown) >= facts.most,
        ),
        _button(Action.CONTROL_CANCEL, facts.number, label="Cancel", style="danger"),
    ]
    rows = [Row(tuple(first))]
    if len(facts.shown) == 1:
        rows.append(Row(_ways(facts.number, facts.shown[0].bench)))
    elif facts.shown:
        rows += _many(facts)
    if len(facts.together) > 1 and facts.shown:
        rows.append(Row((_others(facts),)))
    return rows


def _ways(number: int, bench: int) -> tuple[Button, ...]:
    """What can be done with the only control."""
    about = base36(bench)
    return (
        _button(Action.CONTROL_CHANGE, number, about, label="Change", emoji="🎚️"),
        _button(Action.CONTROL_PICTURE, number, about, label="Use another picture", emoji="🖼️"),
    )


def _many(facts: SheetFacts) -> list[Row]:
    """A menu for each thing that can be done with one of several, and a button that takes each out."""
    choices = [
        (shorten(f"{number}. {kind_of(each.unit)}", limit=90), base36(each.bench), shorten(each.unit.model, limit=90))
        for number, each in enumerate(facts.shown, 1)
    ]
    menus = [
        Row(
            (
                Menu(
                    custom_id=Ticket(action, facts.number).custom_id,
                    choices=tuple(Choice(*choice) for choice in choices),
                    placeholder=words,
                ),
            )
        )
        for action, words in (
            (Action.CONTROL_CHANGE, "Change a control"),
            (Action.CONTROL_PICTURE, "Another picture for"),
        )
    ]
    buttons = [
        _button(Action.CONTROL_REMOVE, facts.number, base36(each.bench), label=f"Remove {number}", emoji="✖️")
        for number, each in enumerate(facts.shown, 1)
    ]
    return [*menus, *(Row(tuple(buttons[at : at + _ROW])) for at in range(0, len(buttons), _ROW))]


def _others(facts: SheetFacts) -> Menu:
    """The pictures of the message from which the last control's came."""
    last = facts.shown[-1].bench
    choices = tuple(
        Choice(f"Picture {number}", f"{base36(last)}.{base36(each)}") for number, each in enumerate(facts.together, 1)
    )
    return Menu(
        custom_id=Ticket(Action.CONTROL_OTHER, facts.number).custom_id,
        choices=choices,
        placeholder="Another picture of the message",
    )


def _button(
    action: Action,
    number: int,
    argument: str = "",
    *,
    label: str,
    emoji: str = "",
    style: Style = "secondary",
    disabled: bool = False,
) -> Button:
    ticket = Ticket(action, number, argument)
    return Button(custom_id=ticket.custom_id, label=label, emoji=emoji, style=style, disabled=disabled)
