r"""Texts that change while a picture is painted: [before:after:when], [appears:when], [goes::when], [one|two].

Owns the brackets and when they switch, counted in model calls (webui v1.10.1). A text whose brackets make no sense is left
as it is.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*$")
_CLOSES = {"[": "]", "(": ")"}
_DEEPEST = 50
"""Brackets inside brackets that are still read; deeper ones make no sense to anybody."""


class Stage(NamedTuple):
    """`text` is in force up to and including call `end`."""

    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Switch:
    before: "_Nodes"
    after: "_Nodes"
    when: str


@dataclass(frozen=True, slots=True)
class _Turns:
    options: "tuple[_Nodes, ...]"


_Nodes = tuple["str | _Switch | _Turns", ...]


class _Senseless(Exception):
    """The brackets do not fit the grammar."""


def schedule(text: str, calls: int, *, before: int | None = None) -> tuple[Stage, ...]:
    """What `text` says at each of `calls` model calls.

    `before` is given for a second (hires) pass: the calls of the first. Fractions then run from 1 to 2, and whole numbers
    go on counting.
    """
    try:
        nodes = _parse(text)
    except _Senseless:
        return (Stage(calls, text),)
    ends = {calls}
    _collect(nodes, calls, before, ends)
    stages = [Stage(end, _render(nodes, end, calls, before)) for end in sorted(ends)]
    merged: list[Stage] = []
    for stage in stages:
        if merged and merged[-1].text == stage.text and not any(isinstance(node, _Turns) for node in _all(nodes)):
            merged[-1] = stage
        else:
            merged.append(stage)
    return tuple(merged)


def at_call(stages: tuple[Stage, ...], call: int) -> str:
    """The text in force at `call` (from 0). The first stage holds one call longer than it says, as in the webui."""
    return next((stage.text for stage in stages if call <= stage.end), stages[0].text)


def switch_call(when: str, calls: int, before: int | None) -> int:
    """The call after which a switch happens: a number with a dot is a share of the calls, one without counts them."""
    value = float(when)
    if before is not None:
        value = (value - 1) * calls if "." in when else value - before
    elif "." in when:
        value = value * calls
    return min(calls, int(value))


def _collect(nodes: _Nodes, calls: int, before: int | None, ends: set[int]) -> None:
    for node in _all(nodes):
        if isinstance(node, _Switch):
            end = switch_call(node.when, calls, before)
            if end >= 1:
                ends.add(end)
        elif isinstance(node, _Turns):
            ends.update(range(1, calls + 1))


def _all(nodes: _Nodes) -> "list[str | _Switch | _Turns]":
    found: list[str | _Switch | _Turns] = []
    for node in nodes:
        found.append(node)
        inner: tuple[_Nodes, ...] = ()
        if isinstance(node, _Switch):
            inner = (node.before, node.after)
        elif isinstance(node, _Turns):
            inner = node.options
        for part in inner:
            found += _all(part)
    return found


def _render(nodes: _Nodes, call: int, calls: int, before: int | None) -> str:
    parts: list[str] = []
    for node in nodes:
        match node:
            case str():
                parts.append(node)
            case _Switch(before=first, after=second, when=when):
                parts.append(
                    _render(first if call <= switch_call(when, calls, before) else second, call, calls, before)
                )
            case _Turns(options=options):
                parts.append(_render(options[(call - 1) % len(options)], call, calls, before))
    return "".join(parts)


def _parse(text: str, depth: int = 0) -> _Nodes:
    """Whole text; a bracket without its partner is a letter. A bare | makes no sense."""
    if depth > _DEEPEST:
        raise _Senseless
    nodes: list[str | _Switch | _Turns] = []
    at, partners = 0, _partners(text)
    while at < len(text):
        letter = text[at]
        if letter == "\\" and at + 1 < len(text):
            nodes.append(text[at : at + 2])
            at += 2
            continue
        end = partners.get(at)
        if end is None:
            if letter == "|":
                raise _Senseless
            nodes.append(letter)
            at += 1
            continue
        inner = text[at + 1 : end]
        nodes += _bracket(inner, depth + 1) if letter == "[" else ("(", *_parse(inner, depth + 1), ")")
        at = end + 1
    return tuple(nodes)


def _bracket(inner: str, depth: int) -> _Nodes:
    """Square brackets: turns, a switch, or just less weight."""
    options = _split(inner, "|")
    if len(options) > 1:
        if any(len(_split(option, ":")) > 1 for option in options):
            raise _Senseless
        return (_Turns(tuple(_parse(option, depth) for option in options)),)
    parts = _split(inner, ":")
    number = _NUMBER.match(parts[-1])
    if number is not None and len(parts) in (2, 3):
        first = _parse(parts[0], depth) if len(parts) == 3 else ()
        return (_Switch(first, _parse(parts[-2], depth), number[1]),)
    return ("[", *_parse(inner, depth), "]")


def _partners(text: str) -> dict[int, int]:
    """Where each bracket that has a partner closes. One that closes the wrong kind leaves all that are open without."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 2
            continue
        if letter in _CLOSES:
            waiting.append(at)
        elif letter in _CLOSES.values() and waiting:
            if letter == _CLOSES[text[waiting[-1]]]:
                found[waiting.pop()] = at
            else:
                waiting.clear()
        at += 1
    return found


def _split(text: str, mark: str) -> list[str]:
    """`text` at each `mark` outside of brackets."""
    parts, depth, begin, at = list[str](), 0, 0, 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 2
            continue
        depth += (letter in _CLOSES) - (letter in _CLOSES.values())
        if letter == mark and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*parts, text[begin:]]
