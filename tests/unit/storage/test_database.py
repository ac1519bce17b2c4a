"""Opening and closing: one process a folder, and a sentence for everything that can be wrong with it."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import FILE, Database
from storage.errors import DatabaseUnavailable

OPEN = """
import asyncio, sys
from pathlib import Path
from storage.database import Database

async def main():
    database = await Database.open(Path(sys.argv[1]))
    print("open", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""

AS_NOBODY = """
import asyncio, concurrent.futures.thread, os, sys
from pathlib import Path
import alembic.command, alembic.config, sqlalchemy.dialects.sqlite.aiosqlite, storage.database, storage.errors
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)

async def main():
    for folder in sys.argv[1:]:
        try:
            await (await storage.database.Database.open(Path(folder))).close()
        except storage.errors.DatabaseUnavailable as error:
            print(error.sentence)
        else:
            print("opened")

asyncio.run(main())
"""


async def refused(folder: Path) -> str:
    """The sentence with which opening is refused."""
    with pytest.raises(DatabaseUnavailable) as caught:
        await Database.open(folder)
    return caught.value.sentence


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The first start makes the folder and all that belongs into it; the second finds it."""
    for _ in range(2):
        database = await Database.open(tmp_path / "new" / "data")
        await database.close()
    assert (tmp_path / "new" / "data" / FILE).stat().st_size > 0


async def test_closing_leaves_no_thread(tmp_path: Path) -> None:
    """Closing ends every connection's thread, removes the log, and may be done twice."""
    database = await Database.open(tmp_path)
    await database.people.get(1)
    await database.close()
    await database.close()
    workers = [thread for thread in threading.enumerate() if "worker_thread" in thread.name]
    for worker in workers:
        worker.join(10)  # one of the test before may be on its way out on a busy machine
    assert [worker.name for worker in workers if worker.is_alive()] == []
    assert not (tmp_path / f"{FILE}-wal").exists()


async def test_the_same_process_cannot_open_twice(tmp_path: Path) -> None:
    """A folder has one database at a time, in one process too; when that is closed the next may have it."""
    database = await Database.open(tmp_path)
    assert f"Another Easel (process {os.getpid()}) uses" in await refused(tmp_path)
    await database.close()
    await (await Database.open(tmp_path)).close()


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """A second Easel learns which process has the folder and what to do; after a kill -9 of the first it may have it."""
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPEN, str(tmp_path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"open\n"
    sentence = await refused(tmp_path)
    assert f"(process {first.pid})" in sentence
    assert "[paths] data in config.toml" in sentence
    first.kill()
    await first.communicate()
    await (await Database.open(tmp_path)).close()


def test_an_unclosed_database_does_not_keep_a_process(tmp_path: Path) -> None:
    """A program that ends without closing ends all the same, at once."""
    ended = subprocess.run([sys.executable, "-c", OPEN, str(tmp_path)], input=b"\n", timeout=60, check=False)
    assert ended.returncode == 0


@pytest.fixture
def filled(tmp_path: Path, empty_file: Path) -> Path:
    """A folder with a database of some hundred pages."""
    shutil.copyfile(empty_file, tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.executemany("INSERT INTO guilds VALUES (?, ?)", ((n, "x" * 3000) for n in range(300)))
    return tmp_path


def garbage(data: bytes) -> bytes:
    """Another file altogether."""
    return b"This is not a database. " * (len(data) // 24)


def cut(data: bytes) -> bytes:
    """The first half."""
    return data[: len(data) // 2]


def scratched(data: bytes) -> bytes:
    """A page in the middle overwritten."""
    middle = len(data) // 2 // 4096 * 4096
    return data[:middle] + b"\xff" * 4096 + data[middle + 4096 :]


@pytest.mark.parametrize("damage", [garbage, cut, scratched])
async def test_a_damaged_file(filled: Path, damage: Callable[[bytes], bytes]) -> None:
    """A database that is another file, cut short or scratched is refused in a sentence and left as it is."""
    path = filled / FILE
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    for _ in range(2):
        assert "is damaged. Put a backup in its place" in await refused(filled)
    assert path.read_bytes() == broken


async def test_a_newer_file(filled: Path) -> None:
    """A database of a newer Easel is refused with what to do."""
    with closing(sqlite3.connect(filled / FILE)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "was written by a newer Easel (revision 9999). Update Easel" in await refused(filled)


async def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    """A data folder that is a file is a sentence."""
    (tmp_path / "data").write_text("a file")
    assert "is not a folder" in await refused(tmp_path / "data")
    assert "is not a folder" in await refused(tmp_path / "data" / "deeper")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user of this machine can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
def test_what_may_only_be_read(public_folder: Path, empty_file: Path) -> None:
    """A folder or a file that Easel's user may not write is refused at the start with what to do, not at somebody's first job."""
    folders = {name: public_folder / name for name in ("writable", "read-only folder", "read-only file")}
    for folder in folders.values():
        folder.mkdir()
        shutil.copyfile(empty_file, folder / FILE)
        folder.chmod(0o777)
        (folder / FILE).chmod(0o666)
    folders["read-only folder"].chmod(0o555)
    (folders["read-only file"] / FILE).chmod(0o444)
    ended = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *map(str, folders.values())],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.stderr == ""
    said = dict(zip(folders, ended.stdout.splitlines(), strict=True))
    assert said.pop("writable") == "opened"
    for name, sentence in said.items():
        assert str(folders[name]) in sentence
        assert "Give Easel's user the right to" in sentence
