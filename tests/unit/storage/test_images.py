"""Pictures: the gallery's pages, stars, and deleting what is said and nothing else."""

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import FILE, Database
from storage.errors import Missing
from storage.gallery_values import Query

Ask = Callable[..., Awaitable]
Paint = Callable[..., Awaitable]


def sha(data: bytes) -> str:
    """The name of these bytes."""
    return hashlib.sha256(data).hexdigest()


async def test_pages_are_newest_first(database: Database, paint: Paint) -> None:
    """Pages follow each other without gaps, newest first, with the number of all; other people's pictures are not in them."""
    painted = [(await paint(f"{n}".encode()))[0].id for n in range(20)]
    await paint(b"another's", person=4)
    pages = [await database.gallery.page(3, Query(), offset=offset) for offset in (0, 9, 18, 27)]
    assert [image.id for page in pages for image in page.images] == painted[::-1]
    assert [len(page.images) for page in pages] == [9, 9, 2, 0]
    assert {page.total for page in pages} == {20}


async def test_stars_make_a_gallery(database: Database, paint: Paint) -> None:
    """Starred pages hold whatever that person stars, their own or not; a star is given and taken once."""
    mine, other = (await paint(b"mine"))[0], (await paint(b"other", person=4))[0]
    assert await database.images.star(3, mine.id, 1.0) is True
    assert await database.images.star(3, mine.id, 2.0) is False
    assert await database.images.toggle_star(3, other.id, 3.0) is True
    page = await database.gallery.page(3, Query(starred=True))
    assert ([image.id for image in page.images], page.total) == ([other.id, mine.id], 2)
    assert (await database.gallery.page(4, Query(starred=True))).total == 0
    assert await database.images.toggle_star(3, other.id, 4.0) is False
    assert await database.images.unstar(3, mine.id) is True
    assert await database.images.unstar(3, mine.id) is False
    assert (await database.gallery.page(3, Query(starred=True))).total == 0


async def test_deleting_removes_row_stars_and_file(database: Database, paint: Paint) -> None:
    """After `remove` nothing of the picture is left, and everything about it says that it is gone."""
    first, second = await paint(b"one", b"two", message=77)
    await database.images.star(4, first.id, 1.0)
    await database.images.remove(first.id)
    assert await database.images.get(first.id) is None
    assert await database.pictures.hashes() == {sha(b"two")}
    assert (await database.gallery.page(4, Query(starred=True))).total == 0
    assert [image.id for image in await database.images.of_message(77)] == [second.id]
    for act in (
        database.images.remove(first.id),
        database.images.star(4, first.id, 1.0),
        database.images.toggle_star(4, first.id, 1.0),
        database.images.data(first.id),
    ):
        with pytest.raises(Missing, match="That picture is gone"):
            await act


async def test_an_id_never_means_another_picture(database: Database, paint: Paint) -> None:
    """A button of a deleted picture does not reach the next one that is painted."""
    (first,) = await paint(b"one")
    await database.images.remove(first.id)
    (second,) = await paint(b"two")
    assert second.id > first.id


async def test_deleting_a_message(database: Database, paint: Paint) -> None:
    """Every picture of that person that a message shows goes with it, and no other."""
    await paint(b"one", b"two", message=77)
    await paint(b"three", message=78)
    await paint(b"not shown yet")
    assert await database.images.remove_message(77, person=4) == 0
    assert await database.images.remove_message(77, person=3) == 2
    assert await database.images.remove_message(77, person=3) == 0
    assert await database.images.remove_message(0, person=3) == 0
    assert await database.pictures.hashes() == {sha(b"three"), sha(b"not shown yet")}


async def test_a_shared_file_stays(database: Database, paint: Paint) -> None:
    """Two pictures with the same bytes share a file; it goes with the second."""
    (first,), (second,) = await paint(b"same"), await paint(b"same", person=4)
    await database.images.remove(first.id)
    assert await database.images.data(second.id) == b"same"
    await database.images.remove(second.id)
    assert await database.pictures.hashes() == frozenset()


async def test_what_a_picture_came_from_stays_with_it(database: Database, paint: Paint) -> None:
    """The file of a deleted picture stays while a picture made from it can still be painted again, and goes with that."""
    (first,) = await paint(b"origin", message=77)
    (child,) = await paint(b"child", message=78, sources={sha(b"origin"): b"origin"})
    await database.images.remove(first.id)
    assert await database.jobs.sources(child.job) == {sha(b"origin"): b"origin"}
    await database.images.remove(child.id)
    assert await database.pictures.hashes() == frozenset()


async def test_a_waiting_job_keeps_its_source(database: Database, ask: Ask, paint: Paint) -> None:
    """A picture that is deleted while somebody's job waits to begin from it is still there for the job."""
    (first,) = await paint(b"origin", message=77)
    job = await ask(4, sources={sha(b"origin"): b"origin"})
    await database.images.remove(first.id)
    assert await database.jobs.sources(job.id) == {sha(b"origin"): b"origin"}


async def test_a_failed_job_keeps_no_deleted_picture(database: Database, ask: Ask, paint: Paint) -> None:
    """A job that ended without pictures does not keep the file of a picture that was deleted."""
    (first,) = await paint(b"origin", message=77)
    job = await ask(sources={sha(b"origin"): b"origin"})
    await database.jobs.fail(job.id, reason="Out of memory.", now=1.0)
    await database.images.remove(first.id)
    assert await database.pictures.hashes() == frozenset()


async def test_a_file_that_was_taken_away(database: Database, paint: Paint, folder: Path) -> None:
    """A row whose file somebody removed by hand says that the picture is gone, and can be deleted."""
    (image,) = await paint(b"one")
    (folder / "pictures" / image.sha256[:2] / f"{image.sha256}.png").unlink()
    with pytest.raises(Missing):
        await database.images.data(image.id)
    await database.images.remove(image.id)


async def test_a_crash_between_row_and_file(paint: Paint, database: Database, folder: Path) -> None:
    """A deletion that was committed and lost its process before the file went is finished at the next start."""
    await paint(b"one")
    await database.close()
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute("INSERT INTO discards SELECT sha256 FROM images")
        connection.execute("DELETE FROM images")
    again = await Database.open(folder)
    try:
        assert await again.pictures.hashes() == frozenset()
    finally:
        await again.close()
