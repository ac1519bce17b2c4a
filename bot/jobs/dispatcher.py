"""From the queue to the painter and back to the row: which job runs when, and what becomes of it.

Owns the life of a job between `submit` and the listener. Storage owns the truth: every step is a row before it is
anything else, so that a restart goes on where this stopped. Refuses to know Discord.
"""

import time
from collections.abc import Callable, Mapping

from bot.jobs.listener import JobListener, Nobody
from bot.jobs.standing import Standing
from bot.settings import LimitSettings
from inference.api.backend import Backend
from inference.api.request import Request
from inference.client.clock import Clock, SystemClock
from storage.database import Database
from storage.values import Address, Job


class Dispatcher:
    """Runs jobs on `backend`. `now` gives seconds since 1970, `clock` seconds that never run backwards.

    `max_rows` bounds the UNet rows of all jobs in flight together, `max_jobs` their number. Set `listener` before `start`.
    """

    def __init__(
        self,
        db: Database,
        backend: Backend,
        *,
        limits: LimitSettings,
        max_rows: int = 16,
        max_jobs: int = 8,
        listener: JobListener | None = None,
        clock: Clock | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.listener: JobListener = listener or Nobody()
        raise NotImplementedError

    async def start(self) -> None:
        """Take up what is unfinished, tell the listener what it still owes people, and begin to paint."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Take no more jobs and let go of those that run; their rows say `queued`, so that the next start goes on."""
        raise NotImplementedError

    async def submit(
        self,
        *,
        address: Address,
        request: Request,
        kind: str,
        prompt: str,
        parent: int | None = None,
        sources: Mapping[str, bytes] | None = None,
    ) -> Job:
        """Queue `request`: one commit, no wait for the painter. `sources` maps sha256 to the bytes of source pictures.

        Raises LimitReached when this person or server has too many jobs open, or the picture would be too large;
        RequestRefused when a source is missing or the studio is closing.
        """
        raise NotImplementedError

    async def cancel(self, job_id: int) -> bool:
        """End a job that waits, runs, or is painted but not posted. False when it had ended already."""
        raise NotImplementedError

    def standing(self, job_id: int) -> Standing | None:
        """Where a waiting or running job stands; None for any other."""
        raise NotImplementedError

    def queue(self, guild: int | None = None) -> tuple[Standing, ...]:
        """Every running and waiting job, or those of `guild`, in the order in which they are expected to begin."""
        raise NotImplementedError
