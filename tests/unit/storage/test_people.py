"""People: their choices, what they used, and being forgotten."""

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from inference.api.result import ImageResult
from storage import people
from storage.database import FILE, Database
from storage.errors import Missing
from storage.gallery_values import Query
from storage.values import Person, Usage

Ask = Callable[..., Awaitable]
Paint = Callable[..., Awaitable]


async def test_choices(database: Database) -> None:
    """Somebody new has the defaults; what is set stays set, each by itself."""
    assert await database.people.get(3) == Person(id=3, remember=True, dm=False)
    assert await database.people.set(3, dm=True) == Person(id=3, remember=True, dm=True)
    assert await database.people.set(3, remember=False) == Person(id=3, remember=False, dm=True)
    assert await database.people.set(3) == Person(id=3, remember=False, dm=True)
    assert await database.people.get(3) == Person(id=3, remember=False, dm=True)
    assert await database.people.set(2**63 - 1) == Person(id=2**63 - 1)


async def test_usage_counts_what_was_painted(database: Database, paint: Paint) -> None:
    """Usage counts pictures and seconds since a moment, deleted pictures too, and nobody else's."""
    await paint(b"old", now=10.0)
    images = await paint(b"one", b"two", now=20.0)
    await paint(b"another's", person=4, now=20.0)
    await database.images.remove(images[0].id)
    await database.images.star(3, images[1].id, 21.0)
    assert await database.people.usage(3, since=15.0) == Usage(pictures=2, starred=1, seconds=1.5, since=15.0)
    assert await database.people.usage(3, since=0.0) == Usage(pictures=3, starred=1, seconds=3.0, since=0.0)
    assert await database.people.usage(5, since=0.0) == Usage(pictures=0, starred=0, seconds=0.0, since=0.0)


async def test_forgetting_leaves_nothing(database: Database, ask: Ask, paint: Paint, folder: Path) -> None:
    """After `forget` no table has a row of theirs, and neither rows, file nor log hold what they wrote."""
    await paint(b"one", b"two", message=77)
    mine, other = (await paint(b"mine"))[0], (await paint(b"other", person=4, message=78))[0]
    await ask(sources={hashlib.sha256(b"upload").hexdigest(): b"upload"})
    await database.images.star(3, other.id, 1.0)
    await database.images.star(4, mine.id, 1.0)
    await database.styles.save(3, "Ink", prompt="{prompt}, peculiarly inky", negative="", now=1.0)
    await database.seeds.save(3, "fox", 5, 1.0)
    await database.people.set(3, dm=True)
    assert await database.people.forget(3) == 3
    with closing(sqlite3.connect(folder / FILE)) as connection:
        for table, column in (
            ("jobs", "person"), ("images", "person"), ("favourites", "person"), ("styles", "owner"), ("seeds", "person"),
            ("people", "id"),
        ):  # fmt: skip
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = 3").fetchone() == (0,)  # noqa: S608
        assert connection.execute("SELECT count(*) FROM discards").fetchone() == (0,)
    for path in (folder / FILE, folder / f"{FILE}-wal"):
        assert b"peculiarly" not in path.read_bytes()
    assert await database.pictures.hashes() == {hashlib.sha256(b"other").hexdigest()}
    assert (await database.gallery.page(4, Query())).total == 1
    assert await database.people.forget(3) == 0


async def test_forgetting_leaves_others_what_they_use(database: Database, ask: Ask, paint: Paint) -> None:
    """A file that somebody else's job begins from stays for them; their picture only loses its parent."""
    (mine,) = await paint(b"origin", message=77)
    theirs = await ask(4, parent=mine.id, sources={mine.sha256: b"origin"})
    await database.people.forget(3)
    assert await database.jobs.sources(theirs.id) == {mine.sha256: b"origin"}
    found = await database.jobs.get(theirs.id)
    assert found is not None
    assert found.parent is None


async def test_a_forgotten_job_keeps_no_pictures(
    database: Database, ask: Ask, request_of: Callable[..., object]
) -> None:
    """Pictures of a job that was forgotten while it was painted are refused and leave no file."""
    job = (await ask()).id
    await database.jobs.start(job)
    await database.people.forget(3)
    with pytest.raises(Missing, match="That job is gone"):
        await database.jobs.render(
            job, images=[ImageResult(b"late", 64, 64, 1, "")], requests=[request_of(1)], models=["m"],
            seconds=1.0, rows=1, now=2.0,
        )  # fmt: skip
    assert await database.pictures.hashes() == frozenset()


async def test_forgetting_many(database: Database, ask: Ask, monkeypatch: pytest.MonkeyPatch, paint: Paint) -> None:
    """Somebody with more jobs than one act takes is forgotten whole."""
    monkeypatch.setattr(people, "PORTION", 3)
    for n in range(8):
        await paint(f"{n}".encode())
    assert await database.people.forget(3) == 8
    assert await database.jobs.recent_of(3) == ()
