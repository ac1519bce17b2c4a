"""Jobs: every step of the state machine, and every step that it does not have."""

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from inference.api.enlarging import UpscaleRequest
from inference.api.request import GenerationRequest
from inference.api.result import ImageResult
from storage.database import FILE, Database
from storage.errors import Missing, RequestUnreadable, WrongState
from storage.gallery_values import Query
from storage.values import NEXT, JobState

Ask = Callable[..., Awaitable]
Paint = Callable[..., Awaitable]

STEPS: dict[JobState, Callable[[Database, int], Awaitable[object]]] = {
    JobState.QUEUED: lambda db, job: db.jobs.requeue(job),
    JobState.RUNNING: lambda db, job: db.jobs.start(job),
    JobState.RENDERED: lambda db, job: db.jobs.render(
        job, images=[], requests=[], models=[], seconds=1.0, rows=2, now=30.0
    ),
    JobState.DELIVERED: lambda db, job: db.jobs.deliver(job, message=77, channel=1, now=40.0),
    JobState.FAILED: lambda db, job: db.jobs.fail(job, reason="The painter ran out of memory.", now=40.0),
}
WAYS: dict[JobState, tuple[JobState, ...]] = {
    JobState.QUEUED: (),
    JobState.RUNNING: (JobState.RUNNING,),
    JobState.RENDERED: (JobState.RUNNING, JobState.RENDERED),
    JobState.DELIVERED: (JobState.RUNNING, JobState.RENDERED, JobState.DELIVERED),
    JobState.FAILED: (JobState.FAILED,),
}


async def brought_to(database: Database, ask: Ask, state: JobState) -> int:
    """A job in this state."""
    job = (await ask()).id
    if state is JobState.CANCELLED:
        assert await database.jobs.cancel(job, now=30.0)
        return job
    for step in WAYS[state]:
        await STEPS[step](database, job)
    return job


async def test_a_job_comes_back_as_it_was_asked(database: Database, ask: Ask) -> None:
    """What `add` returns is what a later start of Easel reads, all of it."""
    job = await ask()
    assert job.state is JobState.QUEUED
    assert (job.address.person, job.address.interaction_token, job.cost, job.told) == (3, "secret", 2.5, False)
    assert await database.jobs.get(job.id) == job
    assert isinstance(job.created, float)
    assert await database.jobs.get(999) is None


@pytest.mark.parametrize("wanted", STEPS)
@pytest.mark.parametrize("state", JobState)
async def test_only_the_steps_of_the_state_machine(
    database: Database, ask: Ask, state: JobState, wanted: JobState
) -> None:
    """A step that the table has is taken; any other raises WrongState, says both ends, and changes nothing."""
    job = await brought_to(database, ask, state)
    before = await database.jobs.get(job)
    assert before is not None
    assert before.state is state
    if wanted in NEXT[state]:
        await STEPS[wanted](database, job)
        after = await database.jobs.get(job)
        assert after is not None
        assert after.state is wanted
    else:
        with pytest.raises(WrongState) as caught:
            await STEPS[wanted](database, job)
        assert (caught.value.state, caught.value.wanted) == (state, wanted)
        assert await database.jobs.get(job) == before


@pytest.mark.parametrize("state", JobState)
async def test_cancelling_in_every_state(database: Database, ask: Ask, state: JobState) -> None:
    """Cancelling works while a job is queued or running, and says False afterwards."""
    job = await brought_to(database, ask, state)
    assert await database.jobs.cancel(job, now=50.0) is (state in {JobState.QUEUED, JobState.RUNNING})
    found = await database.jobs.get(job)
    assert found is not None
    assert found.state is (JobState.CANCELLED if state in {JobState.QUEUED, JobState.RUNNING} else state)


@pytest.mark.parametrize(
    "step",
    [
        *STEPS.values(),
        lambda db, job: db.jobs.cancel(job, now=1.0),
        lambda db, job: db.jobs.mark_told(job),
        lambda db, job: db.jobs.set_card(job, 5),
    ],
)
async def test_a_job_that_is_gone(database: Database, step: Callable[[Database, int], Awaitable[object]]) -> None:
    """Every step of a job that does not exist raises Missing with a sentence."""
    with pytest.raises(Missing, match="That job is gone"):
        await step(database, 12)


async def test_every_start_counts(database: Database, ask: Ask) -> None:
    """A job that went back to the queue knows how often it was begun."""
    job = (await ask()).id
    assert (await database.jobs.start(job)).attempts == 1
    await database.jobs.requeue(job)
    assert (await database.jobs.start(job)).attempts == 2


