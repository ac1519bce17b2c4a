"""The local backend against a worker that has accidents on demand; time is pushed by hand."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import psutil
import pytest

from inference.api.backend import BackendUnavailable
from inference.api.errors import FailureCode
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from inference.api.wire import EngineSettings, Failed, Finished, JobEvent, Started
from inference.client.clock import HandClock
from inference.client.local import LocalBackend

WORKER = "tests.unit.inference.client.small_worker"
SETTINGS = EngineSettings(roots=(), cache="")


def request(text: str) -> GenerationRequest:
    """A request whose prompt says what happens."""
    return GenerationRequest(prompt=Prompt(text), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("m"))


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands still."""
    return HandClock()


@pytest.fixture
async def backend(clock: HandClock) -> AsyncIterator[LocalBackend]:
    """A backend whose worker is up."""
    painter = LocalBackend(SETTINGS, command=(sys.executable, "-m", WORKER), clock=clock)
    await painter.start()
    yield painter
    await painter.aclose()


async def story_of(backend: LocalBackend, text: str, *, job: int = 1) -> list[JobEvent]:
    """All events of a job."""
    async with aclosing(backend.generate(job, request(text), attachments={})) as events:
        return [event async for event in events]


async def pushed(clock: HandClock, task: asyncio.Task[list[JobEvent]], seconds: float) -> list[JobEvent]:
    """Push `clock` by `seconds` again and again until `task` is done."""
    async with asyncio.timeout(60):
        while not task.done():
            clock.advance(seconds)
            await asyncio.sleep(0)
    return task.result()


async def died_and_back(backend: LocalBackend, events: list[JobEvent], before: int | None) -> None:
    """The job ended with `worker_died`, and a new process paints."""
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.WORKER_DIED
    assert isinstance((await story_of(backend, "again"))[-1], Finished)
    assert backend.pid != before
    assert before is not None
    assert not psutil.pid_exists(before)


@pytest.mark.parametrize("accident", ["die", "garbage", "huge"])
async def test_a_worker_that_dies_is_replaced(backend: LocalBackend, accident: str) -> None:
    """Whether it dies or sends what is not ours: its job ends with `worker_died` and the next one is painted."""
    before = backend.pid
    await died_and_back(backend, await story_of(backend, accident), before)


async def test_a_silent_worker_is_replaced(backend: LocalBackend, clock: HandClock) -> None:
    """A process that says nothing for long is killed."""
    before = backend.pid
    task = asyncio.create_task(story_of(backend, "wait"))
    await died_and_back(backend, await pushed(clock, task, 5.0), before)


async def test_a_stuck_worker_is_replaced(backend: LocalBackend, clock: HandClock) -> None:
    """A process that stays at one step is killed."""
    before = backend.pid
    task = asyncio.create_task(story_of(backend, "stuck"))
    await died_and_back(backend, await pushed(clock, task, 700.0), before)


async def test_all_jobs_of_a_dead_worker_end(backend: LocalBackend) -> None:
    """Every job that the dead worker had ends, not only the one that killed it."""
    waiting = [asyncio.create_task(story_of(backend, "wait", job=job)) for job in (1, 2, 3)]
    await asyncio.sleep(0)
    stories = await asyncio.gather(story_of(backend, "die", job=4), *waiting)
    assert [story[-1].code for story in stories if isinstance(story[-1], Failed)] == [FailureCode.WORKER_DIED] * 4


async def test_a_second_try_does_not_hear_the_first(backend: LocalBackend) -> None:
    """A job that was left early and asked again under its number hears only its own events."""
    async with aclosing(backend.generate(9, request("wait"), attachments={})) as events:
        assert isinstance(await anext(events), Started)
    story = await story_of(backend, "second", job=9)
    assert [type(event).__name__ for event in story] == ["Started", "Finished"]


async def test_attachments_too_large_for_a_frame(backend: LocalBackend) -> None:
    """More than a frame can hold is refused with a sentence, and the worker lives."""
    before = backend.pid
    async with aclosing(backend.generate(1, request("x"), attachments={"a": bytes(65 << 20)})) as events:
        (event,) = [event async for event in events]
    assert isinstance(event, Failed)
    assert event.code is FailureCode.BAD_SOURCE
    assert isinstance((await story_of(backend, "again"))[-1], Finished)
    assert backend.pid == before


async def test_closing_leaves_no_process(clock: HandClock) -> None:
    """After `aclose` the worker's process is gone."""
    painter = LocalBackend(SETTINGS, command=(sys.executable, "-m", WORKER), clock=clock)
    await painter.start()
    pid = painter.pid
    await painter.aclose()
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_the_first_start_fails_with_words(clock: HandClock) -> None:
    """A worker that never gets ready is reported once, with its own last line, and not tried for ever."""
    painter = LocalBackend(SETTINGS, command=(sys.executable, "-m", WORKER, "broken"), clock=clock)
    with pytest.raises(BackendUnavailable, match="the card has left the building"):
        await painter.start()
    assert painter.pid is None


async def test_a_missing_program_is_a_sentence(clock: HandClock) -> None:
    """A Python that does not exist is named."""
    painter = LocalBackend(SETTINGS, python="/nowhere/python", clock=clock)
    with pytest.raises(BackendUnavailable, match="/nowhere/python"):
        await painter.start()


async def test_the_workers_words_are_logged(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    """What the worker writes arrives in our log, at the level it names."""
    caplog.set_level(logging.DEBUG)
    painter = LocalBackend(SETTINGS, command=(sys.executable, "-m", WORKER), clock=clock)
    await painter.start()
    await painter.aclose()
    lines = {(record.levelname, record.message) for record in caplog.records if record.name == "easel.worker"}
    assert ("INFO", "small worker: hello") in lines
    assert ("INFO", "a line that is no log record") in lines


async def test_the_worker_dies_with_its_parent(tmp_path: Path) -> None:
    """A bot that is killed without warning leaves no worker behind."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, sys\n"
        "from inference.api.wire import EngineSettings\n"
        "from inference.client.local import LocalBackend\n"
        "async def main():\n"
        f"    painter = LocalBackend(EngineSettings(roots=(), cache=''), command=(sys.executable, '-m', {WORKER!r}))\n"
        "    await painter.start()\n"
        "    print(painter.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    with suppress(psutil.NoSuchProcess):
        worker.wait(timeout=30)
    assert not worker.is_running()
