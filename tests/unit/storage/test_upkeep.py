"""A backup is the database of one moment, and a look finds what is wrong."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import FILE, Database
from storage.errors import DatabaseUnavailable, Missing
from storage.upkeep import Health, back_up, examine

Paint = Callable[..., Awaitable]


async def test_a_backup_opens(database: Database, paint: Paint, folder: Path, tmp_path: Path) -> None:
    """A backup made while the database is in use holds everything that was confirmed, and opens as a database."""
    (image,) = await paint(b"one", message=77)
    (tmp_path / "copy").mkdir()
    assert back_up(folder, tmp_path / "copy" / FILE) > 0
    copy = await Database.open(tmp_path / "copy")
    try:
        assert [found.id for found in await copy.images.of_message(77)] == [image.id]
    finally:
        await copy.close()
    with pytest.raises(DatabaseUnavailable, match="exists already"):
        back_up(folder, tmp_path / "copy" / FILE)


def test_nothing_to_back_up(tmp_path: Path) -> None:
    """Where there is no database yet, a sentence says so and nothing is made."""
    for act in (lambda: back_up(tmp_path, tmp_path / "b"), lambda: examine(tmp_path)):
        with pytest.raises(Missing, match="There is no database in"):
            act()
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_into_nowhere(database: Database, folder: Path) -> None:
    """A backup that cannot be written is a sentence."""
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        back_up(folder, folder / "no such folder" / "b")


async def test_a_look_counts(database: Database, paint: Paint, folder: Path) -> None:
    """A sound database has no problems; files that went missing or belong to nobody are counted."""
    images = await paint(b"one", b"two")
    assert examine(folder) == Health(jobs=1, images=2, missing=0, unused=0, problems=())
    await database.pictures.put(b"stray")
    await database.pictures.drop([images[0].sha256])
    assert examine(folder) == Health(jobs=1, images=2, missing=1, unused=1, problems=())


async def test_a_look_finds_broken_references(database: Database, paint: Paint, folder: Path) -> None:
    """A row that refers to nothing is named."""
    await paint(b"one")
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute("UPDATE posts SET job = 99")
    (problem,) = examine(folder).problems
    assert problem == "row 1 of posts refers to a row of jobs that is not there"


def test_a_look_at_a_damaged_file(tmp_path: Path, empty_file: Path) -> None:
    """A page that belongs to nothing is a problem in SQLite's words; a file that is no database is a sentence."""
    shutil.copyfile(empty_file, tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_images_person'")
    assert any("never used" in problem for problem in examine(tmp_path).problems)
    (tmp_path / FILE).write_bytes(b"This is not a database. " * 500)
    with pytest.raises(DatabaseUnavailable, match="is damaged"):
        examine(tmp_path)
