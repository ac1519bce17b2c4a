"""One suite that every painter passes: what the bot may rely on, however and wherever a picture is made."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from inference.api.backend import Backend, BackendUnavailable
from inference.api.control import Preprocessor, PreprocessRequest
from inference.api.errors import FailureCode
from inference.api.request import (
    Canvas,
    GenerationRequest,
    ModelRef,
    Prompt,
    Request,
    Sampling,
    Seeds,
    SourcePicture,
    UpscaleRequest,
)
from inference.api.wire import EngineSettings, Failed, Finished, JobEvent, Preview, Progress, Started
from inference.client.fake import FakeBackend
from inference.client.local import LocalBackend
from tests.checkpoints import write_tiny_checkpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one tiny checkpoint."""
    root = tmp_path_factory.mktemp("models")
    write_tiny_checkpoint(root / "Stable-diffusion" / "tiny.safetensors")
    return root


def painter(kind: str, models: Path, cache: Path) -> Backend:
    """A painter of this kind, not yet started."""
    if kind == "fake":
        return FakeBackend(preview_every=2)
    settings = EngineSettings(roots=(str(models),), cache=str(cache), device="cpu", threads=1, preview_every=2)
    return LocalBackend(settings)


@pytest.fixture(scope="module", params=["fake", "local"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which painter."""
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend(kind: str, models: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backend]:
    """A painter that is up, for all tests that leave it so."""
    shared = painter(kind, models, tmp_path_factory.mktemp("cache"))
    await shared.start()
    yield shared
    await shared.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def fleeting(kind: str, models: Path, tmp_path: Path) -> AsyncIterator[Backend]:
    """A painter of one's own, to be closed."""
    own = painter(kind, models, tmp_path)
    await own.start()
    yield own
    await own.aclose()


def painting(backend: Backend, **changes: object) -> GenerationRequest:
    """A small request for a model that `backend` has."""
    assert backend.ready is not None
    request = GenerationRequest(
        prompt=Prompt("a red apple", negative="blurry"),
        canvas=Canvas(64, 64),
        seeds=Seeds(41),
        model=ModelRef(backend.ready.inventory.checkpoints[0].name),
        sampling=Sampling(sampler="euler_a", steps=4),
        count=2,
    )
    return msgspec.structs.replace(request, **changes)


def png(width: int = 64, height: int = 64) -> tuple[str, bytes]:
    """Hash and bytes of a picture."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "PNG")
    return hashlib.sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()


async def events_of(
    backend: Backend, request: Request, *, job: int = 1, attachments: dict[str, bytes] | None = None
) -> list[JobEvent]:
    """All events of a job."""
    async with aclosing(backend.generate(job, request, attachments=attachments or {})) as events:
        return [event async for event in events]


def finished(events: list[JobEvent]) -> Finished:
    """The last event, which must be Finished."""
    last = events[-1]
    assert isinstance(last, Finished), last
    return last


def failed(events: list[JobEvent]) -> Failed:
    """The last event, which must be Failed with a sentence."""
    last = events[-1]
    assert isinstance(last, Failed), last
    assert last.message.endswith(".")
    return last


async def test_a_job_tells_its_story(backend: Backend) -> None:
    """Started, then Progress that only grows up to its total, previews, and Finished with every picture in order."""
    events = await events_of(backend, painting(backend), job=7)
    assert isinstance(events[0], Started)
    assert all(event.job == 7 for event in events)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[0].stage == "painting"
    assert [event.done for event in progress] == sorted(event.done for event in progress)
    assert progress[-1].done == progress[-1].total
    previews = [event for event in events if isinstance(event, Preview)]
    assert {preview.index for preview in previews} <= {0, 1}
    assert previews
    for preview in previews:
        with Image.open(io.BytesIO(preview.data)) as shown:
            assert (shown.format, *shown.size) == ("JPEG", preview.width, preview.height)
    images = finished(events).images
    assert [(image.width, image.height, image.seed) for image in images] == [(64, 64, 41), (64, 64, 42)]


async def test_pictures_carry_their_parameters(backend: Backend) -> None:
    """Each PNG holds the parameter text that the result names, with its own seed."""
    for image in finished(await events_of(backend, painting(backend))).images:
        with Image.open(io.BytesIO(image.data)) as picture:
            assert picture.format == "PNG"
            assert picture.info["parameters"] == image.infotext
        assert image.infotext.startswith("a red apple\nNegative prompt: blurry\nSteps: 4, Sampler: Euler a")
        assert f"Seed: {image.seed}" in image.infotext


async def test_the_same_request_gives_the_same_bytes(backend: Backend) -> None:
    """Asked twice, a picture is the same to the last byte; another seed gives another."""
    first, again, other = [
        finished(await events_of(backend, painting(backend, seeds=Seeds(seed)))).images for seed in (5, 5, 99)
    ]
    assert first == again
    assert first[0].data != other[0].data


async def test_jobs_run_side_by_side(backend: Backend) -> None:
    """Several jobs at once each get their own events and all their pictures."""
    requests = [painting(backend, seeds=Seeds(seed), count=1) for seed in (1, 2, 3)]
    stories = await asyncio.gather(*(events_of(backend, request, job=i) for i, request in enumerate(requests)))
    assert [finished(story).images[0].seed for story in stories] == [1, 2, 3]
    assert all(event.job == i for i, story in enumerate(stories) for event in story)


async def test_cancel_ends_a_job(backend: Backend) -> None:
    """A cancelled job ends with `cancelled`; an unknown one is ignored; the painter goes on."""
    await backend.cancel(12345)
    story: list[JobEvent] = []
    async with aclosing(backend.generate(3, painting(backend, sampling=Sampling(steps=150)), attachments={})) as events:
        async for event in events:
            story.append(event)
            if isinstance(event, Progress):
                await backend.cancel(3)
    assert failed(story).code is FailureCode.CANCELLED
    finished(await events_of(backend, painting(backend), job=4))


async def test_leaving_early_cancels(backend: Backend) -> None:
    """Who closes the events before the end ends the job; the same number can be used again at once."""
    async with aclosing(backend.generate(3, painting(backend, sampling=Sampling(steps=150)), attachments={})) as events:
        assert isinstance(await anext(events), Started)
    assert len(finished(await events_of(backend, painting(backend), job=3)).images) == 2


async def test_unknown_model(backend: Backend) -> None:
    """A model that is not there is a sentence with its name."""
    failure = failed(await events_of(backend, painting(backend, model=ModelRef("no such thing"))))
    assert failure.code is FailureCode.UNKNOWN_MODEL
    assert "no such thing" in failure.message


@pytest.mark.parametrize("data", [None, b"this is text"], ids=["missing", "text"])
async def test_bad_source(backend: Backend, data: bytes | None) -> None:
    """A source that did not come, or is no picture, is a sentence."""
    request = painting(backend, source=SourcePicture("ab" * 32))
    attachments = {} if data is None else {"ab" * 32: data}
    assert failed(await events_of(backend, request, attachments=attachments)).code is FailureCode.BAD_SOURCE


async def test_a_picture_from_a_picture(backend: Backend) -> None:
    """A source of any size becomes a picture of the canvas' size."""
    name, data = png(100, 50)
    request = painting(backend, source=SourcePicture(name, denoising_strength=0.5, resize_mode=1), count=1)
    (image,) = finished(await events_of(backend, request, attachments={name: data})).images
    assert (image.width, image.height) == (64, 64)


async def test_upscale(backend: Backend) -> None:
    """A picture comes back twice as large and keeps the text that it is given, and the seed that it names."""
    name, data = png()
    text = "a cat\nSteps: 4, Sampler: Euler a, Seed: 41"
    request = UpscaleRequest(picture=name, upscaler="lanczos", scale=2, infotext=text)
    (image,) = finished(await events_of(backend, request, attachments={name: data})).images
    assert (image.width, image.height, image.infotext, image.seed) == (128, 128, text, 41)


async def test_a_map(backend: Backend) -> None:
    """A control map is one picture whose text says which preprocessor made it; an unknown one is refused."""
    name, data = png()
    request = PreprocessRequest(picture=name, preprocessor=Preprocessor("canny", resolution=64))
    (image,) = finished(await events_of(backend, request, attachments={name: data})).images
    assert (image.width, image.height) == (64, 64)
    assert image.infotext.startswith("Preprocessor: canny, Processor Res: 64, ")
    unknown = PreprocessRequest(picture=name, preprocessor=Preprocessor("no such"))
    refusal = failed(await events_of(backend, unknown, attachments={name: data}))
    assert (refusal.code, "“no such”" in refusal.message) == (FailureCode.BAD_REQUEST, True)


async def test_refresh_answers(backend: Backend) -> None:
    """Looking again finds at least what was there, and `ready` is the answer."""
    assert backend.ready is not None
    before = backend.ready.inventory.checkpoints
    assert (await backend.refresh()).inventory.checkpoints == before


async def test_closed_is_closed(fleeting: Backend) -> None:
    """After `aclose` nothing is ready, a new job is refused with a sentence, and closing again does no harm."""
    await fleeting.aclose()
    assert fleeting.ready is None
    with pytest.raises(BackendUnavailable, match=r"\.$"):
        await events_of(fleeting, UpscaleRequest(picture="x", upscaler="lanczos"))
    await fleeting.aclose()


async def test_closing_ends_running_jobs(fleeting: Backend) -> None:
    """A job that runs when the painter is closed ends with `worker_died`, so that it can be tried again."""
    story: list[JobEvent] = []
    async with aclosing(
        fleeting.generate(3, painting(fleeting, sampling=Sampling(steps=150)), attachments={})
    ) as events:
        async for event in events:
            story.append(event)
            if isinstance(event, Started):
                await fleeting.aclose()
    assert failed(story).code is FailureCode.WORKER_DIED
