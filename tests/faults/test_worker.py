"""The real worker, killed and lied to: what was running ends with words, and the next picture is painted."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from inference.api.errors import FailureCode
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Sampling, Seeds
from inference.api.wire import EngineSettings, Failed, Finished, JobEvent, Progress
from inference.client.local import LocalBackend
from tests.checkpoints import write_tiny_checkpoint


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[LocalBackend]:
    """The real worker with a tiny checkpoint."""
    write_tiny_checkpoint(tmp_path / "Stable-diffusion" / "tiny.safetensors")
    settings = EngineSettings(roots=(str(tmp_path),), cache=str(tmp_path / "cache"), device="cpu", threads=1)
    painter = LocalBackend(settings)
    await painter.start()
    yield painter
    await painter.aclose()


def request(steps: int) -> GenerationRequest:
    """One picture in `steps` steps."""
    return GenerationRequest(
        prompt=Prompt("a cat"),
        canvas=Canvas(64, 64),
        seeds=Seeds(1),
        model=ModelRef("tiny"),
        sampling=Sampling(steps=steps),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no niceness")
async def test_a_painter_on_the_processor_lets_the_bot_go_first(backend: LocalBackend) -> None:
    """Whoever asks while every core paints is answered by a process that the painter stands behind."""
    assert psutil.Process(backend.pid).nice() > psutil.Process().nice()


async def test_kill_9_in_the_middle_of_a_picture(backend: LocalBackend) -> None:
    """The job ends with `worker_died`, no process stays, and the same request is painted by the next worker."""
    worker = psutil.Process(backend.pid)
    story: list[JobEvent] = []
    async with aclosing(backend.generate(1, request(150), attachments={})) as events:
        async for event in events:
            if isinstance(event, Progress) and worker.is_running():
                worker.send_signal(signal.SIGKILL)
            story.append(event)
    assert isinstance(story[-1], Failed)
    assert story[-1].code is FailureCode.WORKER_DIED
    async with aclosing(backend.generate(1, request(4), attachments={})) as events:
        again = [event async for event in events]
    assert isinstance(again[-1], Finished)
    assert not worker.is_running()
