"""Who is being answered at this moment.

Owns that in a crowd everybody hears something before anybody's wish is made. Refuses to know what they hear.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

LONGEST: Final = 1.0
"""Seconds for which a wish is put off at most: people may go on coming."""


class Crowd:
    """Counts those who ask, and those among them who have not heard anything yet but are about to."""

    def __init__(self) -> None:
        self._asking = 0
        self._telling = 0
        self._all_told = asyncio.Event()
        self._all_told.set()

    @contextmanager
    def one_more(self) -> Generator[int]:
        """Somebody asks, until the block ends; gives how many do, this one included."""
        self._asking += 1
        try:
            yield self._asking
        finally:
            self._asking -= 1

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

    async def all_told(self) -> None:
        """Wait until nobody is being told any more, or `LONGEST` is over."""
        try:
            async with asyncio.timeout(LONGEST):
                await self._all_told.wait()
        except TimeoutError:
            return
