"""What Discord refuses and discord.py lets through, checked before anything is sent.

Owns the limits of messages, components and forms as Discord documents them. Works on payloads, so that it sees what is
sent and not what was meant. A failure here is a mistake of ours, never of the person who asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.discord_ui.reply import Attachment

Payload = Mapping[str, Any]

CUSTOM_ID: Final = 100
OPTIONS: Final = 25
GALLERY: Final = 10
FILES: Final = 10
TEXT: Final = 4000
"""Characters of all text of one Components V2 message together."""
COMPONENTS: Final = 40
ROW: Final = 5
FORM_FIELDS: Final = 5
FORM_TITLE: Final = 45
LABEL: Final = 80
OPTION_TEXT: Final = 100
ALT_TEXT: Final = 1024
CONTENT: Final = 2000
REQUEST_BYTES: Final = 25 * 2**20
"""Bytes of one request, all files together."""
_ACTION_ROW, _BUTTON, _SELECT, _TEXT_DISPLAY, _GALLERY, _LABEL = 1, 2, 3, 10, 12, 18
_MENUS: Final = frozenset({3, 5, 6, 7, 8})


class TooMuch(ValueError):
    """Something is more than Discord takes; says what, how much and what would be right."""


def check_components(components: Sequence[Payload]) -> None:
    """Raise TooMuch where the components of one Components V2 message break a limit."""
    everything = list(_walk(components))
    _at_most(COMPONENTS, len(everything), "components in a message")
    text = sum(len(part.get("content", "")) for part in everything if part["type"] == _TEXT_DISPLAY)
    _at_most(TEXT, text, "characters of text in a message")
    for part in everything:
        _check_component(part)
    _check_unique([part["custom_id"] for part in everything if "custom_id" in part])


def check_form(form: Payload) -> None:
    """Raise TooMuch where a form (title, custom_id, components) breaks a limit."""
    _between(1, FORM_TITLE, len(form["title"]), "characters in the title of a form")
    _between(1, CUSTOM_ID, len(form["custom_id"]), "characters in the custom_id of a form")
    _between(1, FORM_FIELDS, len(form["components"]), "fields in a form")
    everything = list(_walk(form["components"]))
    for part in everything:
        if part["type"] == _LABEL:
            _between(1, FORM_TITLE, len(part["label"]), "characters in the label of a field")
            _at_most(OPTION_TEXT, len(part.get("description") or ""), "characters in the description of a field")
        _check_component(part)
    _check_unique([part["custom_id"] for part in everything if "custom_id" in part])


def check_files(files: Sequence[Attachment]) -> None:
    """Raise TooMuch where the files of one message are too many, too large together, or share a name."""
    _at_most(FILES, len(files), "files in a message")
    _at_most(REQUEST_BYTES, sum(len(file.data) for file in files), "bytes of files in a message")
    for file in files:
        _at_most(ALT_TEXT, len(file.description), "characters of alt text")
    if len({file.name for file in files}) < len(files):
        raise TooMuch("Two files of a message have the same name; a card could not tell them apart.")


def check_message(payload: Payload) -> None:
    """Raise TooMuch where a whole message mixes what excludes each other, or says too much."""
    layout = any(part["type"] != _ACTION_ROW for part in payload.get("components") or ())
    if layout and (payload.get("content") or payload.get("embeds") or payload.get("poll")):
        raise TooMuch("A Components V2 message carries no content, embeds or poll beside its components.")
    _at_most(CONTENT, len(payload.get("content") or ""), "characters in a message")
    if payload.get("components"):
        check_components(payload["components"])


def _check_component(part: Payload) -> None:
    kind = part["type"]
    if "custom_id" in part:
        _between(1, CUSTOM_ID, len(part["custom_id"]), "characters in a custom_id")
    if kind == _ACTION_ROW:
        _check_row(part["components"])
    elif kind == _BUTTON:
        _at_most(LABEL, len(part.get("label") or ""), "characters on a button")
    elif kind == _GALLERY:
        _between(1, GALLERY, len(part["items"]), "pictures in a gallery")
        for item in part["items"]:
            _at_most(ALT_TEXT, len(item.get("description") or ""), "characters of alt text")
    elif kind == _SELECT or "options" in part:
        _check_options(part["options"])


def _check_row(items: Sequence[Payload]) -> None:
    _between(1, ROW, len(items), "buttons in a row")
    if len(items) > 1 and any(item["type"] in _MENUS for item in items):
        raise TooMuch("A menu takes a whole row; it shares one here.")


def _check_options(options: Sequence[Payload]) -> None:
    _between(1, OPTIONS, len(options), "options in a menu")
    for option in options:
        _between(1, OPTION_TEXT, len(option["label"]), "characters in the label of an option")
        _between(1, OPTION_TEXT, len(option["value"]), "characters in the value of an option")
        _at_most(OPTION_TEXT, len(option.get("description") or ""), "characters in the description of an option")
    if len({option["value"] for option in options}) < len(options):
        raise TooMuch("Two options of a menu have the same value; the answer would be ambiguous.")


def _check_unique(ids: Sequence[str]) -> None:
    twice = sorted({custom_id for custom_id in ids if ids.count(custom_id) > 1})
    if twice:
        raise TooMuch(f"Each custom_id may stand once in a message; {twice[0]} stands there more often.")


def _walk(components: Sequence[Payload]) -> Iterator[Payload]:
    """Every component, depth first: containers, sections with their accessory, rows and labels are opened."""
    for part in components:
        yield part
        yield from _walk(part.get("components") or ())
        yield from _walk([part[key] for key in ("component", "accessory") if part.get(key)])


def _at_most(limit: int, count: int, what: str) -> None:
    _between(0, limit, count, what)


def _between(low: int, high: int, count: int, what: str) -> None:
    if not low <= count <= high:
        raise TooMuch(f"Discord takes {low:,} to {high:,} {what}; here are {count:,}.")
