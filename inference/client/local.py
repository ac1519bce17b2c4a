"""The painter in a process of its own on this machine: started, watched, ended, and started again.

Owns one `Worker` at a time and the jobs that wait for it. A worker that dies, falls silent or is stuck is replaced; the
jobs it had end with `worker_died`. Whether a job is tried again is somebody else's decision.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from inference.api.backend import BackendUnavailable
from inference.api.errors import FailureCode
from inference.api.request import Request
from inference.api.wire import (
    VERSION,
    Alive,
    Cancel,
    EngineSettings,
    Event,
    Failed,
    Finished,
    Hello,
    JobEvent,
    Ready,
    Refresh,
    Shutdown,
    Submit,
    WireError,
)
from inference.client.clock import Clock, SystemClock
from inference.client.watch import CPU_PATIENCE, PATIENCE, Watch
from inference.client.worker import Worker

_log = logging.getLogger("easel.painter")

BACK_OFF = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each further start in a row; a worker that got ready begins the row again."""
GRACE = 3.0
"""Seconds that a worker has to end by itself after Shutdown."""
_DIED = "The painter stopped in the middle of this picture."


@dataclass(slots=True, eq=False)
class _Submission:
    job: int
    events: asyncio.Queue[JobEvent] = field(default_factory=asyncio.Queue[JobEvent])


class LocalBackend:
    """Runs `python -m inference.engine` (or `command`) with `settings`. `clock` is for tests that cannot wait."""

    def __init__(
        self,
        settings: EngineSettings,
        *,
        python: str = sys.executable,
        command: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._command = tuple(command or (python, "-m", "inference.engine"))
        self._clock: Clock = clock or SystemClock()
        self._worker: Worker | None = None
        self._ready: Ready | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._failure: str | None = None
        self._closed = False
        self._submissions: dict[int, _Submission] = {}
        self._number = 0

    @property
    def ready(self) -> Ready | None:
        """What the worker last said of itself; None while none is up."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """Process id of the worker, for those who watch it from outside; None while there is none."""
        return self._worker.pid if self._worker is not None else None

    async def start(self) -> Ready:
        """Start the worker and wait until it is ready. Raises BackendUnavailable with the worker's own last words."""
        if self._closed:
            raise BackendUnavailable("The painter has been closed; make a new one.")
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        while self._ready is None:
            if self._failure is not None:
                sentence = f"The painter could not be started: {self._failure}."
                await self.aclose()
                raise BackendUnavailable(sentence)
            await self._next_news()
        return self._ready

    async def refresh(self) -> Ready:
        """Have the worker look at the models folders again. Raises BackendUnavailable when it is closed."""
        worker, before = await self._up(), self._ready
        worker.send(Refresh())
        while self._ready is before or self._ready is None:
            await self._next_news()
            if self._closed:
                raise BackendUnavailable("The painter has been closed.")
        return self._ready

    async def cancel(self, job: int) -> None:
        """Ask the worker to end `job`; unknown jobs are ignored."""
        for number, submission in self._submissions.items():
            if submission.job == job and self._worker is not None:
                self._worker.send(Cancel(number))

    async def generate(
        self, job: int, request: Request, *, attachments: Mapping[str, bytes], lane: str = ""
    ) -> AsyncGenerator[JobEvent, None]:
        """Submit and yield what comes back. On the wire a job has a number of its own, so that a second try of it

        never hears the end of the first.
        """
        worker = await self._up()
        self._number += 1
        number, submission, over = self._number, _Submission(job), False
        self._submissions[number] = submission
        try:
            try:
                worker.send(Submit(number, request, dict(attachments), lane))
            except WireError:
                over = True
                yield Failed(job, FailureCode.BAD_SOURCE, "The source pictures are too large; send smaller ones.")
                return
            while not over:
                event = await submission.events.get()
                over = isinstance(event, Finished | Failed)
                yield msgspec.structs.replace(event, job=job)
        finally:
            del self._submissions[number]
            if not over and self._worker is worker:
                worker.send(Cancel(number))

    async def aclose(self) -> None:
        """Shut the worker down, by force if it takes longer than `GRACE`; running jobs end with `worker_died`."""
        self._closed = True
        self._tell()
        worker, keeper = self._worker, self._keeper
        if worker is not None:
            worker.send(Shutdown())
            await worker.ended(within=GRACE)
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        self._lose_jobs()

    async def _up(self) -> Worker:
        if self._keeper is None:
            raise BackendUnavailable("The painter is not running; start it first.")
        while self._ready is None or self._worker is None:
            if self._closed:
                raise BackendUnavailable("The painter has been closed.")
            await self._next_news()
        return self._worker

    def _tell(self) -> None:
        """Wake everybody who waits for a change of `ready`, `failure` or `closed`."""
        self._news.set()
        self._news = asyncio.Event()

    async def _next_news(self) -> None:
        await self._news.wait()

    async def _keep(self) -> None:
        """Run one worker after the other until closed. The first that cannot get ready is the last."""
        attempt, first = 0, True
        while not self._closed:
            await self._clock.sleep(BACK_OFF[min(attempt, len(BACK_OFF) - 1)])
            was_ready, reason = await self._run_worker()
            self._lose_jobs()
            if self._closed:
                return
            if first and not was_ready:
                self._failure = reason
                self._tell()
                return
            first, attempt = False, 0 if was_ready else attempt + 1
            _log.error("The painter is started again: %s", reason)

    async def _run_worker(self) -> tuple[bool, str]:
        """One worker's life. Returns whether it ever got ready, and why it ended."""
        starting = asyncio.create_task(Worker.start(self._command))
        try:
            worker = await asyncio.shield(starting)
        except OSError as error:
            return False, f"{self._command[0]} cannot be run ({error})"
        except asyncio.CancelledError:
            # Closed in the middle of a start: the process that is about to be there must not stay.
            with suppress(OSError):
                late = await starting
                late.kill()
                await late.ended(within=GRACE)
            raise
        self._worker = worker
        watch = Watch(self._clock.now())
        was_ready = False
        guard = asyncio.create_task(self._guard(worker, watch))

        def heard(event: Event) -> None:
            nonlocal was_ready
            watch.heard(event, self._clock.now())
            if isinstance(event, Ready):
                if event.version != VERSION:
                    raise WireError(f"it speaks version {event.version}, not {VERSION}")
                watch.patience = PATIENCE.get(event.device.kind, CPU_PATIENCE)
                was_ready, self._ready = True, event
                self._tell()
            elif not isinstance(event, Alive) and event.job in self._submissions:
                self._submissions[event.job].events.put_nowait(event)

        try:
            worker.send(Hello(self._settings))
            reason = await worker.read(heard)
        finally:
            guard.cancel()
            self._ready = self._worker = None
            worker.kill()
            status = await worker.ended(within=GRACE)
        verdict = guard.result() if guard.done() and not guard.cancelled() else f"{reason} (status {status})"
        return was_ready, ": ".join((verdict, *list(worker.last_lines)[-1:]))

    async def _guard(self, worker: Worker, watch: Watch) -> str:
        """Look at the watch each second; kill the worker and say why when it must be."""
        while True:
            await self._clock.sleep(1.0)
            verdict = watch.verdict(self._clock.now())
            if verdict is not None:
                worker.kill()
                return verdict

    def _lose_jobs(self) -> None:
        for submission in self._submissions.values():
            submission.events.put_nowait(Failed(submission.job, FailureCode.WORKER_DIED, _DIED))
