"""Who is being answered at this moment.

Owns that in a crowd everybody hears something before anybody's wish is made, those too who came before it was one; and that
wishes are then begun one after the other, so that whoever still comes finds the bot listening. Refuses to know what they hear.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

SIZE: Final = 4
"""More than this many at once are a crowd."""
LONGEST: Final = 1.0
"""Seconds for which a wish is put off at most: people may go on coming."""
TURN: Final = 0.05
"""Seconds that a wish has to itself; one that takes longer (a picture is fetched) goes on beside the next."""

T = TypeVar("T")


class Crowd:
    """Counts those who ask, and those among them who have not heard anything yet but are about to."""

    def __init__(self) -> None:
        self._asking = 0
        self._telling = 0
        self._all_told = asyncio.Event()
        self._all_told.set()
        self._gathered = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def gathered(self) -> bool:
        """Whether there is a crowd."""
        return self._gathered.is_set()

    @contextmanager
    def one_more(self) -> Generator[None]:
        """Somebody asks, until the block ends."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @contextmanager
    def telling(self) -> Generator[None]:
        """Somebody is being told; the others' wishes wait for it in `all_told`."""
        self._telling += 1
        self._all_told.clear()
        try:
            yield
        finally:
            self._telling -= 1
            if not self._telling:
                self._all_told.set()

    async def gathering(self) -> None:
        """Wait until there is a crowd."""
        await self._gathered.wait()

    async def all_told(self) -> None:
        """Wait until nobody is being told any more, or `LONGEST` is over."""
        try:
            async with asyncio.timeout(LONGEST):
                await self._all_told.wait()
        except TimeoutError:
            return

    async def in_turn(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """`begin` once those before have had their turn, and return what comes of it. Raises what that raises."""
        task: asyncio.Task[T] | None = None
        try:
            async with self._turn:
                task = asyncio.create_task(begin())
                await asyncio.wait({task}, timeout=TURN)
            return await task
        finally:
            if task is not None:
                task.cancel()

    def _count(self, more: int) -> None:
        self._asking += more
        if self._asking > SIZE:
            self._gathered.set()
        else:
            self._gathered.clear()
