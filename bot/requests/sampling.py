"""The `dynamicprompts` library with bounds: a step count and a deadline for each template, and no warnings on the way.

Owns the adapter; it is the one module that imports the library (3.5 MB), and is itself imported when a template is first met.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from dynamicprompts.commands import Command
from dynamicprompts.enums import SamplingMethod
from dynamicprompts.samplers import Sampler
from dynamicprompts.sampling_context import SamplingContext
from dynamicprompts.types import ResultGen
from dynamicprompts.wildcards import WildcardManager
from dynamicprompts.wildcards.values import WildcardValues

from bot.errors import LimitReached
from bot.requests.dynamic import guarded, hidden

STEPS: Final = 20_000
"""Choices that one template may cost, those inside of wildcards and variables included."""
SECONDS: Final = 3.0
MANY: Final = 5_000
"""Values of a wildcard of which several may be chosen at once, or every one."""
_TOO_MUCH: Final = "This prompt unfolds into too many choices; use fewer variables and wildcards inside each other."

logging.getLogger("dynamicprompts").setLevel(
    logging.ERROR
)  # an unknown wildcard is the person's to hear of, not the log's


@dataclass
class Budget:
    """What is left for one template."""

    steps: int = STEPS
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def spend(self) -> None:
        """One choice more. Raises LimitReached when there have been too many, or it takes too long."""
        self.steps -= 1
        if self.steps < 0 or (self.steps % 64 == 0 and time.monotonic() > self.until):
            raise LimitReached(_TOO_MUCH)


@dataclass(frozen=True)
class Context(SamplingContext):
    """The library's context, counting."""

    budget: Budget = field(default_factory=Budget)

    def get_sampler_and_context(self, command: Command) -> tuple[Sampler, SamplingContext]:
        """As the library's; what cannot be told in full inside of a random choice is chosen at random, without a warning."""
        wanted = command.sampling_method
        if wanted is not None and self.default_sampling_method.is_nonfinite() and not wanted.is_nonfinite():
            return self.samplers[self.default_sampling_method], self
        return super().get_sampler_and_context(command)

    def generator_from_command(self, command: Command) -> ResultGen:
        """As the library's."""
        self.budget.spend()
        return super().generator_from_command(command)


@dataclass(frozen=True)
class Values(WildcardValues):
    """A wildcard's values, not too many of them."""

    def iterate_string_values_weighted(self) -> Iterator[str]:
        """As the library's. Raises LimitReached."""
        if len(self.items) > MANY:
            raise LimitReached(
                f"A wildcard of this prompt has {len(self.items):,} lines; several at once, or all, can be had of {MANY:,}."
            )
        return super().iterate_string_values_weighted()


class Files(WildcardManager):
    """The library's files of wildcards; their values may hold signs that a template could not.

    While it is `echoing`, an unknown wildcard has one value, itself: the library would tell it for ever.
    """

    echoing = False

    def get_values(self, wildcard: str) -> Values:
        """Values of all wildcards that match, sorted, each once."""
        found: Any = super().get_values(wildcard)
        items = tuple(_guarded(item) for item in found.items)
        if not items and self.echoing:
            items = (hidden(self.to_wildcard(wildcard)),)
        return Values(items)


def _guarded(item: Any) -> Any:
    if isinstance(item, str):
        return guarded(item)
    return type(item)(content=guarded(str(item.content)), weight=item.weight)


class Drawer:
    """Draws from templates, with the wildcards in `folders`, of which the last counts where names are the same."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._files = Files(root_map={"": list(folders)}) if folders else Files()

    def names(self) -> tuple[str, ...]:
        """Every wildcard."""
        return tuple(sorted(self._files.get_collection_names(), key=str.casefold))

    def values(self, name: str) -> tuple[str, ...]:
        """The values of one, as they are written."""
        found: Any = WildcardManager.get_values(self._files, name)
        return tuple(str(item) for item in found.items)

    def drawn(self, template: str, *, seeds: Sequence[int]) -> tuple[str, ...]:
        """A text for each seed, drawn from one source that is seeded anew each time (as the library's own generator does)."""
        context = self._context(SamplingMethod.RANDOM)
        source = iter(context.sample_prompts(template))
        texts: list[str] = []
        for seed in seeds:
            context.rand.seed(seed)
            texts.append(str(next(source)))
        return tuple(texts)

    def combined(self, template: str, *, seed: int, limit: int) -> tuple[str, ...]:
        """The first `limit` combinations, in the library's order."""
        context = self._context(SamplingMethod.COMBINATORIAL)
        context.rand.seed(seed)
        self._files.echoing = True
        try:
            return tuple(str(text) for text in islice(context.sample_prompts(template), limit))
        finally:
            self._files.echoing = False

    def _context(self, method: SamplingMethod) -> Context:
        return Context(default_sampling_method=method, wildcard_manager=self._files, rand=Random())
