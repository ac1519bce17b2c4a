"""A prompt's plan: which texts, with which weights, at which model call. AND parts times schedules, cut into windows once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inference.engine.prompt.chunks import Chunk, cut
from inference.engine.prompt.schedule import Stage, at_call, schedule

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"^((?:\s|.)*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$")


@dataclass(frozen=True, slots=True)
class Part:
    """One AND part: its weight and its stages."""

    weight: float
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """What a prompt says at every call. `windows` are the windows of each distinct text."""

    parts: tuple[Part, ...]
    windows: Mapping[str, tuple[Chunk, ...]]

    @property
    def texts(self) -> tuple[str, ...]:
        """Every distinct text, in order of appearance."""
        return tuple(self.windows)

    def at(self, call: int) -> tuple[tuple[float, tuple[Chunk, ...]], ...]:
        """(weight, windows) of each part at `call`, from 0."""
        return tuple((part.weight, self.windows[at_call(part.stages, call)]) for part in self.parts)


def split_parts(text: str) -> list[tuple[str, float]]:
    """`text` at each AND; a part that ends in `: number` has that weight, and this holds for a single part too (webui)."""
    found: list[tuple[str, float]] = []
    for piece in _AND.split(text):
        match = _WEIGHT.match(piece)
        body, weight = (match[1], match[2]) if match is not None else (piece, None)
        found.append((body, 1.0 if weight is None else float(weight)))
    return found


def plan_prompt(
    text: str,
    *,
    calls: int,
    tokenize: Callable[[str], Sequence[int]],
    hires_calls: int = 0,
    emphasis: str = "Original",
    embeddings_by_tokens: Mapping[tuple[int, ...], tuple[str, int]] | None = None,
    composable: bool = True,
) -> PromptPlan:
    """Plan `text` for `calls` model calls; with `hires_calls`, for that second pass after `calls` of the first.

    A negative prompt is not `composable`: AND is a word there.
    """
    pieces = split_parts(text) if composable else [(text, 1.0)]
    parts = tuple(
        Part(weight, schedule(body, hires_calls or calls, before=calls if hires_calls else None))
        for body, weight in pieces
    )
    texts = dict.fromkeys(stage.text for part in parts for stage in part.stages)
    windows = {text: cut(text, tokenize=tokenize, emphasis=emphasis, embeddings=embeddings_by_tokens) for text in texts}
    return PromptPlan(parts, windows)
