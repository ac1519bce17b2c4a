"""Write models/tags/easel.csv. Run: python -m tools.tags.

The form is a1111-sd-webui-tagcomplete's: name, type (0 for everything here), count, aliases. Counts are not counted: a group's
weight, falling from word to word, so that words of one kind keep their order and kinds are mixed sensibly. Besides the words of
`vocabulary.txt` there are what the default model was taught, colours with what has one, places at their times, and the emoji
of Unicode by their character names.
"""

import csv
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Final

from bot.completion.screening import is_for_adults, may_be_suggested
from bot.settings import PROJECT
from tools.default_model.world import BACKGROUNDS, COLOURS, LABELS

Row = tuple[str, int, tuple[str, ...]]

WORDS: Final = Path(__file__).parent / "vocabulary.txt"
LIST: Final = PROJECT / "models" / "tags" / "easel.csv"
_HEADING: Final = re.compile(r"\[([\w ]+) (\d+)\]")
_NAMED: Final = re.compile(r"(.+?) \(([^()]+)\)")
_EMOJI: Final = ((0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF))
_NO_PICTURE: Final = re.compile(
    r"symbol|sign|button|arrow|square|keycap|component|clock face|black |white |heavy|sideways|turned|input|japanese|squared"
    r"|modifier|ballot|pointing|hand with|negative|reversed|raised|fisted|variant|extension|cyclone|with |no |non-|key\b|bullet"
    r"|weary|pile of",
    re.IGNORECASE,
)
_CLARIFIED: Final = frozenset({"animal", "snake", "fruit", "food", "machine"})
"""In brackets behind a word these are no other names, but which of two things is meant."""


def groups() -> dict[str, tuple[int, list[str]]]:
    """The groups of `vocabulary.txt`: their weights and words."""
    found: dict[str, tuple[int, list[str]]] = {}
    words: list[str] = []
    for line in WORDS.read_text("utf-8").splitlines():
        if heading := _HEADING.fullmatch(line):
            words = []
            found[heading[1]] = (int(heading[2]), words)
        elif line.strip() and not line.startswith("#"):
            words += [word.strip() for word in line.split(",")]
    return found


def written() -> Iterator[Row]:
    """Words as they are written down, with their other names."""
    for weight, words in groups().values():
        for rank, word in enumerate(words if weight else ()):
            named = _NAMED.fullmatch(word)
            if named is None or named[2] in _CLARIFIED:
                yield word, _falling(weight, rank), ()
            else:
                yield named[1], _falling(weight, rank), tuple(named[2].split("/"))


def composed() -> Iterator[Row]:
    """Words that are put together of others."""
    parts = {name: words for name, (_, words) in groups().items()}
    yield from _weighed(9_000, (f"{shade} {thing}" for thing, shade in product(parts["shaded"], parts["shade"])))
    yield from _weighed(6_000, (f"{place} {moment}" for place, moment in product(parts["place"], parts["moment"])))
    yield from _weighed(5_000, (f"made of {substance}" for substance in parts["substance"]))
    yield from _weighed(4_500, (f"{manner} style" for manner in parts["manner"]))
    yield from _weighed(8_000, (f"on a {shade} background" for shade in BACKGROUNDS))
    yield from _weighed(7_000, (f"{shade} {label}" for label, shade in product(LABELS, COLOURS)))
    numbered = product((label for label in LABELS if label != "fish"), ("two", "three"))
    yield from _weighed(3_000, (f"{number} {label}s" for label, number in numbered))


def emoji() -> Iterator[Row]:
    """Things that have an emoji, by the names of Unicode's characters."""
    names = (unicodedata.name(chr(code), "") for first, last in _EMOJI for code in range(first, last + 1))
    plain = (name.lower() for name in names if name and not _NO_PICTURE.search(name))
    yield from _weighed(2_000, (name for name in plain if len(name) < 40))


def rows() -> list[Row]:
    """All of it, what is used most first, each name once, and nothing that is not for everybody."""
    found: dict[str, Row] = {}
    for row in (*written(), *composed(), *emoji()):
        known = found.get(row[0].casefold())
        if known is None or row[1] > known[1]:
            found[row[0].casefold()] = row
    safe = (
        row
        for row in found.values()
        if not any(is_for_adults(name) or not may_be_suggested(name) for name in (row[0], *row[2]))
    )
    return sorted(safe, key=lambda row: (-row[1], row[0]))


def _is_for_everybody(name: str) -> bool:
    return may_be_suggested(name) and not is_for_adults(name)


def _weighed(weight: int, names: Iterable[str]) -> Iterator[Row]:
    return ((name, _falling(weight, rank), ()) for rank, name in enumerate(names))


def _falling(weight: int, rank: int) -> int:
    """A word's count: half of its group's weight after fifty words, a third after a hundred."""
    return round(weight * 50 / (50 + rank))


def main() -> None:
    """Write the list."""
    made = rows()
    with LIST.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows((name, 0, count, ",".join(aliases)) for name, count, aliases in made)
    sys.stdout.write(f"{len(made):,} tags, {LIST.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
