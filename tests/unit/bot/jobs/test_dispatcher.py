"""The dispatcher over a real database and the fake painter: from a wish to pictures in the database, whatever happens."""

import asyncio
import hashlib
import io
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import pytest
from PIL import Image as Pictures

from bot.errors import LimitReached, RequestRefused
from bot.settings import LimitSettings
from inference.api.enlarging import UpscaleRequest
from inference.api.errors import Failure, FailureCode
from inference.api.request import GenerationRequest, Request, Seeds, SourcePicture
from inference.api.wire import JobEvent, Progress
from inference.client.fake import FakeBackend
from inference.client.gates import OpenGate
from storage.values import Image, Job, JobState
from tests.unit.bot.jobs.studio import Heard, address, request, studio, until


def png(side: int = 16) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Pictures.new("RGB", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_wish_becomes_pictures_that_can_be_painted_again_alone(tmp_path: Path) -> None:
    """Rendered, with a row a picture: its own seed, a request for it alone; and the listener has them."""
    async with studio(tmp_path, gate=OpenGate()) as made:
        job = await made.submit(count=3, seed=7)
        end, told, images = await made.heard.end_of(job)
        assert (end, told.state) == ("rendered", JobState.RENDERED)
        assert [image.seed for image in images] == [7, 8, 9]
        for image in images:
            assert isinstance(image.request, GenerationRequest)
            assert (image.request.count, image.request.seeds, image.model) == (1, Seeds(image.seed), "gradient")
        await made.quiet()
        assert made.heard.ends(job) == ["rendered"]
        assert await made.state(job) is JobState.DELIVERED
        assert made.dispatcher.standing(job) is None


async def test_asking_does_not_wait_for_the_painter(tmp_path: Path) -> None:
    """The row is there, and the answer too, while not one step has been painted; even before the painter is up."""
    async with studio(tmp_path, started=False) as made:
        job = await made.submit()
        assert await made.state(job) is JobState.QUEUED
        standing = made.dispatcher.standing(job)
        assert standing is not None
        assert (standing.position, standing.done) == (1, 0)
        await made.backend.start()
        await made.dispatcher.start()
        made.gate.open()
        assert (await made.heard.end_of(job))[0] == "rendered"
        assert made.heard.ends(job) == ["rendered"]


async def test_a_job_that_nobody_waits_for_is_painted_all_the_same(tmp_path: Path) -> None:
    """Who asked may be gone before the answer; what was written down is done."""
    async with studio(tmp_path, gate=OpenGate()) as made:
        asking = asyncio.create_task(made.submit())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await made.heard.until(lambda: len(made.heard.told) == 1)
        assert made.heard.told[0][0] == "rendered"


async def test_caps_are_counted_when_a_job_is_queued(tmp_path: Path) -> None:
    """Ten questions at once do not get past a cap of three, and each end frees a place."""
    async with studio(tmp_path, limits=LimitSettings(jobs_per_person=3)) as made:
        answers = await asyncio.gather(*(made.submit() for _ in range(10)), return_exceptions=True)
        jobs = [answer for answer in answers if isinstance(answer, int)]
        refused = [answer for answer in answers if isinstance(answer, LimitReached)]
        assert (len(jobs), len(refused)) == (3, 7)
        assert "3 jobs" in refused[0].sentence
        await made.submit(person=2)
        assert await made.dispatcher.cancel(jobs[2])
        await made.submit()
        with pytest.raises(LimitReached):
            await made.submit()
        made.gate.open()
        await made.heard.end_of(jobs[0])
        await made.submit()


async def test_a_servers_cap_counts_everybody_in_it(tmp_path: Path) -> None:
    """Direct messages count for the person alone."""
    async with studio(tmp_path, limits=LimitSettings(jobs_per_guild=2)) as made:
        await made.submit(person=1)
        await made.submit(person=2)
        with pytest.raises(LimitReached, match="This server has 2 jobs"):
            await made.submit(person=3)
        await made.submit(person=3, guild=None)
        await made.submit(person=3, guild=11)


async def test_what_cannot_be_queued_is_not_counted(tmp_path: Path) -> None:
    """A missing source, a seed beyond the last, an enlargement beyond the limit: a sentence, no row, no place taken."""
    async with studio(tmp_path, limits=LimitSettings(jobs_per_person=1)) as made:
        data = png()
        sha = hashlib.sha256(data).hexdigest()
        for wish, words, sources in (
            (request(source=SourcePicture("ab" * 32)), "picture to begin from is gone", {}),
            (request(seed=2**32 - 1, count=2), "A seed must be", {}),
            (UpscaleRequest(picture="cd" * 32, upscaler="lanczos"), "is gone", {}),
            (UpscaleRequest(picture=sha, upscaler="lanczos"), "not a PNG", {sha: b"text"}),
        ):
            with pytest.raises(RequestRefused, match=words):
                await made.dispatcher.submit(
                    address=address(), request=wish, kind="imagine", prompt="", sources=sources
                )
        large = png(2000)
        enlarged = UpscaleRequest(picture=hashlib.sha256(large).hexdigest(), upscaler="lanczos", scale=2.0)
        with pytest.raises(LimitReached, match="4,000 × 4,000 pixels"):
            await made.dispatcher.submit(
                address=address(), request=enlarged, kind="upscale", prompt="", sources={enlarged.picture: large}
            )
        assert await made.db.jobs.unfinished() == ()
        await made.submit()


async def test_an_enlargement_takes_its_source_from_storage_or_with_it(tmp_path: Path) -> None:
    """A picture that Easel painted is there already."""
    async with studio(tmp_path, gate=OpenGate()) as made:
        job = await made.submit()
        _, _, images = await made.heard.end_of(job)
        wish = UpscaleRequest(picture=images[0].sha256, upscaler="lanczos", infotext=images[0].infotext)
        larger = await made.dispatcher.submit(address=address(), request=wish, kind="upscale", prompt="")
        _, _, results = await made.heard.end_of(larger.id)
        assert (results[0].width, results[0].model, results[0].request) == (128, "lanczos", wish)


async def test_as_many_run_together_as_their_rows_allow(tmp_path: Path) -> None:
    """Three jobs of eight rows: two fit sixteen, the third begins when one of them has left the painter."""
    async with studio(tmp_path, max_rows=16) as made:
        jobs = [await made.submit(person=person, count=4) for person in (1, 2, 3)]
        await made.started(*jobs[:2])
        await made.quiet()
        assert made.backend.running == tuple(jobs[:2])
        third = made.dispatcher.standing(jobs[2])
        assert third is not None
        assert third.position == 1
        made.backend.fail(jobs[0], Failure(FailureCode.INTERNAL, "It broke."))
        await made.started(jobs[2])
        assert made.backend.running == (jobs[1], jobs[2])


async def test_a_number_of_jobs_is_bounded_too_and_a_large_one_runs_alone(tmp_path: Path) -> None:
    """What has more rows than all that is allowed is not refused: it has the painter for itself."""
    async with studio(tmp_path, max_rows=4, max_jobs=2) as made:
        large = await made.submit(person=1, count=4)
        small = [await made.submit(person=person) for person in (2, 3, 4)]
        await made.started(large)
        await made.quiet()
        assert made.backend.running == (large,)
        made.backend.fail(large, Failure(FailureCode.INTERNAL, "It broke."))
        await made.started(*small[:2])
        await made.quiet()
        assert made.backend.running == tuple(small[:2])


async def test_fairness_holds_while_several_are_in_flight(tmp_path: Path) -> None:
    """A guild with a backlog gives way to another after the jobs that run; within a guild, people do the same."""
    async with studio(tmp_path, max_jobs=2, limits=LimitSettings(jobs_per_person=20)) as made:
        backlog = [await made.submit(person=1, guild=10) for _ in range(6)]
        await made.started(*backlog[:2])
        neighbour = await made.submit(person=2, guild=10)
        stranger = await made.submit(person=3, guild=11)
        order = [standing.job.id for standing in made.dispatcher.queue()]
        assert order == [*backlog[:2], stranger, neighbour, *backlog[2:]]
        for ended, begun in zip(backlog[:2], (stranger, neighbour), strict=True):
            await made.finish(ended)
            await made.started(begun)
        assert {standing.job.id for standing in made.dispatcher.queue(11)} == {stranger}


async def test_another_checkpoint_waits_until_the_air_is_clear(tmp_path: Path) -> None:
    """Two checkpoints by turns cost more than they paint; jobs of the loaded one go first, within the slack."""
    async with studio(tmp_path, max_jobs=4) as made:
        first = await made.submit(person=1, guild=1)
        other = await made.submit(person=2, guild=2, model="sunset")
        same = await made.submit(person=3, guild=3)
        await made.started(first, same)
        await made.quiet()
        assert made.backend.running == (first, same)
        made.backend.fail(first, Failure(FailureCode.INTERNAL, "It broke."))
        await made.quiet()
        assert made.backend.running == (same,)
        made.backend.fail(same, Failure(FailureCode.INTERNAL, "It broke."))
        await made.started(other)


async def test_the_loaded_checkpoint_is_preferred_only_so_long(tmp_path: Path) -> None:
    """A crowd that uses one model cannot keep a guild with another waiting for ever: ten seconds' worth goes first."""
    async with studio(tmp_path, max_jobs=1) as made:
        teacher = await made.submit()
        await made.reached(teacher, "decoding")
        made.clock.advance(4.0)  # so a picture takes four seconds, as far as anybody knows
        await made.finish(teacher)
        await made.heard.end_of(teacher)
        running = await made.submit(person=1, guild=1)
        other = await made.submit(person=2, guild=2, model="sunset")
        crowd = [await made.submit(person=person, guild=person) for person in (3, 4, 5, 6)]
        order: list[int] = []
        for _ in range(6):
            await made.started(running)
            order.append(running)
            await made.finish(running)
            await until(lambda: bool(made.backend.running) or len(order) == 6)
            running = next(iter(made.backend.running), 0)
        assert order[1:4] == [crowd[0], crowd[1], other]
        assert sorted(order[4:]) == crowd[2:]


async def test_a_worker_that_dies_costs_a_second_try(tmp_path: Path) -> None:
    """The job begins anew at the head of its line, is rendered once, and the row says that it took two."""
    async with studio(tmp_path, max_jobs=1) as made:
        job, behind = await made.submit(), await made.submit()
        await made.reached(job, "painting")
        made.backend.die()
        await made.reached(job, "queued")
        standing = made.dispatcher.standing(job)
        assert standing is not None
        assert (standing.position, standing.done, standing.preview) == (0, 0, None)
        made.gate.open()
        _, told, images = await made.heard.end_of(job)
        assert (told.attempts, len(images)) == (2, 1)
        await made.heard.end_of(behind)
        assert made.heard.ends(job) == ["rendered"]
        assert [told.id for _, told, _ in made.heard.told] == [job, behind]


async def test_a_job_that_costs_two_workers_is_given_up(tmp_path: Path) -> None:
    """It fails with words, and those who wait behind it are painted."""
    async with studio(tmp_path, max_jobs=1) as made:
        job, behind = await made.submit(), await made.submit(person=2)
        for _ in range(2):
            await made.reached(job, "queued")
            await made.reached(job, "painting")
            made.backend.die()
            await made.quiet()
        end, told, _ = await made.heard.end_of(job)
        assert end == "failed"
        assert "broke down each time" in told.reason
        made.gate.open()
        assert (await made.heard.end_of(behind))[0] == "rendered"


async def test_after_a_death_each_suspect_runs_alone(tmp_path: Path) -> None:
    """Of several jobs that a worker took down one is guilty; the next death takes no other with it."""
    async with studio(tmp_path, max_jobs=4) as made:
        guilty, innocent = await made.submit(person=1), await made.submit(person=2)
        await made.started(guilty, innocent)
        made.backend.die()
        await made.quiet()
        await made.reached(guilty, "painting")
        assert made.backend.running == (guilty,)
        made.backend.die()
        assert (await made.heard.end_of(guilty))[0] == "failed"
        made.gate.open()
        assert (await made.heard.end_of(innocent))[0] == "rendered"


@pytest.mark.parametrize(("message", "words"), [("It is too large.", "It is too large."), ("  ", "ran out of memory")])
async def test_a_failure_is_told_in_words(tmp_path: Path, message: str, words: str) -> None:
    """The engine's own sentence, or one for its code; the rest goes on."""
    async with studio(tmp_path, max_jobs=1) as made:
        job, behind = await made.submit(), await made.submit()
        await made.reached(job)
        made.backend.fail(job, Failure(FailureCode.OUT_OF_MEMORY, message))
        end, told, _ = await made.heard.end_of(job)
        assert (end, told.state) == ("failed", JobState.FAILED)
        assert words in told.reason
        made.gate.open()
        assert (await made.heard.end_of(behind))[0] == "rendered"


async def test_a_mistake_of_ours_ends_one_job_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is written to the log, the person gets a sentence, and the loop goes on."""

    class Broken(FakeBackend):
        """A painter with a mistake in it."""

        async def generate(
            self, job: int, request: Request, *, attachments: Mapping[str, bytes], lane: str = ""
        ) -> AsyncGenerator[JobEvent, None]:
            """Fail in the middle of the first job."""
            async for event in super().generate(job, request, attachments=attachments, lane=lane):
                if job == 1 and isinstance(event, Progress):
                    raise RuntimeError("a mistake")
                yield event

    async with studio(tmp_path, gate=OpenGate(), painter=Broken) as made:
        bad, good = await made.submit(), await made.submit()
        _, told, _ = await made.heard.end_of(bad)
        assert "on our side" in told.reason
        assert "a mistake" in caplog.text
        assert (await made.heard.end_of(good))[0] == "rendered"


async def test_a_model_that_is_unknown_to_the_painter_is_told(tmp_path: Path) -> None:
    """It may have been taken away while the job waited."""
    async with studio(tmp_path) as made:
        job = await made.submit(model="lost")
        _, told, _ = await made.heard.end_of(job)
        assert "no model called “lost”" in told.reason


async def test_a_slow_listener_never_holds_up_painting(tmp_path: Path) -> None:
    """While Discord hangs, jobs are painted; they are shown when it answers."""
    async with studio(tmp_path, gate=OpenGate(), max_jobs=1) as made:
        made.heard.busy = asyncio.Event()
        jobs = [await made.submit() for _ in range(3)]
        await made.heard.until(lambda: len(made.heard.told) == 3)
        assert [await made.state(job) for job in jobs] == [JobState.RENDERED] * 3
        made.heard.busy.set()


async def test_a_listener_that_fails_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its error is written down, painting goes on, and the row still says that the pictures are owed."""

    class Clumsy(Heard):
        """Stumbles over everything that it is told of the first job."""

        def progressed(self, job_id: int) -> None:
            """Stumble."""
            if job_id == 1:
                raise RuntimeError("clumsy with progress")

        async def rendered(self, job: Job, images: tuple[Image, ...]) -> None:
            """Stumble."""
            if job.id == 1:
                raise RuntimeError("clumsy with pictures")
            await super().rendered(job, images)

    async with studio(tmp_path, gate=OpenGate(), max_jobs=1) as made:
        made.dispatcher.listener = heard = Clumsy(made.db)
        first, second = await made.submit(), await made.submit()
        assert (await heard.end_of(second))[0] == "rendered"
        assert await made.state(first) is JobState.RENDERED
    assert "clumsy with progress" in caplog.text
    assert "clumsy with pictures" in caplog.text


async def test_a_standing_tells_progress_and_when_it_will_be_ready(tmp_path: Path) -> None:
    """Calls done, the stage, a preview; and times that follow the predicted costs in the order of the queue."""
    async with studio(tmp_path, max_jobs=1) as made:
        jobs = [await made.submit(person=person, steps=60, count=4) for person in (1, 2, 3)]
        while made.dispatcher.standing(jobs[0]).preview is None:  # type: ignore[union-attr]
            await made.started(jobs[0])
            made.gate.release(jobs[0])
            await made.quiet()
        standings = made.dispatcher.queue()
        assert [standing.position for standing in standings] == [0, 1, 2]
        first, second, third = standings
        assert (first.running, first.total, first.stage) == (True, 240, "painting")
        assert first.done >= 2
        assert first.preview is not None
        assert first.preview[:2] == b"\xff\xd8"
        assert 0 < first.remaining < second.remaining < third.remaining
        assert second.ahead == pytest.approx(first.remaining)
        assert third.ahead == pytest.approx(second.remaining)
        assert third.ready_at % 5 == 0
        assert third.ready_at >= second.ready_at
        assert jobs[0] in made.heard.moved
        assert made.dispatcher.standing(999) is None


async def test_the_painters_speed_is_learned(tmp_path: Path) -> None:
    """After a picture the prediction is what the clock said; later ones move it a little."""
    async with studio(tmp_path, max_jobs=1) as made:
        costs: list[float] = []
        for seconds in (30.0, 20.0, 0.0):
            job = await made.submit(steps=2)
            costs.append(made.dispatcher.queue()[0].job.cost)
            await made.reached(job, "decoding")
            made.clock.advance(seconds)
            await made.finish(job)
            await made.heard.end_of(job)
        assert costs[0] < 0.1
        assert costs[1:] == pytest.approx([30.0, 27.0])


async def test_a_painter_that_cannot_be_reached_is_asked_again(tmp_path: Path) -> None:
    """What is queued is kept; a while later it is tried once more."""
    async with studio(tmp_path, gate=OpenGate(), started=False) as made:
        await made.dispatcher.start()
        job = await made.submit()
        await until(lambda: bool(made.clock._sleepers))
        await made.backend.start()
        made.clock.advance(5.0)
        assert (await made.heard.end_of(job))[0] == "rendered"


async def test_a_database_that_fails_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """The job is not forgotten and not told as failed; the next start paints it."""
    async with studio(tmp_path, marks=False) as made:
        job = await made.submit()
        await made.reached(job, "finishing")
        await made.db.close()
        made.gate.open()
        await until(lambda: bool(made.clock._sleepers))
        standing = made.dispatcher.standing(job)
        assert standing is not None
        assert standing.position == 1
        assert made.heard.told == []
    async with studio(tmp_path, gate=OpenGate()) as made:
        assert (await made.heard.end_of(job))[0] == "rendered"


async def test_the_card_that_was_hung_meanwhile_is_in_what_is_told(tmp_path: Path) -> None:
    """The queue card is written to the row after the job began; whoever delivers must take it down."""
    async with studio(tmp_path) as made:
        job = await made.submit()
        await made.db.jobs.set_card(job, 4242)
        made.gate.open()
        _, told, _ = await made.heard.end_of(job)
        assert told.card_message == 4242
