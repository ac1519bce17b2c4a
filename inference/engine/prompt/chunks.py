"""Windows of 75 tokens, which the text encoder sees as 77: how a prompt of any length is cut (the webui's rules)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inference.api.attention import BREAK, Fragment, parse_attention

WINDOW = 75
START, END = 49406, 49407
COMMA = 267
"""Token of a comma that ends a word."""
BACKTRACK = 20
"""How many tokens back a window may end at a comma rather than in the middle of a phrase."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One window: 77 token ids with start, end and padding, and as many weights.

    `fixes` are (offset inside the 75, name) of textual inversions whose vectors replace tokens.
    """

    tokens: tuple[int, ...]
    multipliers: tuple[float, ...]
    fixes: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class _Cutter:
    tokens: list[int] = field(default_factory=list[int])
    weights: list[float] = field(default_factory=list[float])
    fixes: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    comma: int = -1

    def add(self, token: int, weight: float, backtrack: int) -> None:
        """Append a token; a full window is ended first, at its last comma if that is near."""
        if token == COMMA:
            self.comma = len(self.tokens)
        elif len(self.tokens) == WINDOW and self.comma != -1 and WINDOW - self.comma <= backtrack:
            self._flush(at=self.comma + 1)
        if len(self.tokens) == WINDOW:
            self._flush(at=WINDOW)
        self.tokens.append(token)
        self.weights.append(weight)

    def add_embedding(self, name: str, length: int, weight: float) -> None:
        """Reserve the places of an embedding, never across two windows."""
        if len(self.tokens) + length > WINDOW:
            self._flush(at=len(self.tokens))
        self.fixes.append((len(self.tokens), name))
        self.tokens += [0] * length
        self.weights += [weight] * length

    def end(self) -> None:
        """End the window here, full or not."""
        self._flush(at=len(self.tokens))

    def _flush(self, at: int) -> None:
        moved = [(offset - at, name) for offset, name in self.fixes if offset >= at]
        kept = tuple((offset, name) for offset, name in self.fixes if offset < at)
        pad = WINDOW - at
        self.chunks.append(
            Chunk((START, *self.tokens[:at], *[END] * (pad + 1)), (1.0, *self.weights[:at], *[1.0] * (pad + 1)), kept)
        )
        self.tokens, self.weights, self.fixes = self.tokens[at:], self.weights[at:], moved
        self.comma = -1


class _Name(NamedTuple):
    """The name of an embedding: its token ids, itself, and how many vectors it stands for."""

    ids: tuple[int, ...]
    name: str
    length: int


def _by_first_token(embeddings: Mapping[tuple[int, ...], tuple[str, int]]) -> dict[int, list[_Name]]:
    """Names by the token they begin with, the longest first."""
    found: dict[int, list[_Name]] = {}
    for ids in sorted(embeddings, key=len, reverse=True):
        if ids:
            found.setdefault(ids[0], []).append(_Name(ids, *embeddings[ids]))
    return found


def cut(
    text: str,
    *,
    tokenize: Callable[[str], Sequence[int]],
    emphasis: str = "Original",
    embeddings: Mapping[tuple[int, ...], tuple[str, int]] | None = None,
    backtrack: int = BACKTRACK,
) -> tuple[Chunk, ...]:
    """`text` as one or more windows.

    `embeddings` maps the token ids of a name to (name, number of vectors); the longest name wins. `emphasis` "None" takes
    brackets as text.
    """
    fragments = [Fragment(text, 1.0)] if emphasis == "None" else parse_attention(text)
    names = _by_first_token(embeddings or {})
    cutter = _Cutter()
    for fragment in fragments:
        if fragment == ("BREAK", BREAK):
            cutter.end()
            continue
        tokens = list(tokenize(fragment.text))
        at = 0
        while at < len(tokens):
            found = next(
                (hit for hit in names.get(tokens[at], ()) if tuple(tokens[at : at + len(hit.ids)]) == hit.ids), None
            )
            if found is not None and found.length <= WINDOW:
                cutter.add_embedding(found.name, found.length, fragment.weight)
                at += len(found.ids)
            else:
                cutter.add(tokens[at], fragment.weight, backtrack)
                at += 1
    if cutter.tokens or not cutter.chunks:
        cutter.end()
    return tuple(cutter.chunks)
