"""Cancelling in every state: what is cancelled is never shown, and what is shown was not cancelled."""

import asyncio
from pathlib import Path

import pytest

from inference.api.errors import Failure, FailureCode
from inference.client.gates import OpenGate
from storage.values import JobState
from tests.unit.bot.jobs.studio import Studio, studio


async def none_to_see(made: Studio, job: int) -> None:
    """`job` is cancelled, told so once, and left no picture."""
    assert (await made.heard.end_of(job))[0] == "cancelled"
    await made.quiet()
    assert made.heard.ends(job) == ["cancelled"]
    assert await made.state(job) is JobState.CANCELLED
    assert await made.db.images.of_job(job) == ()
    assert await made.db.posts.of_job(job) == ()
    assert made.dispatcher.standing(job) is None
    assert not await made.dispatcher.cancel(job)


async def test_a_waiting_job_is_taken_out_of_the_queue(tmp_path: Path) -> None:
    """Those behind it move up."""
    async with studio(tmp_path, max_jobs=1) as made:
        jobs = [await made.submit() for _ in range(3)]
        assert await made.dispatcher.cancel(jobs[1])
        await none_to_see(made, jobs[1])
        assert [standing.job.id for standing in made.dispatcher.queue()] == [jobs[0], jobs[2]]


@pytest.mark.parametrize("stage", ["queued", "painting", "decoding", "finishing"])
async def test_a_running_job_is_taken_from_the_painter(tmp_path: Path, stage: str) -> None:
    """At any point, up to the last before its pictures are there; the next begins at once."""
    async with studio(tmp_path, max_jobs=1) as made:
        job, behind = await made.submit(), await made.submit()
        await made.reached(job, stage)
        assert await made.dispatcher.cancel(job)
        await made.started(behind)
        await none_to_see(made, job)
        made.gate.open()
        assert (await made.heard.end_of(behind))[0] == "rendered"


async def test_a_job_that_is_just_beginning_is_cancelled_too(tmp_path: Path) -> None:
    """Between the queue and the painter there is a write; a cancel in that moment counts."""
    async with studio(tmp_path) as made:
        job = await made.submit()
        assert await made.dispatcher.cancel(job)
        await none_to_see(made, job)
        assert made.backend.running == ()


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_cancel_while_pictures_are_stored_is_one_or_the_other(tmp_path: Path, turns: int) -> None:
    """Either it is cancelled and nobody sees it, or it came too late and the pictures are shown."""
    async with studio(tmp_path) as made:
        job = await made.submit()
        await made.reached(job, "finishing")
        made.gate.release(job)
        for _ in range(turns):
            await asyncio.sleep(0)
        if await made.dispatcher.cancel(job):
            await none_to_see(made, job)
        else:
            assert (await made.heard.end_of(job))[0] == "rendered"
            await made.quiet()
            assert made.heard.ends(job) == ["rendered"]
            assert await made.state(job) is JobState.DELIVERED


async def test_a_job_that_a_dying_worker_gave_back_is_cancelled(tmp_path: Path) -> None:
    """Whether it is back in the queue by then or not."""
    for turns in range(0, 12, 2):
        async with studio(tmp_path / str(turns), max_jobs=1) as made:
            job = await made.submit()
            await made.reached(job, "painting")
            made.backend.die()
            for _ in range(turns):
                await asyncio.sleep(0)
            assert await made.dispatcher.cancel(job)
            await none_to_see(made, job)
            assert made.backend.running == ()
            for _ in range(made.limits.jobs_per_person):
                await made.submit()


async def test_what_has_ended_cannot_be_cancelled(tmp_path: Path) -> None:
    """Delivered, failed or never there: the answer is no, and nothing changes."""
    async with studio(tmp_path, gate=OpenGate()) as made:
        shown = await made.submit()
        await made.heard.end_of(shown)
        failed = await made.submit(model="lost")
        await made.heard.end_of(failed)
        for job in (shown, failed, 999):
            assert not await made.dispatcher.cancel(job)
        await made.quiet()
        assert await made.state(shown) is JobState.DELIVERED
        assert await made.state(failed) is JobState.FAILED
        assert len(made.heard.told) == 2


async def test_pictures_that_wait_to_be_shown_cannot_be_cancelled(tmp_path: Path) -> None:
    """They are there; deleting them is another matter."""
    async with studio(tmp_path, gate=OpenGate(), marks=False) as made:
        job = await made.submit()
        await made.heard.end_of(job)
        assert not await made.dispatcher.cancel(job)
        assert await made.state(job) is JobState.RENDERED


async def test_a_cancel_that_cannot_be_written_leaves_the_job_where_it_was(tmp_path: Path) -> None:
    """The error is the caller's to show; the queue is as before."""
    async with studio(tmp_path, max_jobs=1) as made:
        running, waiting = await made.submit(), await made.submit()
        await made.started(running)
        await made.db.close()
        with pytest.raises(Exception, match="closed"):
            await made.dispatcher.cancel(waiting)
        assert [standing.job.id for standing in made.dispatcher.queue()] == [running, waiting]


async def test_a_painter_that_gives_a_job_up_by_itself_is_a_failure(tmp_path: Path) -> None:
    """Nobody pressed cancel, so the person is told and may try again."""
    async with studio(tmp_path) as made:
        job = await made.submit()
        await made.reached(job, "painting")
        made.backend.fail(job, Failure(FailureCode.CANCELLED, ""))
        end, told, _ = await made.heard.end_of(job)
        assert end == "failed"
        assert "try again" in told.reason
