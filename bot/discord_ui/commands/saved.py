"""What people keep under a name (styles, seeds): how a name is read, and how a long list is shown a page at a time. Pure.

Owns the rules of names and pages. Refuses to know what is kept.
"""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from bot.errors import LimitReached, RequestRefused

NAME: Final = 80
"""Characters of a name at most."""
PAGE: Final = 10
"""Things on a page of a list."""
_UNSEEN: Final = frozenset("CZM")
"""Unicode's control, separator and mark characters: a name of these alone could not be seen."""

T = TypeVar("T")


class Paged(msgspec.Struct, Generic[T], frozen=True):
    """The `shown` things of page `number` (from 1) of `pages`; there are `total` in all."""

    shown: tuple[T, ...]
    number: int
    pages: int
    total: int


def paged(things: Sequence[T], number: int, *, size: int = PAGE) -> Paged[T]:
    """Page `number` of `things`, or the nearest that there is."""
    pages = max(1, -(-len(things) // size))
    number = max(1, min(number, pages))
    return Paged(tuple(things[(number - 1) * size : number * size]), number, pages, len(things))


def read_name(text: str) -> str:
    """The name that `text` means, white space made single. Raises RequestRefused unless it has 1 to 80 characters."""
    name = " ".join(text.split())
    if all(unicodedata.category(sign)[0] in _UNSEEN for sign in name):
        raise RequestRefused(f"A name needs something that can be seen: 1 to {NAME} characters.")
    if len(name) > NAME:
        raise RequestRefused(f"A name may have at most {NAME} characters; this one has {len(name):,}.")
    return name


def check_room(kept: Collection[str], name: str, *, noun: str, most: int) -> None:
    """Raise LimitReached when `name` would be one more than a person may keep; what is kept already may be changed."""
    if len(kept) >= most and name.casefold() not in {each.casefold() for each in kept}:
        raise LimitReached(f"You keep {len(kept)} {noun}s, and {most} is the most. Delete one that you do not need.")
