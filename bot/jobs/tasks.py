"""Tasks that are begun in passing and waited for at the end. Owns that none of them is lost, and that none reports twice."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """Those that run."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin `coroutine`."""
        task = asyncio.create_task(coroutine, name=name)
        self._running.add(task)
        task.add_done_callback(self._over)
        return task

    async def all_over(self) -> None:
        """Wait for all, those too that are begun meanwhile."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # asked for, so that one whose asker has gone is not reported a second time
