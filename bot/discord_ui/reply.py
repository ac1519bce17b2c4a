"""What the bot answers, as a value: a card of parts, files and who may be pinged. Frozen, comparable, without discord.

Owns the shapes. `view` makes discord.py's objects of them; `validate` knows Discord's limits.
"""

from typing import Literal

import msgspec

Style = Literal["secondary", "primary", "success", "danger"]


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """A button. `label`, `emoji` or both."""

    custom_id: str
    label: str = ""
    emoji: str = ""
    style: Style = "secondary"
    disabled: bool = False


class Choice(msgspec.Struct, frozen=True):
    """A line of a menu. `chosen`: it is marked from the beginning."""

    label: str
    value: str
    description: str = ""
    emoji: str = ""
    chosen: bool = False


class Menu(msgspec.Struct, frozen=True, kw_only=True):
    """A menu from which `least` to `most` lines are chosen; it takes a row of its own."""

    custom_id: str
    choices: tuple[Choice, ...]
    placeholder: str = ""
    least: int = 1
    most: int = 1


class ChannelMenu(msgspec.Struct, frozen=True, kw_only=True):
    """A menu of the server's channels and threads that hold messages, filled by Discord; one is chosen. In servers only."""

    custom_id: str
    placeholder: str = ""


class Picker(msgspec.Struct, frozen=True, kw_only=True):
    """A menu of the server's channels or roles, filled by Discord; none to `most` are chosen, `chosen` are at first."""

    custom_id: str
    kind: Literal["channels", "roles"]
    chosen: tuple[int, ...] = ()
    placeholder: str = ""
    most: int = 25


class Text(msgspec.Struct, frozen=True):
    """Discord markdown, with everything that people wrote already escaped."""

    markdown: str


class Row(msgspec.Struct, frozen=True):
    """Up to five buttons, or one menu."""

    items: tuple[Button, ...] | tuple[Menu] | tuple[ChannelMenu] | tuple[Picker]


class Picture(msgspec.Struct, frozen=True):
    """A file of the reply, shown; `description` is its alt text. A `spoiler` is seen by who clicks on it."""

    file: str
    description: str
    spoiler: bool = False


class Gallery(msgspec.Struct, frozen=True):
    """Up to ten pictures side by side."""

    pictures: tuple[Picture, ...]


class Rule(msgspec.Struct, frozen=True):
    """A line across the card."""


Part = Text | Row | Gallery | Rule


class Attachment(msgspec.Struct, frozen=True):
    """A file that travels with the reply."""

    name: str
    data: bytes
    description: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `pings` are the only people that it may notify; `accent` is the card's edge, 0xRRGGBB."""

    parts: tuple[Part, ...]
    files: tuple[Attachment, ...] = ()
    pings: tuple[int, ...] = ()
    accent: int | None = None