async def test_unfinished_means_untold(database: Database, ask: Ask) -> None:
    """Whatever still needs the painter, a post or a word is listed, oldest first; the rest is not."""
    jobs = {state: await brought_to(database, ask, state) for state in JobState}
    assert [job.id for job in await database.jobs.unfinished()] == sorted(
        job for state, job in jobs.items() if state is not JobState.DELIVERED
    )
    await database.jobs.mark_told(jobs[JobState.FAILED])
    await database.jobs.mark_told(jobs[JobState.CANCELLED], message=9)
    assert {job.state for job in await database.jobs.unfinished()} == {
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.RENDERED,
    }


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.RENDERED, JobState.DELIVERED])
async def test_only_an_ending_without_pictures_is_told(database: Database, ask: Ask, state: JobState) -> None:
    """A job that is not failed or cancelled cannot be ticked off as told."""
    job = await brought_to(database, ask, state)
    with pytest.raises(WrongState):
        await database.jobs.mark_told(job)


async def test_rendering_keeps_everything_at_once(database: Database, paint: Paint) -> None:
    """Pictures, their rows, the job's figures and the pending post are there together."""
    images = await paint(b"one", b"two")
    assert [(image.index, image.seed, image.infotext, image.bytes) for image in images] == [
        (0, 5, "a fox 0", 3),
        (1, 6, "a fox 1", 3),
    ]
    assert images == await database.images.of_job(images[0].job)
    assert [await database.images.data(image.id) for image in images] == [b"one", b"two"]
    job = await database.jobs.get(images[0].job)
    assert job is not None
    assert (job.state, job.notes, job.seconds, job.rows, job.finished) == ("rendered", ("no such LoRA",), 1.5, 40, None)
    (post,) = await database.posts.of_job(job.id)
    assert (post.job, post.kind, post.tried, post.nonce) == (job.id, "result", None, f"easel-{job.id}-0")


async def test_a_cancelled_job_keeps_no_pictures(
    database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest]
) -> None:
    """Pictures that arrive after the cancel leave neither rows nor files."""
    job = (await ask()).id
    await database.jobs.start(job)
    await database.jobs.cancel(job, now=1.0)
    with pytest.raises(WrongState):
        await database.jobs.render(
            job, images=[ImageResult(b"late", 64, 64, 1, "")], requests=[request_of(1)], models=["m"],
            seconds=1.0, rows=1, now=2.0,
        )  # fmt: skip
    assert await database.images.of_job(job) == ()
    assert await database.pictures.hashes() == frozenset()


async def test_every_picture_needs_its_request(database: Database, ask: Ask) -> None:
    """Lists of different lengths are a mistake of the caller's, and keep nothing."""
    job = (await ask()).id
    await database.jobs.start(job)
    with pytest.raises(ValueError, match="zip"):
        await database.jobs.render(
            job, images=[ImageResult(b"x", 1, 1, 1, "")], requests=[], models=[], seconds=1.0, rows=1, now=2.0
        )
    found = await database.jobs.get(job)
    assert found is not None
    assert found.state is JobState.RUNNING
    assert await database.pictures.hashes() == frozenset()


async def test_delivering_says_where(database: Database, paint: Paint) -> None:
    """After delivery the pictures are found by the message that shows them, and nothing is owed."""
    images = await paint(b"one", b"two", message=77)
    assert [image.id for image in await database.images.of_message(77)] == [image.id for image in images]
    assert {image.message_channel for image in await database.images.of_message(77)} == {1}
    assert await database.jobs.unfinished() == ()
    (post,) = await database.posts.of_job(images[0].job)
    assert (post.state, post.message) == ("sent", 77)


async def test_a_result_that_cannot_be_shown_keeps_its_pictures(database: Database, paint: Paint) -> None:
    """A rendered job may fail for want of a place to show it; the gallery still has the pictures, the outbox not the post."""
    images = await paint(b"one")
    await database.jobs.fail(images[0].job, reason="The channel is gone and your DMs are closed.", now=30.0)
    assert (await database.gallery.page(3, Query())).total == 1
    assert [post.state for post in await database.posts.of_job(images[0].job)] == ["lost"]


async def test_sources_travel_with_the_job(database: Database, ask: Ask) -> None:
    """Pictures to begin from are kept with the job, and come back by hash."""
    sha256 = hashlib.sha256(b"upload").hexdigest()
    job = await ask(request=UpscaleRequest(picture=sha256, upscaler="lanczos"), sources={sha256: b"upload"})
    assert await database.jobs.sources(job.id) == {sha256: b"upload"}
    again = await ask(request=UpscaleRequest(picture=sha256, upscaler="lanczos"))
    assert await database.jobs.sources(again.id) == {sha256: b"upload"}


