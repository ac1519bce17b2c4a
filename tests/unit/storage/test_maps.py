"""Maps that controls followed: kept with the pictures of their job, and gone with the last of them."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from inference.api.request import GenerationRequest
from inference.api.result import ControlMap, ImageResult
from storage.database import Database
from storage.values import Image

Ask = Callable[..., Awaitable]


def files(folder: Path) -> set[bytes]:
    """What the picture files say."""
    return {path.read_bytes() for path in folder.rglob("*.png")}


async def painted(
    database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest], *, person: int = 3
) -> tuple[Image, ...]:
    """Two pictures of a job that followed two maps, not shown yet."""
    job = await ask(person)
    await database.jobs.start(job.id)
    return await database.jobs.render(
        job.id,
        images=[ImageResult(data, 64, 128, 5, "a fox") for data in (b"one", b"two")],
        requests=[request_of(5), request_of(6)],
        models=["painter"] * 2,
        maps=[ControlMap(0, b"edges"), ControlMap(2, b"depth")],
        seconds=1.5,
        rows=40,
        now=20.0,
    )


async def test_maps_come_back_by_their_control(
    database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest]
) -> None:
    """Each under the number of its control; none of them is something that the job begins from."""
    images = await painted(database, ask, request_of)
    maps = await database.jobs.maps(images[0].job)
    assert list(maps) == [0, 2]
    assert [await database.pictures.get(sha256) for sha256 in maps.values()] == [b"edges", b"depth"]
    assert await database.jobs.sources(images[0].job) == {}


async def test_maps_go_with_the_last_picture(
    database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest], folder: Path
) -> None:
    """As long as one picture is there its maps are; then their files go too, whichever way the picture goes."""
    first, second = await painted(database, ask, request_of)
    await database.jobs.deliver(first.job, message=9, channel=1, now=30.0)
    await database.images.remove(first.id)
    assert files(folder) == {b"two", b"edges", b"depth"}
    await database.images.remove(second.id)
    assert files(folder) == set()
    await painted(database, ask, request_of)
    await painted(database, ask, request_of, person=4)
    await database.people.forget(3)
    assert files(folder) == {b"one", b"two", b"edges", b"depth"}, "somebody else's are the same bytes"
    await database.people.forget(4)
    assert files(folder) == set()


async def test_no_history_keeps_no_maps(
    database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest], folder: Path
) -> None:
    """Who keeps no history keeps no map either, once the pictures were shown."""
    await database.people.set(3, history=False)
    images = await painted(database, ask, request_of)
    await database.jobs.deliver(images[0].job, message=9, channel=1, now=30.0)
    assert files(folder) == set()


async def test_a_map_that_is_the_picture_itself(
    database: Database, ask: Ask, request_of: Callable[[int], GenerationRequest]
) -> None:
    """A preprocessor that changed nothing makes no second row; the picture stays what the job begins from."""
    source = b"lines"
    sha256 = hashlib.sha256(source).hexdigest()
    job = await ask(sources={sha256: source})
    await database.jobs.start(job.id)
    await database.jobs.render(
        job.id,
        images=[ImageResult(b"one", 64, 128, 5, "a fox")],
        requests=[request_of(5)],
        models=["painter"],
        maps=[ControlMap(0, source)],
        seconds=1.0,
        rows=1,
        now=20.0,
    )
    assert await database.jobs.sources(job.id) == {sha256: source}
    assert await database.jobs.maps(job.id) == {}
