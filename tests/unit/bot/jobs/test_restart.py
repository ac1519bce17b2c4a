"""Stopping and starting in every state: nothing is lost, nothing is painted or told twice."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import RequestRefused
from inference.api.result import ImageResult
from inference.client.gates import OpenGate
from storage.database import Database
from storage.values import JobState
from tests.unit.bot.jobs.studio import NOW, address, request, studio, until

PICTURE = ImageResult(b"\x89PNG of some kind", 64, 64, 5, "a cat\nSteps: 4")


async def left_behind(folder: Path, *states: JobState, attempts: int = 1) -> list[int]:
    """A database in which jobs stand in these states, as a process that was killed leaves it."""
    db = await Database.open(folder)
    jobs = [await left_in(db, state, attempts=attempts) for state in states]
    await db.close()
    return jobs


async def left_in(db: Database, state: JobState, *, attempts: int = 1) -> int:
    """One job that got as far as `state`."""
    job = await db.jobs.add(
        address=address(), request=request(), kind="imagine", prompt="a cat", parent=None, cost=1.0, now=NOW
    )
    if state is JobState.CANCELLED:
        await db.jobs.cancel(job.id, now=NOW)
    if state is JobState.FAILED:
        await db.jobs.fail(job.id, reason="It broke.", now=NOW)
    if state in (JobState.RUNNING, JobState.RENDERED, JobState.DELIVERED):
        for _ in range(attempts - 1):
            await db.jobs.start(job.id)
            await db.jobs.requeue(job.id)
        await db.jobs.start(job.id)
    if state in (JobState.RENDERED, JobState.DELIVERED):
        await db.jobs.render(
            job.id, images=[PICTURE], requests=[request()], models=["gradient"], seconds=1.0, rows=8, now=NOW
        )
    if state is JobState.DELIVERED:
        await db.jobs.deliver(job.id, message=9, channel=77, now=NOW)
    return job.id


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (JobState.QUEUED, ["rendered"]),
        (JobState.RUNNING, ["rendered"]),
        (JobState.RENDERED, ["rendered"]),
        (JobState.FAILED, ["failed"]),
        (JobState.CANCELLED, ["cancelled"]),
        (JobState.DELIVERED, []),
    ],
)
async def test_a_killed_easel_goes_on_in_every_state(tmp_path: Path, state: JobState, told: list[str]) -> None:
    """What was not painted is painted, what was not told is told, each once; a third start has nothing to do."""
    (job,) = await left_behind(tmp_path, state)
    async with studio(tmp_path, gate=OpenGate()) as made:
        if told:
            await made.heard.end_of(job)
        await made.quiet()
        assert made.heard.ends(job) == told
        painted = state in (JobState.QUEUED, JobState.RUNNING)
        assert (made.heard.moved != []) == painted
        assert len(await made.db.images.of_job(job)) == (0 if state in (JobState.FAILED, JobState.CANCELLED) else 1)
    async with studio(tmp_path, gate=OpenGate()) as made:
        await made.quiet()
        assert made.heard.told == []
        assert made.heard.moved == []


async def test_what_ran_goes_first_after_a_restart(tmp_path: Path) -> None:
    """And everything else in the order in which it was asked."""
    jobs = await left_behind(tmp_path, JobState.QUEUED, JobState.QUEUED, JobState.RUNNING)
    async with studio(tmp_path, started=False) as made:
        await made.dispatcher.start()
        assert [standing.job.id for standing in made.dispatcher.queue()] == [jobs[2], jobs[0], jobs[1]]


async def test_jobs_of_the_last_run_count_towards_caps(tmp_path: Path) -> None:
    """A restart gives nobody new places."""
    await left_behind(tmp_path, *[JobState.QUEUED] * 5)
    async with studio(tmp_path) as made:
        with pytest.raises(RequestRefused, match="5 jobs"):
            await made.submit()


async def test_a_job_that_takes_easel_down_each_time_is_given_up(tmp_path: Path) -> None:
    """It was running at the third crash: it is not begun a fourth time."""
    (job,) = await left_behind(tmp_path, JobState.RUNNING, attempts=3)
    async with studio(tmp_path, gate=OpenGate()) as made:
        end, told, _ = await made.heard.end_of(job)
        assert (end, told.attempts) == ("failed", 3)
        assert made.heard.moved == []


async def test_pictures_that_are_gone_are_told_as_gone(tmp_path: Path) -> None:
    """Somebody deleted them before they could be shown."""
    (job,) = await left_behind(tmp_path, JobState.RENDERED)
    db = await Database.open(tmp_path)
    for image in await db.images.of_job(job):
        await db.images.remove(image.id)
    await db.close()
    async with studio(tmp_path) as made:
        end, told, _ = await made.heard.end_of(job)
        assert end == "failed"
        assert "deleted" in told.reason


async def test_a_job_that_is_asked_for_during_a_start_is_queued_once(tmp_path: Path) -> None:
    """People do not wait until Easel has looked around."""
    await left_behind(tmp_path, JobState.QUEUED)
    async with studio(tmp_path, started=False, gate=OpenGate()) as made:
        await made.backend.start()
        _, *asked = await asyncio.gather(made.dispatcher.start(), *(made.submit() for _ in range(4)))
        await made.heard.until(lambda: len(made.heard.told) >= 5)
        await made.quiet()
        assert sorted(told.id for _, told, _ in made.heard.told) == sorted([1, *asked])


async def test_stopping_leaves_rows_that_the_next_start_goes_on_with(tmp_path: Path) -> None:
    """Those that run are let go in the middle, at once, and say `queued`; each is rendered once in the end."""
    async with studio(tmp_path, max_jobs=2) as made:
        jobs = [await made.submit(person=person) for person in (1, 2, 3)]
        await made.reached(jobs[0], "painting")
        await made.started(*jobs[:2])
        await made.dispatcher.stop()
        assert made.backend.running == ()
        assert [await made.state(job) for job in jobs] == [JobState.QUEUED] * 3
        assert made.heard.told == []
        with pytest.raises(RequestRefused, match="being closed"):
            await made.submit()
    async with studio(tmp_path, gate=OpenGate()) as made:
        for job in jobs:
            assert (await made.heard.end_of(job))[0] == "rendered"
        await made.quiet()
        assert len(made.heard.told) == 3
        assert [len(await made.db.images.of_job(job)) for job in jobs] == [1, 1, 1]


async def test_stopping_does_not_wait_for_a_discord_that_hangs(tmp_path: Path) -> None:
    """What could not be told within the grace is told after the next start."""
    async with studio(tmp_path, gate=OpenGate()) as made:
        made.heard.busy = asyncio.Event()
        job = await made.submit()
        await made.heard.end_of(job)
        stopping = asyncio.create_task(made.dispatcher.stop())
        await until(lambda: bool(made.clock._sleepers))
        assert not stopping.done()
        made.clock.advance(5.0)
        await stopping
        assert await made.state(job) is JobState.RENDERED
    async with studio(tmp_path) as made:
        assert (await made.heard.end_of(job))[0] == "rendered"
        await made.quiet()
        assert await made.state(job) is JobState.DELIVERED
