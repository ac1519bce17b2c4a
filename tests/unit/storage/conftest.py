"""A real database in a temporary folder, and a short way to ask and paint."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Request, Seeds
from inference.api.result import ImageResult
from storage.database import FILE, Database
from storage.schema import prepare_file
from storage.values import Address, Image, Job

Ask = Callable[..., Awaitable[Job]]
Paint = Callable[..., Awaitable[tuple[Image, ...]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the database lies."""
    return tmp_path


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that the migrations have made, to begin from: running them for every test takes longer than the tests."""
    path = tmp_path_factory.mktemp("empty") / FILE
    prepare_file(path)
    return path


@pytest.fixture
async def database(folder: Path, empty_file: Path) -> AsyncIterator[Database]:
    """An open, empty database."""
    shutil.copyfile(empty_file, folder / FILE)
    database = await Database.open(folder)
    yield database
    await database.close()


@pytest.fixture
def request_of() -> Callable[[int], GenerationRequest]:
    """A request for one picture with a seed."""
    return lambda seed: GenerationRequest(
        prompt=Prompt("a fox", "blurry"), canvas=Canvas(64, 128), seeds=Seeds(seed), model=ModelRef("painter", "0123")
    )


@pytest.fixture
def ask(database: Database, request_of: Callable[[int], GenerationRequest]) -> Ask:
    """Ask for a picture."""

    async def ask(
        person: int = 3,
        *,
        guild: int | None = 2,
        request: Request | None = None,
        now: float = 10.0,
        parent: int | None = None,
        sources: dict[str, bytes] | None = None,
    ) -> Job:
        return await database.jobs.add(
            address=Address(channel=1, guild=guild, person=person, interaction_token="secret", token_until=900.0),
            request=request or request_of(5),
            kind="imagine",
            prompt="a fox",
            parent=parent,
            cost=2.5,
            now=now,
            sources=sources or {},
        )

    return ask


@pytest.fixture
def paint(database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest]) -> Paint:
    """Ask, paint these bytes and show them in `message`."""

    async def paint(
        *pictures: bytes, person: int = 3, message: int = 0, now: float = 20.0, sources: dict[str, bytes] | None = None
    ) -> tuple[Image, ...]:
        job = await ask(person, now=now, sources=sources)
        await database.jobs.start(job.id)
        images = await database.jobs.render(
            job.id,
            images=[ImageResult(data, 64, 128, 5 + n, f"a fox {n}") for n, data in enumerate(pictures)],
            requests=[request_of(5 + n) for n in range(len(pictures))],
            models=["painter"] * len(pictures),
            notes=["no such LoRA"],
            seconds=1.5,
            rows=40,
            now=now,
        )
        if message:
            await database.jobs.deliver(job.id, message=message, channel=1, now=now)
        return images

    return paint
