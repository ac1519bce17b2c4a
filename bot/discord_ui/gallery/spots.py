"""Where somebody is in their gallery: a shelf and a page, as a button carries them (`recent-2`, `found.1a-3`).

Owns that grammar. Refuses to know what stands on a shelf.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from bot.discord_ui.actions import BASE, base36
from bot.errors import NotFound

PAGE: Final = 9
"""Pictures on a page: what one contact sheet holds."""


class Shelf(StrEnum):
    """A list of pictures. The value travels in buttons and stays for good."""

    RECENT = "recent"
    STARRED = "starred"
    FOUND = "found"
    """What a remembered search finds; the spot's number is the search's."""
    SET = "set"
    """A collection; the number is its id."""
    KIN = "kin"
    """What a picture came from and what was made of it; the number is the picture's."""

    @property
    def heading(self) -> str:
        """What its pages are called where nothing better is known."""
        return self.value.capitalize()


class Spot(msgspec.Struct, frozen=True):
    """A page (from 1; 0 is the one before the first, where a switched-off button leads) of a shelf, and its number if any."""

    shelf: Shelf
    page: int = 1
    number: int = 0

    @property
    def argument(self) -> str:
        """As a ticket carries it."""
        number = f".{base36(self.number)}" if self.number else ""
        return f"{self.shelf.value}{number}-{self.page}"

    @property
    def offset(self) -> int:
        """Pictures that come before it."""
        return (self.page - 1) * PAGE

    def at(self, page: int) -> "Spot":
        """Another page of the same shelf."""
        return Spot(self.shelf, page, self.number)

    def within(self, total: int) -> "Spot":
        """The same, or the nearest page that exists among `total` pictures."""
        return self.at(max(1, min(self.page, page_count(total))))


_ARGUMENT: Final = re.compile(
    rf"(?P<shelf>{'|'.join(Shelf)})(?:\.(?P<number>[0-9a-z]{{1,12}}))?-(?P<page>[0-9]{{1,9}})", re.ASCII
)


def read_spot(argument: str) -> Spot:
    """The spot that `argument` means. Raises NotFound for what is none."""
    found = _ARGUMENT.fullmatch(argument)
    if found is None:
        raise NotFound("This page is from a version of Easel that knew other pages; use `/gallery open` for a new one.")
    return Spot(Shelf(found["shelf"]), int(found["page"]), int(found["number"] or "0", BASE))


def page_count(total: int) -> int:
    """Pages that `total` pictures fill; an empty shelf has one, empty."""
    return max(1, -(-total // PAGE))
