"""What is done to the models at this moment: downloads, conversions, merges, checks; each a task with a number.

Owns how many may run at once. Refuses to know what they do.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import LimitReached, NotFound

MOST: Final = 3
"""At once: more would only wait for the same disk."""


@dataclass(slots=True, eq=False)
class Chore:
    """One of them: its number, what it is (Discord markdown), who asked, and how far it is (in bytes; None: not known)."""

    number: int
    title: str
    person: int
    stage: str = "starting"
    done: int = 0
    total: int | None = None

    def move(self, done: int, total: int | None, stage: str) -> None:
        """It is so far now."""
        self.done, self.total, self.stage = done, total, stage


class Chores:
    """Those that run."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[Chore, asyncio.Task[None]]] = {}
        self._number = 0

    @property
    def running(self) -> tuple[Chore, ...]:
        """All of them, the oldest first."""
        return tuple(chore for chore, _ in self._running.values())

    def check(self) -> None:
        """Raise LimitReached where no more may begin."""
        if len(self._running) >= MOST:
            raise LimitReached(
                f"{MOST} of these run already, and more would only wait for the disk. /admin model jobs shows and ends them."
            )

    def reserve(self, title: str, person: int) -> Chore:
        """A chore that is about to begin. Raises LimitReached."""
        self.check()
        self._number += 1
        return Chore(self._number, title, person)

    def begin(self, chore: Chore, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work`. Raises LimitReached."""
        self.check()
        task = asyncio.create_task(work(), name=f"chore {chore.number}")
        self._running[chore.number] = chore, task
        task.add_done_callback(lambda _: self._running.pop(chore.number, None))

    def cancel(self, number: int) -> Chore:
        """End one. Raises NotFound where it does not run."""
        if number not in self._running:
            raise NotFound("That does not run any more; /admin model jobs shows what does.")
        chore, task = self._running[number]
        task.cancel()
        return chore

    async def stop(self) -> None:
        """End all of them, and wait until nothing of theirs is left."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
