"""Where somebody is in a picker and what they do there, as a button carries it: `l.open.2` or `m.mine.1.0f3c…`.

Owns that grammar, and the keys of files: a name may be longer than a button can carry.
"""

import hashlib
import re
from enum import StrEnum
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.errors import NotFound
from inference.api.result import ModelFile


class Shelf(StrEnum):
    """What is browsed. The value travels in buttons and stays for good."""

    LORAS = "l"
    MODELS = "m"

    @property
    def noun(self) -> str:
        """One of them."""
        return "LoRA" if self is Shelf.LORAS else "model"

    @property
    def folder(self) -> str:
        """Where its files go."""
        return "models/Lora" if self is Shelf.LORAS else "models/Stable-diffusion"


class Verb(StrEnum):
    """What a button, menu or form of a picker does. The value travels too."""

    PAGE = "page"
    FAMILY = "family"
    PICK = "pick"
    OPEN = "open"
    FIND = "find"
    FOUND = "found"
    REFRESH = "fresh"
    WEIGHTS = "weigh"
    WEIGHED = "weighed"
    CLEAR = "clear"
    PAINT = "paint"
    PAINTED = "painted"
    TAKE = "take"
    LEAVE = "leave"
    SAMPLE = "sample"
    MINE = "mine"
    UNMINE = "unmine"
    FITS = "fits"


class Spot(msgspec.Struct, frozen=True):
    """A verb on a `page` (from 1; 0 is where a switched-off button leads) of a shelf; `key` is the file it is about."""

    shelf: Shelf
    verb: Verb
    page: int = 1
    key: str = ""

    def ticket(self, person: int) -> Ticket:
        """As a button of this person's picker carries it."""
        parts = (self.shelf.value, self.verb.value, str(self.page), self.key)
        return Ticket(Action.PICKER, person, ".".join(part for part in parts if part))


_ARGUMENT: Final = re.compile(
    rf"(?P<shelf>{'|'.join(Shelf)})\.(?P<verb>{'|'.join(Verb)})\.(?P<page>[0-9]{{1,6}})(?:\.(?P<key>[0-9a-f]{{16}}))?",
    re.ASCII,
)


def read_spot(argument: str) -> Spot:
    """The spot that `argument` means. Raises NotFound for what is none."""
    found = _ARGUMENT.fullmatch(argument)
    if found is None:
        raise NotFound(
            "This page is from a version of Easel that knew other pages; use `/lora browse` or `/model browse`."
        )
    return Spot(Shelf(found["shelf"]), Verb(found["verb"]), int(found["page"]), found["key"] or "")


def key_of(info: ModelFile) -> str:
    """What stands for a file in buttons and menus: sixteen digits made of its path."""
    return hashlib.sha256(info.path.encode(errors="surrogatepass")).hexdigest()[:16]


def sample_key_of(info: ModelFile) -> str:
    """What a sample picture is kept under: the content where it is known, so that a renamed file keeps it."""
    return info.sha256 or hashlib.sha256(info.path.encode(errors="surrogatepass")).hexdigest()
