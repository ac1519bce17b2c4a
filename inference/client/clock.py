"""Time as the backends see it, so that a test can hold it in its hand."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never run backwards, and waiting for them to pass."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep as asyncio does."""
        await asyncio.sleep(seconds)


class HandClock:
    """A clock that stands still until it is pushed."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._watchers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Seconds that it has been pushed."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been pushed that far; at once for 0 or less."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, woken))
        for expected, watcher in self._watchers:
            if expected == seconds and not watcher.done():
                watcher.set_result(None)
        await woken

    async def sleeper(self, seconds: float) -> None:
        """Wait until somebody lies down for exactly `seconds`, or return at once when somebody does already."""
        if any(until == self._now + seconds and not woken.done() for until, woken in self._sleepers):
            return
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append((seconds, watcher))
        await watcher

    def advance(self, seconds: float) -> None:
        """Push the clock, and wake who slept until then."""
        self._now += seconds
        due = [woken for until, woken in self._sleepers if until <= self._now]
        self._sleepers = [(until, woken) for until, woken in self._sleepers if until > self._now]
        for woken in due:
            if not woken.done():
                woken.set_result(None)
