"""Which exports run: one a person, each a task of its own. Refuses to know what they do."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bot.errors import LimitReached

_ONE: Final = "Your last export is still being packed. Wait for it, or cancel it there."


class Exports:
    """What is being exported, by person."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[asyncio.Task[None], asyncio.Event]] = {}

    def check(self, person: int) -> None:
        """Raise LimitReached while an export of this person runs."""
        if person in self._running:
            raise LimitReached(_ONE)

    def begin(self, person: int, work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """Run `work`, which ends when its event is set. Raises LimitReached."""
        self.check(person)
        stop = asyncio.Event()
        task = asyncio.create_task(work(stop), name=f"export of {person}")
        self._running[person] = task, stop
        task.add_done_callback(lambda _: self._running.pop(person, None))

    def cancel(self, person: int) -> bool:
        """Stop this person's export. False when none runs."""
        running = self._running.get(person)
        if running is None:
            return False
        running[1].set()
        return True

    async def stop(self) -> None:
        """End all of them."""
        tasks = [task for task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
