"""A server's own list of words that are not painted there: what an entry may be, and which one a text meets.

Owns the little pattern language: plain words in a row, with `*` for any letters inside a word. Nothing that people write here
can take long: there are no regular expressions, and every entry is looked at once a word. Texts are normalised by `readings`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import shown
from bot.requests.readings import Words, folded, readings, rows_of_letters, unparted

MOST: Final = 300
"""Entries that a server may have."""
LENGTH: Final = 60
"""Characters of an entry."""
_PIECE: Final = re.compile(r"[^\W_*]*(?:\*[^\W_*]*)*")


class Hit(msgspec.Struct, frozen=True):
    """What was found: the entry as it was written, and the words of the text as they were understood."""

    entry: str
    words: str


def read_entry(text: str) -> str:
    """An entry as it is kept. Raises RequestRefused for one that could not be meant."""
    entry = " ".join(text.split())
    if not entry or len(entry) > LENGTH:
        raise RequestRefused(f"An entry has 1 to {LENGTH} characters; this one has {len(entry):,}.")
    words = _pieces(entry)
    if not words:
        raise RequestRefused("An entry needs letters or digits, such as “spider” or “big spider*”.")
    if any(len(word.replace("*", "")) < 2 and "*" in word for word in words):
        raise RequestRefused(f"“{shown(entry)}” would meet nearly everything; give each * at least two letters.")
    return entry


def added(entries: Sequence[str], entry: str) -> tuple[str, ...]:
    """The list with one more. Raises RequestRefused where it is there already, LimitReached where the list is full."""
    wanted = _pieces(entry)
    if any(_pieces(each) == wanted for each in entries):
        raise RequestRefused(f"“{shown(entry)}” is in the list already.")
    if len(entries) >= MOST:
        raise LimitReached(f"The list has {len(entries)} entries, and {MOST} is the most. Remove one first.")
    return (*entries, entry)


def removed(entries: Sequence[str], entry: str) -> tuple[str, ...]:
    """The list without one. Raises RequestRefused where it is not there."""
    wanted = _pieces(entry)
    kept = tuple(each for each in entries if _pieces(each) != wanted)
    if len(kept) == len(entries):
        raise RequestRefused(f"“{shown(entry)}” is not in the list; it is suggested while you type.")
    return kept


def find(entries: Sequence[str], text: str) -> Hit | None:
    """The first reading of `text` that meets an entry; None where none does. Linear in the text's length."""
    if not entries:
        return None
    looked = _compiled(tuple(entries))
    for words in readings(text):
        hit = looked.first_in(words)
        if hit is not None:
            return hit
    return None


class _Looked:
    """Entries, by their first word where that is plain."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._plain: dict[str, list[tuple[str, Words]]] = {}
        self._wild: list[tuple[str, Words]] = []
        self._anywhere: list[tuple[str, str]] = []
        self._spelled: list[tuple[str, str]] = []
        for entry in entries:
            words = _pieces(entry)
            if any(unparted(word) for word in words):
                self._anywhere.append((entry, " ".join(words).replace("*", "")))
            elif words and "*" in words[0]:
                self._wild.append((entry, words))
            elif words:
                self._plain.setdefault(words[0], []).append((entry, words))
                if len(words) == 1 and len(words[0]) > 2:
                    self._spelled.append((entry, words[0]))

    def first_in(self, words: Words) -> Hit | None:
        """The first entry that is met."""
        beginning: dict[str, list[tuple[str, Words]]] = {}
        for at, word in enumerate(words):
            if word not in beginning:
                wild = [each for each in self._wild if _fits(each[1][0], word)]
                beginning[word] = [*self._plain.get(word, ()), *wild]
            for entry, wanted in beginning[word]:
                met = words[at : at + len(wanted)]
                if len(met) == len(wanted) and all(map(_fits, wanted, met)):
                    return Hit(entry, " ".join(met))
        for letters in rows_of_letters(words) if self._spelled else ():
            for entry, word in self._spelled:
                if word in letters:
                    return Hit(entry, " ".join(word))
        text = " ".join(words) if self._anywhere else ""
        return next((Hit(entry, term) for entry, term in self._anywhere if term in text), None)


@lru_cache(maxsize=64)
def _compiled(entries: tuple[str, ...]) -> _Looked:
    return _Looked(entries)


def _pieces(entry: str) -> tuple[str, ...]:
    """The words of an entry, as texts are read; `*` stays."""
    return tuple(piece for piece in _PIECE.findall(folded(entry)) if piece.replace("*", ""))


def _fits(pattern: str, word: str) -> bool:
    """Whether `word` is `pattern`, in which each * stands for any letters or none."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == word
    last = middle.pop()
    if len(word) < len(first) + len(last) or not (word.startswith(first) and word.endswith(last)):
        return False
    at, end = len(first), len(word) - len(last)
    for part in middle:
        found = word.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
