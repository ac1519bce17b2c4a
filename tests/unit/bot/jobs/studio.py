"""A whole studio without Discord: a real database, the fake painter at a gate, and a listener that remembers."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.jobs.dispatcher import Dispatcher
from bot.settings import LimitSettings
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Sampling, Seeds
from inference.client.clock import HandClock
from inference.client.fake import FakeBackend
from inference.client.gates import Gate, HeldGate
from storage.database import Database
from storage.values import Address, Image, Job, JobState, Unreadable

NOW = 1_700_000_000.0
SMALL = Canvas(64, 64)


class Heard:
    """A listener that remembers what it was told; with a `db` it marks there what it did, as one that delivers does.

    While `busy` is set to an event, whatever is told takes until that event.
    """

    def __init__(self, db: Database | None = None) -> None:
        self.db = db
        self.moved: list[int] = []
        self.told: list[tuple[str, Job, tuple[Image, ...]]] = []
        self.lost: list[Unreadable] = []
        self.busy: asyncio.Event | None = None
        self._news = asyncio.Condition()

    def progressed(self, job_id: int) -> None:
        """Remember."""
        self.moved.append(job_id)

    async def rendered(self, job: Job, images: tuple[Image, ...]) -> None:
        """Remember, and deliver."""
        await self._hear("rendered", job, images)
        if self.db is not None:
            await self.db.jobs.deliver(job.id, message=job.id + 500, channel=job.address.channel, now=NOW)

    async def failed(self, job: Job) -> None:
        """Remember, and say so."""
        await self._hear("failed", job, ())

    async def cancelled(self, job: Job) -> None:
        """Remember, and say so."""
        await self._hear("cancelled", job, ())

    async def unreadable(self, lost: Unreadable) -> None:
        """Remember, and say so."""
        self.lost.append(lost)
        if self.db is not None:
            await self.db.jobs.mark_told(lost.id)

    def ends(self, job: int) -> list[str]:
        """What was told of `job`."""
        return [end for end, told, _ in self.told if told.id == job]

    async def until(self, check: Callable[[], bool]) -> None:
        """Return when something was told that makes `check` true."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(check)

    async def end_of(self, job: int) -> tuple[str, Job, tuple[Image, ...]]:
        """What was told first of `job`, once it is."""
        await self.until(lambda: bool(self.ends(job)))
        return next(told for told in self.told if told[1].id == job)

    async def _hear(self, end: str, job: Job, images: tuple[Image, ...]) -> None:
        async with self._news:
            self.told.append((end, job, images))
            self._news.notify_all()
        if self.busy is not None:
            await self.busy.wait()
        if self.db is not None and end != "rendered":
            await self.db.jobs.mark_told(job.id)


@dataclass
class Studio:
    """Everything that a test holds in its hands."""

    db: Database
    gate: HeldGate
    backend: FakeBackend
    clock: HandClock
    heard: Heard
    dispatcher: Dispatcher
    limits: LimitSettings = field(default_factory=LimitSettings)

    async def submit(self, *, person: int = 1, guild: int | None = 10, **said: Any) -> int:
        """Ask for a picture; the job's id."""
        job = await self.dispatcher.submit(
            address=address(person=person, guild=guild), request=request(**said), kind="imagine", prompt="a cat"
        )
        return job.id

    async def state(self, job: int) -> JobState:
        """What the row says."""
        row = await self.db.jobs.get(job)
        assert row is not None
        return row.state

    async def started(self, *jobs: int) -> None:
        """Wait until these jobs stand at the gate."""
        await until(lambda: set(jobs) <= {point.job for point in self.gate.held})

    async def reached(self, job: int, stage: str | None = None) -> None:
        """Wait until `job` stands at the gate in `stage`; no test waits for ever."""
        async with asyncio.timeout(20):
            await self.gate.reached(job, stage)

    async def finish(self, job: int) -> None:
        """Let `job`, which stands at the gate, run to its end while all others stand still."""

        def over() -> bool:
            self.gate.release(job)
            return job not in self.backend.running

        await until(over)

    async def quiet(self) -> None:
        """Let everything that can run now run: a few turns of the loop around a write that all others wait for."""
        for _ in range(3):
            await self.db.jobs.set_card(1, 0)
            for _ in range(20):
                await asyncio.sleep(0)


async def until(check: Callable[[], bool]) -> None:
    """Give way until `check` is true: for what has no event of its own to wait for."""
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110 - the gate and the clock tell nobody who comes to them
            await asyncio.sleep(0)


def address(*, person: int = 1, guild: int | None = 10) -> Address:
    """Where `person` asked."""
    return Address(channel=77, guild=guild, person=person)


def request(
    *,
    count: int = 1,
    seed: int = 5,
    steps: int = 4,
    model: str = "gradient",
    cfg: float = 7.0,
    sampler: str = "euler_a",
    canvas: Canvas = SMALL,
    **more: Any,
) -> GenerationRequest:
    """A small wish; with guidance a picture is two rows."""
    return GenerationRequest(
        prompt=Prompt("a cat"),
        canvas=canvas,
        seeds=Seeds(seed),
        model=ModelRef(model),
        sampling=Sampling(sampler, steps=steps),
        guidance=Guidance(cfg),
        count=count,
        **more,
    )


@asynccontextmanager
async def studio(
    folder: Path,
    *,
    gate: Gate | None = None,
    painter: type[FakeBackend] = FakeBackend,
    limits: LimitSettings | None = None,
    started: bool = True,
    marks: bool = True,
    **more: Any,
) -> AsyncGenerator[Studio]:
    """A studio over the database in `folder`, closed at the end as Easel closes it."""
    db = await Database.open(folder)
    held = HeldGate()
    backend = painter(gate=gate or held, preview_every=2)
    clock = HandClock()
    heard = Heard(db if marks else None)
    limits = limits or LimitSettings()
    dispatcher = Dispatcher(db, backend, limits=limits, listener=heard, clock=clock, now=lambda: NOW, **more)
    made = Studio(db, held, backend, clock, heard, dispatcher, limits)
    try:
        if started:
            await backend.start()
            await dispatcher.start()
        yield made
    finally:
        stopping = asyncio.create_task(dispatcher.stop())
        while not stopping.done():
            clock.advance(60.0)
            await asyncio.sleep(0)
        await stopping
        await backend.aclose()
        await db.close()