async def test_a_source_must_be_somewhere(database: Database, ask: Ask) -> None:
    """A request whose picture is neither given nor kept is refused, and so is a key that is no hash; nothing is left."""
    sha256 = hashlib.sha256(b"never seen").hexdigest()
    with pytest.raises(Missing, match="That picture is gone"):
        await ask(request=UpscaleRequest(picture=sha256, upscaler="lanczos"))
    with pytest.raises(ValueError, match="sha256"):
        await ask(sources={sha256: b"something else"})
    assert await database.jobs.unfinished() == ()
    assert await database.pictures.hashes() == frozenset()


async def test_a_cancelled_upload_goes(database: Database, ask: Ask) -> None:
    """What somebody uploaded for a job that they cancelled is not kept."""
    sha256 = hashlib.sha256(b"upload").hexdigest()
    job = await ask(sources={sha256: b"upload"})
    await database.jobs.cancel(job.id, now=1.0)
    assert await database.jobs.sources(job.id) == {}
    assert await database.pictures.hashes() == frozenset()


async def test_a_parent_that_is_gone_is_left_out(database: Database, ask: Ask, paint: Paint) -> None:
    """A variation of a picture that is deleted meanwhile is asked and painted all the same."""
    (image,) = await paint(b"one")
    child = await ask(parent=image.id)
    assert child.parent == image.id
    await database.images.remove(image.id)
    found = await database.jobs.get(child.id)
    assert found is not None
    assert found.parent is None
    assert (await ask(parent=image.id)).parent is None


async def test_counting_what_is_open(database: Database, ask: Ask) -> None:
    """Caps count queued and running jobs, by person and by server."""
    for state in JobState:
        await brought_to(database, ask, state)
    await ask(4)
    await ask(3, guild=None)
    assert await database.jobs.count_open(person=3) == 3
    assert await database.jobs.count_open(guild=2) == 3
    assert await database.jobs.count_open(person=4, guild=2) == 1
    assert await database.jobs.count_open() == 4


async def test_recent_jobs(database: Database, ask: Ask) -> None:
    """A person's last jobs come newest first, and nobody else's."""
    jobs = [(await ask(now=float(n))).id for n in range(5)]
    await ask(4)
    assert [job.id for job in await database.jobs.recent_of(3, 3)] == jobs[:1:-1]


def spoil(folder: Path, table: str, row: int) -> None:
    """Make a stored request one of another Easel's."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(f'UPDATE {table} SET request = \'{{"type":"sculpt"}}\' WHERE id = ?', (row,))  # noqa: S608


async def test_an_unreadable_request_hides_no_other(database: Database, ask: Ask, folder: Path) -> None:
    """A request that no longer decodes is an error for its own row; lists go on, and the job can still be ended and told."""
    good, bad = await ask(), await ask()
    spoil(folder, "jobs", bad.id)
    with pytest.raises(RequestUnreadable, match=f"Job {bad.id} was asked for in a way") as caught:
        await database.jobs.get(bad.id)
    assert (caught.value.what, caught.value.key) == ("job", bad.id)
    assert [job.id for job in await database.jobs.unfinished()] == [good.id]
    assert [job.id for job in await database.jobs.recent_of(3)] == [good.id]
    (unreadable,) = await database.jobs.unreadable()
    assert (unreadable.id, unreadable.state, unreadable.address) == (bad.id, JobState.QUEUED, bad.address)
    await database.jobs.fail(bad.id, reason=unreadable.sentence, now=1.0)
    await database.jobs.mark_told(bad.id)
    assert await database.jobs.unreadable() == ()


async def test_an_unreadable_picture_hides_no_other(database: Database, paint: Paint, folder: Path) -> None:
    """A gallery page leaves out a picture whose request no longer decodes, counts it, and its file can still be had."""
    images = await paint(b"one", b"two", message=77)
    spoil(folder, "images", images[0].id)
    page = await database.gallery.page(3, Query())
    assert ([image.id for image in page.images], page.total) == ([images[1].id], 2)
    assert [image.id for image in await database.images.of_message(77)] == [images[1].id]
    with pytest.raises(RequestUnreadable):
        await database.images.get(images[0].id)
    assert await database.images.data(images[0].id) == b"one"
