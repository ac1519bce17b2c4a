"""Telling the listener, each thing in a task of its own: a slow Discord never holds up painting.

Owns those tasks; what they raise is logged and ends nothing else. While the database cannot be used they wait for it: what
is marked there is done, so the same may be told again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from bot.jobs.listener import JobListener
from inference.client.clock import Clock
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.values import Unreadable

log = logging.getLogger(__name__)

End = Literal["rendered", "failed", "cancelled"]
"""The states that a listener is told of."""
PAUSE: Final = 5.0
"""Seconds until the database is asked again when it cannot be used."""


class Telling:
    """Tasks that run by themselves until they are done or `stop` ends them. `listener` is asked for each time."""

    def __init__(self, db: Database, clock: Clock, *, listener: Callable[[], JobListener]) -> None:
        self._db, self._clock, self._listener = db, clock, listener
        self._tasks: set[asyncio.Task[None]] = set()

    def progressed(self, job: int) -> None:
        """Something moved; at once, and whatever the listener raises stays here."""
        try:
            self._listener().progressed(job)
        except Exception:
            log.exception("The progress of job %d could not be told", job)

    def tell(self, job: int, end: End) -> None:
        """Tell how `job` ended, soon."""
        self._spawn(lambda: self._words(job, end), f"job {job} is {end}")

    def tell_lost(self, lost: Unreadable) -> None:
        """Tell that `lost`, which is marked as failed, cannot be read any more, soon."""
        self._spawn(lambda: self._listener().unreadable(lost), f"job {lost.id} is unreadable")

    async def stop(self, *, grace: float) -> None:
        """Give what is being told `grace` seconds, then end it."""
        if not self._tasks:
            return
        sleeping = asyncio.create_task(self._clock.sleep(grace))
        told = asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.wait((sleeping, told), return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(sleeping, told, return_exceptions=True)

    def _spawn(self, words: Callable[[], Awaitable[None]], what: str) -> None:
        task = asyncio.create_task(self._run(words, what), name=f"telling that {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, words: Callable[[], Awaitable[None]], what: str) -> None:
        while True:
            try:
                return await words()
            except DatabaseUnavailable as error:
                log.error("That %s is told later: %s", what, error)  # noqa: TRY400 - the sentence says it all
                await self._clock.sleep(PAUSE)
            except Exception:
                log.exception("That %s could not be told", what)
                return None

    async def _words(self, job_id: int, end: End) -> None:
        """With the row as it is now: its card may have been hung only just before."""
        job = await self._db.jobs.get(job_id)
        if job is None or job.state.value != end or job.told:
            return
        match end:
            case "rendered":
                await self._listener().rendered(job, await self._db.images.of_job(job_id))
            case "failed":
                await self._listener().failed(job)
            case "cancelled":
                await self._listener().cancelled(job)
