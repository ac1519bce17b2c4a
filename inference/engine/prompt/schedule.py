r"""Texts that change while a picture is painted: [before:after:when], [appears:when], [goes::when], [one|two].

Owns the brackets and when they switch, counted in model calls (webui v1.10.1). A text whose brackets make no sense is left
as it is. Brackets are read from the last to the first, each from those inside it, so that any text takes linear time.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

_PLAIN = re.compile(r"(?:[^\\\[\]():|]|\\.)++")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_DEEPEST = 50
"""Brackets inside brackets that are still read; deeper ones make no sense to anybody."""


class Stage(NamedTuple):
    """`text` is in force up to and including call `end`."""

    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How `when` is counted. `calls` is the length of this pass in model calls.

    `before` is given for a second (hires) pass: the calls of the first. Fractions then run from 1 to 2, and whole numbers go
    on counting. `old`: the timelines of the webui before 1.6.0, where only a number below 1 is a fraction, and a second pass
    counts as the first did.
    """

    calls: int
    before: int | None = None
    old: bool = False

    @property
    def length(self) -> int:
        """Calls after which the last stage ends."""
        return self.before if self.old and self.before is not None else self.calls

    def call_of(self, when: str) -> int:
        """The call after which a switch at `when` happens, from 0 (before the first) to `length` (never)."""
        value = float(when)
        if self.old:
            value *= self.length if value < 1 else 1
        elif "." in when:
            value = (value if self.before is None else value - 1) * self.calls
        elif self.before is not None:
            value -= self.before
        return self.length if value >= self.length else int(max(value, 0.0))


@dataclass(frozen=True, slots=True)
class _Switch:
    before: "_Nodes"
    after: "_Nodes"
    when: str


@dataclass(frozen=True, slots=True)
class _Turns:
    options: "tuple[_Nodes, ...]"


_Nodes = tuple["str | _Switch | _Turns", ...]


class _Group(NamedTuple):
    """A pair of brackets that makes sense: what it says, where it ends, how deep it goes."""

    nodes: _Nodes
    end: int
    depth: int


def schedule(text: str, calls: int, *, before: int | None = None, old: bool = False) -> tuple[Stage, ...]:
    """What `text` says at each of `calls` model calls; `before` and `old` as in `Clock`."""
    clock = Clock(calls, before, old)
    nodes = _read(text)
    if nodes is None:
        return (Stage(clock.length, text),)
    ends = {clock.length}
    _collect(nodes, clock, ends)
    return tuple(Stage(end, _render(nodes, end, clock)) for end in sorted(ends))


def at_call(stages: tuple[Stage, ...], call: int) -> str:
    """The text in force at `call` (from 0). The first stage holds one call longer than it says, as in the webui."""
    return next((stage.text for stage in stages if call <= stage.end), stages[0].text)


def _collect(nodes: _Nodes, clock: Clock, ends: set[int]) -> None:
    for node in nodes:
        match node:
            case _Switch(first, second, when):
                if (end := clock.call_of(when)) >= 1:
                    ends.add(end)
                _collect(first, clock, ends)
                _collect(second, clock, ends)
            case _Turns(options):
                ends.update(range(1, clock.length + 1))
                for option in options:
                    _collect(option, clock, ends)
            case _:
                pass


def _render(nodes: _Nodes, call: int, clock: Clock) -> str:
    parts: list[str] = []
    for node in nodes:
        match node:
            case str():
                parts.append(node)
            case _Switch(first, second, when):
                parts.append(_render(first if call <= clock.call_of(when) else second, call, clock))
            case _Turns(options):
                parts.append(_render(options[(call - 1) % len(options)], call, clock))
    return "".join(parts)


def _read(text: str) -> _Nodes | None:
    """The whole text. Between brackets that make sense, those that do not and colons are letters; a bare | is senseless."""
    groups: dict[int, _Group] = {}
    starts = [match.start() for match in re.finditer(r"\\.|[\[(]", text) if match[0] in "[("]
    for start in reversed(starts):
        group = _square(text, start, groups) if text[start] == "[" else _round(text, start, groups)
        if group is not None and group.depth <= _DEEPEST:
            groups[start] = group
    nodes: list[str | _Switch | _Turns] = []
    at = 0
    while at < len(text):
        if at in groups:
            nodes += groups[at].nodes
            at = groups[at].end
        elif text[at] in "[]():":
            nodes.append(text[at])
            at += 1
        elif plain := _PLAIN.match(text, at):
            nodes.append(plain[0])
            at = plain.end()
        else:
            return None
    return tuple(nodes)


def _prompt(text: str, at: int, groups: dict[int, _Group]) -> _Group:
    """Text and sensible brackets from `at` on, up to the first letter that belongs to neither."""
    nodes: list[str | _Switch | _Turns] = []
    depth = 0
    while True:
        if group := groups.get(at):
            nodes += group.nodes
            at, depth = group.end, max(depth, group.depth)
        elif plain := _PLAIN.match(text, at):
            nodes.append(plain[0])
            at = plain.end()
        else:
            return _Group(tuple(nodes), at, depth)


def _round(text: str, start: int, groups: dict[int, _Group]) -> _Group | None:
    """`(text)` or `(text:text)`: brackets for weights, which stay in the text."""
    first = _prompt(text, start + 1, groups)
    nodes, end, depth = ("(", *first.nodes), first.end, first.depth
    if text[end : end + 1] == ":":
        second = _prompt(text, end + 1, groups)
        nodes, end, depth = (*nodes, ":", *second.nodes), second.end, max(depth, second.depth)
    return _Group((*nodes, ")"), end + 1, depth + 1) if text[end : end + 1] == ")" else None


def _square(text: str, start: int, groups: dict[int, _Group]) -> _Group | None:
    """Turns, a switch, or just less weight."""
    parts, marks, end = [_prompt(text, start + 1, groups)], "", 0
    begins = [start + 1]
    while (end := parts[-1].end) < len(text) and text[end] in ":|":
        marks += text[end]
        begins.append(end + 1)
        parts.append(_prompt(text, end + 1, groups))
    if text[end : end + 1] != "]":
        return None
    depth = max(part.depth for part in parts) + 1
    if not marks:
        return _Group(("[", *parts[0].nodes, "]"), end + 1, depth)
    if set(marks) == {"|"}:
        return _Group((_Turns(tuple(part.nodes for part in parts)),), end + 1, depth)
    number = _NUMBER.fullmatch(text, begins[-1], end)
    if marks not in (":", "::") or number is None:
        return None
    first = parts[0].nodes if marks == "::" else ()
    return _Group((_Switch(first, parts[-2].nodes, number[1]),), end + 1, depth)
