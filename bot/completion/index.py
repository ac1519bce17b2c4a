"""Tags in memory: one row of bytes in the order of their counts, and where in it each word begins, sorted.

Owns the search: a typed text is found where a word of a tag or alias begins (a1111-sd-webui-tagcomplete's rule: at the start
or behind anything that is no letter), or with a leading `*` anywhere; what is used most comes first. 150,000 tags take about
8 MB. Pure; refuses to know where tags come from and where they go.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

MARK: Final = b"\x01"
"""Stands before each beginning of a word."""
SORTED: Final = 32
"""Bytes by which words are sorted."""
FEW: Final = 2_000
"""So many places are put in order; of more the first are soon come upon by looking from the top."""
ANYWHERE: Final = 3
"""Letters behind a `*` at least."""
_BEGINNING: Final = re.compile(r"(?<![^\W\d_])(?=[^\W\d_])|(?<![^\W_])(?=\d)")
_SPACES: Final = re.compile(r"[\s\x00-\x1f]+")
_WORDS: Final = re.compile(r"[^\W\d_]{2}")


class Tag(NamedTuple):
    """A tag: what is inserted, other names for it, and whether it is for adults."""

    name: str
    aliases: tuple[str, ...] = ()
    adult: bool = False


class TagIndex:
    """`tags` in the order in which they are suggested."""

    def __init__(self, tags: Iterable[Tag]) -> None:
        row = bytearray()
        self._starts = array("I")
        self._adult = bytearray()
        for tag in tags:
            self._starts.append(len(row))
            self._adult.append(tag.adult)
            row += b"\t".join(_marked(name) for name in (tag.name, *tag.aliases)) + b"\n"
        self._row = bytes(row)
        self._places = self._sorted_places()

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def size(self) -> int:
        """Bytes of memory."""
        arrays = sum(each.itemsize * len(each) for each in (self._starts, self._places))
        return len(self._row) + arrays + len(self._adult)

    def find(self, typed: str, *, limit: int, adults: bool = False) -> tuple[str, ...]:
        """Up to `limit` tags for `typed`, each once; one that is `typed` itself first. Those for adults only with `adults`."""
        if typed.startswith("*"):
            wanted = _marked(typed[1:])
            wanted = wanted.removeprefix(MARK) if len(typed) > ANYWHERE else b""
        else:
            wanted = MARK + _marked(typed).partition(MARK)[2]
        if len(wanted) < 2:
            return ()
        found: dict[int, str] = {}
        places = self._anywhere(wanted) if typed.startswith("*") else self._beginning(wanted)
        for place in places:
            number = bisect_right(self._starts, place) - 1
            if number in found or (self._adult[number] and not adults):
                continue
            found[number] = self._name(number)
            if len(found) == limit:
                break
        plain = _text(wanted)
        return tuple(sorted(found.values(), key=lambda name: name.casefold() != plain))

    def _name(self, number: int) -> str:
        start = self._starts[number]
        line = self._row[start : self._row.index(b"\n", start)]
        return _text(line.partition(b"\t")[0])

    def _beginning(self, wanted: bytes) -> Iterator[int]:
        """Places at which a word begins with `wanted`, those of the tags that are used most first."""
        row, key = self._row, wanted[:SORTED]
        first = bisect_left(self._places, key, key=lambda place: row[place : place + len(key)])
        behind = bisect_right(self._places, key, lo=first, key=lambda place: row[place : place + len(key)])
        if behind - first > FEW:
            return self._anywhere(wanted)
        return (place for place in sorted(self._places[first:behind]) if row.startswith(wanted, place))

    def _anywhere(self, wanted: bytes) -> Iterator[int]:
        place = self._row.find(wanted)
        while place >= 0:
            yield place
            place = self._row.find(wanted, place + 1)

    def _sorted_places(self) -> "array[int]":
        """Every place of a MARK, sorted by what follows; letter by letter, so that little memory is needed meanwhile."""
        row = self._row
        buckets: defaultdict[int, array[int]] = defaultdict(lambda: array("I"))
        place = row.find(MARK)
        while place >= 0:
            buckets[row[place + 1]].append(place)
            place = row.find(MARK, place + 1)
        places = array("I")
        for letter in sorted(buckets):
            places.extend(sorted(buckets.pop(letter), key=lambda place: row[place : place + SORTED]))
        return places


def _marked(name: str) -> bytes:
    """`name` in lower case, its underscores spaces (but for faces such as ^_^), a MARK where a word begins."""
    spaced = name.replace("_", " ") if _WORDS.search(name) else name
    plain = _SPACES.sub(" ", spaced).lstrip()
    return _BEGINNING.sub(MARK.decode(), plain.lower()).encode("utf-8", "replace")


def _text(marked: bytes) -> str:
    return marked.replace(MARK, b"").decode("utf-8", "replace")
