"""From the queue to the painter and back to the row: which job runs when, and what becomes of it.

Owns the life of a job between `submit` and the listener. Storage owns the truth: every step is a row before it is
anything else, so that a restart goes on where this stopped. Refuses to know Discord.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

from bot.errors import RequestRefused
from bot.jobs.cost import worker_of
from bot.jobs.failures import ATTEMPTS, CLOSING, DEATHS, DIED, OURS, PICTURES_GONE, SOURCE_GONE, sentence_of
from bot.jobs.fair_queue import FairQueue
from bot.jobs.flight import Flight
from bot.jobs.intake import Intake
from bot.jobs.listener import JobListener, Nobody
from bot.jobs.open_job import OpenJob
from bot.jobs.painter import Ending, Painter
from bot.jobs.pricing import Pricing
from bot.jobs.standing import Standing, standing_of
from bot.jobs.tasks import Tasks
from bot.jobs.telling import Telling
from bot.jobs.unreadable import end_unreadable
from bot.settings import LimitSettings
from inference.api.backend import Backend, BackendUnavailable
from inference.api.errors import FailureCode
from inference.api.request import Request
from inference.api.single import single
from inference.api.wire import Failed, Finished
from inference.client.clock import Clock, SystemClock
from storage.database import Database
from storage.errors import DatabaseUnavailable, Missing, WrongState
from storage.guild_settings import Allowance
from storage.series_values import CellRef
from storage.values import UNSAID, Address, Job, JobState, Said

log = logging.getLogger(__name__)

T = TypeVar("T")
SLACK: Final = 10.0
"""Seconds of painting that may go before a job whose checkpoint is not loaded: about what a change of checkpoints takes."""
PAUSE: Final = 5.0
"""Seconds until the painter is asked again when it cannot be reached at all."""
GRACE: Final = 5.0
"""Seconds that what is being told may take when Easel stops; what was not told is told after the next start."""


class Dispatcher:
    """Runs jobs on `backend`. `now` gives seconds since 1970, `clock` seconds that never run backwards.

    `max_rows` bounds the UNet rows of all jobs in flight together, `max_jobs` their number. Set `listener` before `start`.
    `check` raises RequestRefused for what is never painted, whoever asks and however it comes here.
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
        check: Callable[[Request], None] | None = None,
        clock: Clock | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.listener: JobListener = listener or Nobody()
        self._db, self._now = db, now
        self._clock: Clock = clock or SystemClock()
        self._queue: FairQueue[int] = FairQueue(slack=SLACK)
        self._flight = Flight(max_rows=max_rows, max_jobs=max_jobs)
        self._telling = Telling(db, self._clock, listener=lambda: self.listener)
        self.pricing = pricing = Pricing(backend)
        self._intake = Intake(db, pricing=pricing, limits=limits, now=now)
        self._check = check
        self._painter = Painter(backend, pricing=pricing, clock=self._clock, progressed=self._telling.progressed)
        self._open: dict[int, OpenJob] = {}
        self._tasks = Tasks()
        self._resume: asyncio.Task[None] | None = None
        self._started = self._stopping = self._resting = self._held = False

    async def start(self) -> None:
        """Take up what is unfinished, tell the listener what it still owes people, and begin to paint.

        A job that was running begins anew, and is given up when it has begun three times already.
        """
        await end_unreadable(self._db, self._telling, now=self._now())
        unfinished = await self._db.jobs.unfinished()
        for job in sorted(unfinished, key=lambda job: (job.state is not JobState.RUNNING, job.id)):
            if job.id not in self._open:
                await self._take_up(job)
        self._started = True
        self._fill()

    async def stop(self) -> None:
        """Take no more jobs and let go of those that run; their rows say `queued`, so that the next start goes on."""
        self._stopping = True
        for task in (*(opened.painting for opened in self._flight), self._resume):
            if task is not None:
                task.cancel()
        await self._tasks.all_over()
        await self._telling.stop(grace=GRACE)

    async def submit(
        self,
        *,
        address: Address,
        request: Request,
        kind: str,
        prompt: str,
        parent: int | None = None,
        sources: Mapping[str, bytes] | None = None,
        allowance: Allowance | None = None,
        cell: CellRef | None = None,
        said: Said = UNSAID,
    ) -> Job:
        """Queue `request`: one commit, no wait for the painter. `sources` maps sha256 to the bytes of source pictures.

        What does not fit in an `allowance` any more goes into the slow lane. The job of a `cell` counts against no cap. Raises
        LimitReached for too many open jobs or too large a picture, RequestRefused for what is never painted or not here.
        """
        if self._stopping:
            raise RequestRefused(CLOSING)
        if self._check is not None:
            self._check(request)
        self._intake.reserve(address, cell=cell)
        adding = self._intake.add(
            address=address,
            request=request,
            kind=kind,
            prompt=prompt,
            parent=parent,
            sources=sources or {},
            allowance=allowance,
            cell=cell,
            said=said,
        )
        # Shielded: whoever asked may go away, but a row that is written must not be missing in the queue.
        return await asyncio.shield(self._tasks.spawn("add", self._admit(address, cell, adding)))

    async def cancel(self, job_id: int) -> bool:
        """End a job that waits or runs. False when its pictures are there, or it had ended already."""
        opened = self._open.get(job_id)
        taken_back = self._queue.remove(job_id)
        try:
            cancelled = await self._db.jobs.cancel(job_id, now=self._now())
        except Missing:
            cancelled = False
        except BaseException:
            if opened is not None and taken_back:
                self._put(opened, front=True)
            raise
        if opened is not None and (cancelled or taken_back):
            opened.cancelled = True
            if opened.painting is not None:
                opened.painting.cancel()
            self._queue.remove(job_id)  # a job that a dying worker gave back may have come into it meanwhile
            self._close(opened)
        if cancelled:
            self._telling.tell(job_id, "cancelled")
        self._fill()
        return cancelled

    def hold(self, guild: int | None, *, held: bool) -> None:
        """Begin nothing more of `guild` (None: of anybody), or go on. What waits keeps its place; what runs is finished."""
        if guild is None:
            self._held = held
        else:
            self._queue.hold(guild, held=held)
        self._fill()

    def standing(self, job_id: int) -> Standing | None:
        """Where a waiting or running job stands; None for any other."""
        opened = self._open.get(job_id)
        if opened is None:
            return None
        return standing_of(opened, self._queue, self._flight, held=self._held, now=self._now())

    def queue(self, guild: int | None = None) -> tuple[Standing, ...]:
        """Every running and waiting job, or those of `guild`, in the order in which they are expected to begin."""
        order = (*(each for each in self._open if each not in self._queue), *self._queue.order())
        standings = (self.standing(job) for job in order)
        return tuple(each for each in standings if each and guild in (None, each.job.address.guild))

    async def _admit(self, address: Address, cell: CellRef | None, adding: Awaitable[OpenJob]) -> Job:
        try:
            opened = await adding
        except BaseException:
            self._intake.release(address, cell=cell)
            raise
        if self._stopping or opened.id in self._open:
            self._intake.release(address, cell=cell)  # the next start takes it up, or `start` did so since the commit
        else:
            self._put(opened)
            self._fill()
        return opened.job

    async def _take_up(self, job: Job) -> None:
        """Go on with `job` where the last run of Easel left it."""
        match job.state:
            case JobState.RUNNING if job.attempts >= ATTEMPTS:
                await self._db.jobs.fail(job.id, reason=DIED, now=self._now())
                self._telling.tell(job.id, "failed")
            case JobState.RUNNING:
                await self._db.jobs.requeue(job.id)
                self._put(self._intake.take_up(job))
            case JobState.QUEUED:
                self._put(self._intake.take_up(job))
            case JobState.RENDERED:
                if not await self._db.images.of_job(job.id):
                    await self._db.jobs.fail(job.id, reason=PICTURES_GONE, now=self._now())
                    self._telling.tell(job.id, "failed")
                else:
                    self._telling.tell(job.id, "rendered")
            case JobState.FAILED | JobState.CANCELLED as ended:
                self._telling.tell(job.id, "failed" if ended is JobState.FAILED else "cancelled")
            case JobState.DELIVERED:
                pass

    def _put(self, opened: OpenJob, *, front: bool = False) -> None:
        self._open[opened.id] = opened
        push = self._queue.push_front if front else self._queue.push
        address, slow = opened.job.address, bool(opened.job.slow)
        push(opened.id, guild=address.guild, person=address.person, cost=opened.cost, model=opened.model, slow=slow)

    def _close(self, opened: OpenJob) -> None:
        """Nothing of this job is left to do here."""
        if self._open.pop(opened.id, None) is not None:
            self._intake.release(opened.job.address, cell=opened.job.series)

    def _fill(self) -> None:
        """Hand over jobs as long as the next one fits. One that does not fit waits at the head: it is not overtaken."""
        while self._started and not (self._stopping or self._resting or self._held):
            job = self._queue.peek(prefer_model=self._flight.model)
            if job is None or not self._flight.fits(self._open[job]):
                return
            self._queue.pop(prefer_model=self._flight.model)
            opened = self._open[job]
            self._flight.add(opened)
            self._tasks.spawn(f"job {job}", self._work(opened))

    def _land(self, opened: OpenJob, *, spent: float | None = None) -> None:
        """The painter is done with this job, which cost `spent` (None: as predicted); others may go."""
        if self._flight.remove(opened.id):
            self._queue.settle(opened.id, spent=spent)
            self._fill()

    async def _work(self, opened: OpenJob) -> None:
        """From the queue's hands to its end. Whatever happens ends this job and no other."""
        try:
            await self._or_fail(opened)
        except DatabaseUnavailable as error:
            # Nothing can be written, so nothing may be forgotten: the same again when there is room, or after a restart.
            log.critical("Job %d waits for the database: %s", opened.id, error)
            opened.adrift = True
            self._rest()
            self._return(opened)

    async def _or_fail(self, opened: OpenJob) -> None:
        try:
            await self._through(opened)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("Job %d failed", opened.id)
            await self._fail(opened, OURS)

    async def _through(self, opened: OpenJob) -> None:
        try:
            if opened.adrift:
                await self._anchor(opened)
            await self._db.jobs.start(opened.id, now=self._now())
            sources = await self._db.jobs.sources(opened.id)
        except WrongState:
            self._drop(opened)
            return
        except Missing as gone:
            if gone.what == "job":
                self._drop(opened)
            else:
                await self._fail(opened, SOURCE_GONE)
            return
        ending = None if self._stopping or opened.cancelled else await self._painter.paint(opened, sources)
        await self._ended(opened, ending)

    async def _anchor(self, opened: OpenJob) -> None:
        """Its row may say that it runs, from before the database failed: let it say that it waits."""
        with suppress(WrongState):
            await self._db.jobs.requeue(opened.id)
        opened.adrift = False

    async def _ended(self, opened: OpenJob, ending: Ending) -> None:
        match ending:
            case Finished(images=(_, *_)) as finished:
                await self._store(opened, finished)
            case Failed(code=FailureCode.WORKER_DIED) as failure:
                opened.deaths += 1
                if opened.deaths >= DEATHS:
                    await self._fail(opened, sentence_of(failure))
                else:
                    await self._back(opened)
            case Failed() as failure:
                await self._fail(opened, sentence_of(failure))
            case BackendUnavailable() as error:
                log.error("The painter cannot be reached: %s", error)
                self._rest()
                await self._back(opened)
            case None if opened.cancelled:
                self._drop(opened)
            case None:
                await self._back(opened)
            case Finished():
                log.error("Job %d came back without pictures", opened.id)
                await self._fail(opened, OURS)

    async def _store(self, opened: OpenJob, finished: Finished) -> None:
        """Write the pictures down; one that was cancelled meanwhile is dropped, and nobody sees it."""
        self._land(opened)
        request, count = opened.job.request, len(finished.images)
        try:
            await self._db.jobs.render(
                opened.id,
                images=finished.images,
                requests=[single(request, index) for index in range(count)],
                models=[worker_of(request)] * count,
                maps=finished.maps,
                notes=finished.notes,
                seconds=finished.timings.seconds,
                rows=finished.timings.rows,
                now=self._now(),
            )
        except (WrongState, Missing):
            self._close(opened)
            return
        self._close(opened)
        self._telling.tell(opened.id, "rendered")

    async def _fail(self, opened: OpenJob, sentence: str) -> None:
        """It ends with words, and costs its lane nothing."""
        self._land(opened, spent=0.0)
        try:
            await self._db.jobs.fail(opened.id, reason=sentence, now=self._now())
        except (WrongState, Missing):
            log.info("Job %d was over before it failed", opened.id)
        else:
            self._telling.tell(opened.id, "failed")
        self._close(opened)

    async def _back(self, opened: OpenJob) -> None:
        """Back to the head of its line, to be begun anew: by this run of Easel, or the next."""
        try:
            await self._db.jobs.requeue(opened.id)
        except (WrongState, Missing):
            self._drop(opened)
            return
        self._return(opened)

    def _return(self, opened: OpenJob) -> None:
        """To the head of its line. A closing studio leaves it for the next start."""
        opened.forget_progress()
        if self._flight.remove(opened.id):
            self._queue.settle(opened.id, spent=0.0)
        if self._stopping or opened.cancelled:
            self._close(opened)
            return
        self._put(opened, front=True)
        self._telling.progressed(opened.id)
        self._fill()

    def _drop(self, opened: OpenJob) -> None:
        """It was cancelled or deleted: what was painted of it is paid for, the rest is not."""
        self._land(opened, spent=opened.cost - opened.left)
        self._close(opened)

    def _rest(self) -> None:
        """Hand nothing over for a while."""

        async def wait() -> None:
            await self._clock.sleep(PAUSE)
            self._resting = False
            self._fill()

        if not self._resting and not self._stopping:
            self._resting = True
            self._resume = self._tasks.spawn("rest", wait())
