r"""Braces in a prompt: which of them belong together, and `{red, blue} bird` as one prompt for each.

A group with commas and neither `|` nor `$$` at its own level is a permutation (Midjourney's form, `\,` is a comma of its
own); every other group is left to `bot.requests.dynamic`. Owns the scan, which takes time linear in the text's length.
"""

import re
from collections.abc import Sequence
from itertools import chain, pairwise, product
from math import prod
from typing import Final, NamedTuple

from bot.errors import LimitReached, RequestRefused

DEEPEST: Final = 8
"""Groups inside groups; the libraries that read them call themselves for each."""
_SIGN: Final = re.compile(r"\\,|\$\$|[{}|,]")


class Group(NamedTuple):
    """A pair of braces at `start` and `end`. `opener` is {, ${ or %{; the marks counted are those at its own level."""

    start: int
    end: int
    opener: str
    commas: tuple[int, ...]
    pipes: int
    bounds: int
    depth: int

    @property
    def permutes(self) -> bool:
        """Whether it stands for one prompt for each of its parts."""
        return self.opener == "{" and bool(self.commas) and not self.pipes and not self.bounds


class _Open:
    """A brace that may be closed yet."""

    def __init__(self, start: int, opener: str) -> None:
        self.start, self.opener = start, opener
        self.commas: list[int] = []
        self.pipes = self.bounds = 0


def groups_of(text: str) -> tuple[Group, ...]:
    """Every pair of braces of `text`, in the order in which they close; braces without a partner are none."""
    found: list[Group] = []
    opened: list[_Open] = []
    for sign in _SIGN.finditer(text):
        at, mark = sign.start(), sign[0]
        if mark == "{":
            before = text[at - 1] if at else ""
            opened.append(_Open(at, before + "{" if before in {"$", "%"} else "{"))
        elif opened and mark == "}":
            last = opened.pop()
            found.append(
                Group(last.start, at, last.opener, tuple(last.commas), last.pipes, last.bounds, len(opened) + 1)
            )
        elif opened and mark == ",":
            opened[-1].commas.append(at)
        elif opened and mark == "|":
            opened[-1].pipes += 1
        elif opened and mark == "$$":
            opened[-1].bounds += 1
    return tuple(found)


def check_depth(groups: Sequence[Group]) -> None:
    """Raise RequestRefused where braces are nested too deeply to be read."""
    if any(group.depth > DEEPEST for group in groups):
        raise RequestRefused(f"Braces inside braces go {DEEPEST} deep at most; take some of them apart.")


def permutations(text: str, *, limit: int) -> tuple[str, ...]:
    """The prompts that `text` stands for, the last group changing fastest; `text` itself where nothing permutes.

    Raises RequestRefused for braces nested too deeply, LimitReached for more than `limit` prompts.
    """
    permuting = [group for group in groups_of(text) if group.permutes]
    if not permuting:
        return (text,)
    check_depth(permuting)
    tree = _Tree(text, permuting)
    # there is at least one prompt more than there are commas, so that what is counted below is small
    commas = sum(len(group.commas) for group in permuting)
    if commas >= limit or tree.count(0, len(text)) > limit:
        raise LimitReached(
            f"These braces stand for more than {limit} prompts, the most at once; take some of them out."
        )
    return tuple(dict.fromkeys(tree.expand(0, len(text))))


class _Tree:
    """The permuting groups of a text, found by where they open."""

    def __init__(self, text: str, groups: Sequence[Group]) -> None:
        self._text = text
        self._groups = sorted(groups)

    def _within(self, start: int, end: int) -> list[Group]:
        """The outermost groups between `start` and `end`."""
        found: list[Group] = []
        for group in self._groups:
            if start <= group.start and group.end < end and (not found or group.start > found[-1].end):
                found.append(group)
        return found

    def _parts(self, group: Group) -> list[tuple[int, int]]:
        edges = [group.start, *group.commas, group.end]
        return [(before + 1, after) for before, after in pairwise(edges)]

    def count(self, start: int, end: int) -> int:
        """How many texts `expand` would give."""
        return prod(sum(self.count(*part) for part in self._parts(group)) for group in self._within(start, end))

    def expand(self, start: int, end: int) -> list[str]:
        """The texts that this stretch stands for."""
        pieces: list[list[str]] = []
        at = start
        for group in self._within(start, end):
            pieces.append([self._text[at : group.start]])
            options = chain.from_iterable(self.expand(*part) for part in self._parts(group))
            pieces.append([option.strip().replace("\\,", ",") for option in options])
            at = group.end + 1
        pieces.append([self._text[at:end]])
        return ["".join(chosen) for chosen in product(*pieces)]
