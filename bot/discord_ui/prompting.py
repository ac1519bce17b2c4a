"""Prompts while they are typed: the lists that complete them, and the beginnings that did not fit into a choice.

Owns when the lists are read again. Refuses to know who asks; `completing` is the way from Discord to here.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bot.completion.heads import LIMIT, Heads
from bot.completion.prompts import Shelf, completed
from bot.completion.tags import Tags
from bot.errors import NotFound
from bot.requests.flags import FLAGS
from bot.requests.wildcards import Wildcards
from inference.api.result import Inventory

LOOK_AGAIN: Final = 30.0
"""Seconds between two looks into the folders of tags and wildcards while people type."""
PATIENCE: Final = 1.0
"""Seconds that the first suggestions wait for the lists."""
CHOICES: Final = 25
_FLAGS: Final = tuple(row.names[0] for row in FLAGS if row.kind != "foreign")


class Prompts:
    """The tags, and the beginnings of long prompts. Nothing is read before somebody types. `now` is seconds."""

    def __init__(self, tags: Tags, wildcards: Wildcards, *, now: Callable[[], float]) -> None:
        self._tags, self._wildcards, self._now = tags, wildcards, now
        self._heads = Heads()
        self._looked: float | None = None
        self._looking: asyncio.Task[None] | None = None

    def whole(self, text: str, person: int) -> str:
        """A prompt as it was meant, where its beginning did not fit into a choice. Raises NotFound."""
        return self._heads.whole(text, person)

    def suggest(self, typed: str, inventory: Inventory, *, person: int, adults: bool) -> tuple[str, ...]:
        """Whole prompts that `typed` may become, each of at most 100 characters; from memory, at once."""
        try:
            text = self.whole(typed, person)
        except NotFound:  # nothing can be shown here; the sentence comes when the prompt is sent
            return ()
        shelf = Shelf(
            tags=self._tags.index,
            wildcards=self._wildcards.names,
            loras=inventory.loras,
            hypernetworks=inventory.hypernetworks,
            embeddings=inventory.embeddings,
            flags=_FLAGS,
            adults=adults,
        )
        shown = (self._heads.shown(each, person) for each in completed(text, shelf, limit=CHOICES))
        return tuple(each for each in dict.fromkeys(shown) if each.strip() and len(each) <= LIMIT)

    async def glance(self) -> None:
        """Have the folders looked into where that is long ago; the very first time wait for it a little."""
        recent = self._looked is not None and 0 <= self._now() - self._looked < LOOK_AGAIN
        if not recent and (self._looking is None or self._looking.done()):
            self._looked = self._now()
            self._looking = asyncio.create_task(self._look(), name="look into the tags and wildcards")
        if self._tags.index is None and self._looking is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await asyncio.shield(self._looking)

    async def _look(self) -> None:
        await asyncio.to_thread(self._wildcards.look)
        await asyncio.to_thread(self._tags.look)
