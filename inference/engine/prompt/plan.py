"""A prompt's plan: which texts, with which weights, at which model call. AND parts times schedules, cut into windows once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inference.engine.prompt.chunks import Chunk, cut
from inference.engine.prompt.schedule import Stage, at_call, schedule

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r":\s*([-+]?(?:\d+\.?|\d*\.\d+))\s*\Z")


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

    def variants(self, part: Part) -> Mapping[tuple[Chunk, ...], int]:
        """The windows of everything that `part` says in its course, each with how many of its stages say it."""
        counts: dict[tuple[Chunk, ...], int] = {}
        for stage in part.stages:
            windows = self.windows[stage.text]
            counts[windows] = counts.get(windows, 0) + 1
        return counts


def split_parts(text: str) -> list[tuple[str, float]]:
    """`text` at each AND; a part that ends in `: number` has that weight, and this holds for a single part too (webui)."""
    found: list[tuple[str, float]] = []
    for piece in _AND.split(text):
        weighed = _WEIGHT.search(piece)
        body, weight = (piece[: weighed.start()], float(weighed[1])) if weighed is not None else (piece, 1.0)
        found.append((body.rstrip(), weight))
    return found


def plan_prompt(
    text: str,
    *,
    calls: int,
    tokenize: Callable[[str], Sequence[int]],
    before: int | None = None,
    old_timelines: bool = False,
    emphasis: str = "Original",
    embeddings_by_tokens: Mapping[tuple[int, ...], tuple[str, int]] | None = None,
    composable: bool = True,
) -> PromptPlan:
    """Plan `text` for `calls` model calls; `before` and `old_timelines` as in `schedule.Clock`.

    A negative prompt is not `composable`: AND is a word there.
    """
    pieces = split_parts(text) if composable else [(text, 1.0)]
    parts = tuple(Part(weight, schedule(body, calls, before=before, old=old_timelines)) for body, weight in pieces)
    texts = dict.fromkeys(stage.text for part in parts for stage in part.stages)
    windows = {text: cut(text, tokenize=tokenize, emphasis=emphasis, embeddings=embeddings_by_tokens) for text in texts}
    return PromptPlan(parts, windows)
