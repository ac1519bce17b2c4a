"""How news of the world travels: to the bot's gateway, to the people's screens, and to whoever waits for something.

Owns delivery, in order, without loss; refuses to know what the news is. Everything here is synchronous but the waiting,
so that a mutation and its events are one step that nobody can look into.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One gateway event. A session receives it when it has one of `intents` (0: always).

    `stripped` is what a session without the message content intent gets instead, None where that makes no difference.
    """

    name: str
    data: Json
    intents: int = 0
    stripped: Json | None = None


class Subscription:
    """One person's screen: an async iterator of what that person sees from now on. Close it, or use it in `with`."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self.stop: Callable[[], None] = lambda: None

    def push(self, event: Json) -> None:
        """Put an event at the end."""
        self._queue.put_nowait(event)

    def close(self) -> None:
        """Receive nothing more; an iteration that waits ends."""
        self.stop()
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Json]:
        while (event := await self._queue.get()) is not None:
            yield event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class NewsDesk:
    """Who listens: gateway sessions, screens by person, and those who wait for the world to change."""

    def __init__(self) -> None:
        self.gateway: list[Callable[[Dispatch], None]] = []
        self._watchers: list[tuple[str, Callable[[Json], None]]] = []
        self._waiting: list[asyncio.Future[None]] = []

    def dispatch(self, event: Dispatch) -> None:
        """Give an event to every gateway session."""
        for listener in list(self.gateway):
            listener(event)
        self.changed()

    def watch(self, user_id: str, callback: Callable[[Json], None]) -> Callable[[], None]:
        """Call `callback` with each event on that person's screen. Returns what ends it."""
        entry = (user_id, callback)
        self._watchers.append(entry)

        def stop() -> None:
            if entry in self._watchers:
                self._watchers.remove(entry)

        return stop

    def show(self, user_id: str, event: Json) -> None:
        """Put an event on one person's screens."""
        for watcher, callback in list(self._watchers):
            if watcher == user_id:
                callback(event)
        self.changed()

    def watched(self, user_id: str) -> bool:
        """Whether anybody looks at that person's screen: events for nobody need not be made."""
        return any(watcher == user_id for watcher, _ in self._watchers)

    def changed(self) -> None:
        """Wake all who wait; they look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, check: Callable[[], T | None], *, timeout: float = 10.0) -> T:  # noqa: ASYNC109
        """The first truthy answer of `check`, asked now and after each change. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not (answer := check()):
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future
        return answer
