"""Where somebody is in their gallery: a shelf and a page, as a button carries them (`recent-2`).

Owns that grammar. Refuses to know what stands on a shelf.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from bot.errors import NotFound

PAGE: Final = 9
"""Pictures on a page: what one contact sheet holds."""


class Shelf(StrEnum):
    """A list of pictures, newest first. The value travels in buttons and stays for good."""

    RECENT = "recent"
    STARRED = "starred"

    @property
    def heading(self) -> str:
        """What its pages are called."""
        return self.value.capitalize()


class Spot(msgspec.Struct, frozen=True):
    """A page (from 1; 0 is the one before the first, where a switched-off button leads) of a shelf."""

    shelf: Shelf
    page: int = 1

    @property
    def argument(self) -> str:
        """As a ticket carries it."""
        return f"{self.shelf.value}-{self.page}"

    @property
    def offset(self) -> int:
        """Pictures that come before it."""
        return (self.page - 1) * PAGE

    def within(self, total: int) -> "Spot":
        """The same, or the nearest page that exists among `total` pictures."""
        return Spot(self.shelf, max(1, min(self.page, page_count(total))))


_ARGUMENT: Final = re.compile(rf"(?P<shelf>{'|'.join(Shelf)})-(?P<page>[0-9]{{1,9}})", re.ASCII)


def read_spot(argument: str) -> Spot:
    """The spot that `argument` means. Raises NotFound for what is none."""
    found = _ARGUMENT.fullmatch(argument)
    if found is None:
        raise NotFound("This page is from a version of Easel that knew other pages; use `/gallery open` for a new one.")
    return Spot(Shelf(found["shelf"]), int(found["page"]))


def page_count(total: int) -> int:
    """Pages that `total` pictures fill; an empty shelf has one, empty."""
    return max(1, -(-total // PAGE))
