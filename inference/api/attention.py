r"""Weights in a prompt: (more), [less], (this much:1.3), \( literal \), BREAK. The webui's rules, which never refuse a text.

It lies in the vocabulary because parameter texts are read by it too: whether emphasis is used decides what they mean.
"""

import re
from typing import NamedTuple

MORE, LESS = 1.1, 1 / 1.1
BREAK = -1.0
"""Weight of the fragment "BREAK" that ends a window; inside brackets it is multiplied, and then only a word."""

_TOKEN = re.compile(
    r"\\\(|\\\)|\\\[|\\\]|\\\\|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()\[\]:]+|:",
)
_BREAK = re.compile(r"\bBREAK\b\s*")
_DEEPEST = 100
"""Brackets inside brackets that still weigh (1.1 to the power of that is 13,780), so that any text takes linear time."""


class Fragment(NamedTuple):
    """A piece of text and its weight."""

    text: str
    weight: float


def parse_attention(text: str) -> list[Fragment]:
    """`text` as fragments in order; neighbours of equal weight are one.

    A bracket that closes nothing is text; one that is never closed holds to the end.
    """
    texts: list[str] = []
    weights: list[float] = []
    round_open: list[int | None] = []
    square_open: list[int | None] = []

    def add(piece: str, weight: float = 1.0) -> None:
        texts.append(piece)
        weights.append(weight)

    def here() -> int | None:
        return len(texts) if len(round_open) + len(square_open) < _DEEPEST else None

    def scale(start: int | None, factor: float) -> None:
        if start is not None:
            weights[start:] = [weight * factor for weight in weights[start:]]

    for match in _TOKEN.finditer(text):
        piece, number = match[0], _number(match[1])
        if piece.startswith("\\"):
            add(piece[1:])  # a lone backslash vanishes
        elif piece == "(":
            round_open.append(here())
        elif piece == "[":
            square_open.append(here())
        elif number is not None and round_open:
            scale(round_open.pop(), number)
        elif piece == ")" and round_open:
            scale(round_open.pop(), MORE)
        elif piece == "]" and square_open:
            scale(square_open.pop(), LESS)
        else:
            *before, last = _BREAK.split(piece)
            for part in before:
                add(part.rstrip())
                add("BREAK", BREAK)
            add(last)
    for start in reversed(round_open):
        scale(start, MORE)
    for start in reversed(square_open):
        scale(start, LESS)
    return _joined(list(map(Fragment, texts, weights)))


def uses_emphasis(text: str) -> bool:
    """Whether any weight of `text` differs from 1 (BREAK apart)."""
    return any(fragment.weight != 1.0 and fragment.text != "BREAK" for fragment in parse_attention(text))


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _joined(fragments: list[Fragment]) -> list[Fragment]:
    joined: list[Fragment] = []
    for fragment in fragments or [Fragment("", 1.0)]:
        if joined and joined[-1].weight == fragment.weight:
            joined[-1] = Fragment(joined[-1].text + fragment.text, fragment.weight)
        else:
            joined.append(fragment)
    return joined
