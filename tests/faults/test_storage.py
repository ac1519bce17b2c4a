"""Kill -9 in the middle of writing: what was confirmed is there, what was not is there whole or not at all.

A nursery process imports storage once and forks a writer for each round, so that a kill costs what opening costs. The writer
reports each confirmed act in a line; the test kills it at a random line, opens the folder itself and compares.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage.database import FILE, LOCK, Database
from storage.errors import DatabaseUnavailable
from storage.schema import prepare_file
from storage.values import JobState

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="rounds are forked, which Windows cannot")

KILLS = 25
NURSERY = """
import asyncio, json, os, sys
from pathlib import Path
import alembic.command, alembic.config, alembic.runtime.migration, sqlalchemy.dialects.sqlite.aiosqlite
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from inference.api.result import ImageResult
from storage.database import Database
from storage.values import Address

def say(**fact):
    os.write(1, json.dumps(fact).encode() + b"\\n")

async def write(database, start, person):
    for turn in range(1000):
        seed = start + turn
        request = GenerationRequest(prompt=Prompt("fox"), canvas=Canvas(64, 64), seeds=Seeds(seed), model=ModelRef("m"))
        job = (await database.jobs.add(
            address=Address(channel=1, guild=2, person=person), request=request, kind="imagine", prompt=str(seed),
            parent=None, cost=1.0, now=1.0)).id
        say(job=job, state="queued", seed=seed)
        await database.jobs.start(job)
        say(job=job, state="running")
        data = [f"{seed} {n} ".encode() * 4000 for n in range(2)]
        images = await database.jobs.render(
            job, images=[ImageResult(one, 64, 64, seed, "") for one in data], requests=[request] * 2, models=["m"] * 2,
            seconds=1.0, rows=2, now=2.0)
        say(job=job, state="rendered", images=[[image.id, image.sha256] for image in images])
        await database.posts.begin(job, channel=1, now=3.0)
        say(job=job, begun=True)
        await database.jobs.deliver(job, message=seed + 1, channel=1, now=4.0)
        say(job=job, state="delivered", message=seed + 1)
        await database.images.remove(images[0].id)
        say(removed=images[0].id, sha256=images[0].sha256)

async def main(folder, start):
    say(opening=True)
    database = await Database.open(Path(folder))
    await asyncio.gather(*(write(database, start + 100_000 * n, 10 + n) for n in range(4)))

for line in sys.stdin:
    folder, start = json.loads(line)
    child = os.fork()
    if child == 0:
        asyncio.run(main(folder, start))
        os._exit(0)
    say(child=child)
    os.waitpid(child, 0)
    say(ended=True)
"""


class Nursery:
    """The process that forks writers, and what the writers confirmed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def round(
        self, folder: Path, *, start: int, lines: int, until: Callable[[], bool] = lambda: True
    ) -> list[dict[str, Any]]:
        """Run a writer until it has confirmed so many lines and `until` holds, kill it, and return all that it confirmed."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(folder), start]).encode() + b"\n")
        facts: list[dict[str, Any]] = []
        child = 0
        while not (child and len(facts) >= lines):
            fact = await self._fact()
            if "child" in fact:
                child = fact["child"]
            else:
                facts.append(fact)
        while not until():  # in one go, so that the kill comes right after
            pass
        os.kill(child, signal.SIGKILL)
        while "ended" not in (fact := await self._fact()):
            facts.append(fact)
        return facts

    async def _fact(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return json.loads(await self._process.stdout.readline())


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery that has imported what its writers need."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NURSERY, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    yield Nursery(process)
    process.kill()
    await process.communicate()


ORDER = [JobState.QUEUED, JobState.RUNNING, JobState.RENDERED, JobState.DELIVERED]


async def check(database: Database, facts: list[dict[str, Any]]) -> None:
    """Every confirmed fact holds, and each job is at most one step ahead of what was confirmed of it."""
    files = await database.pictures.hashes()
    confirmed: dict[int, JobState] = {}
    for fact in facts:
        if "state" in fact:
            confirmed[fact["job"]] = JobState(fact["state"])
    for identity, state in confirmed.items():
        job = await database.jobs.get(identity)
        assert job is not None, f"job {identity} was confirmed as {state} and is lost"
        assert ORDER.index(job.state) - ORDER.index(state) in (0, 1)
        kept = await database.images.of_job(identity)
        assert bool(kept) is (job.state in {JobState.RENDERED, JobState.DELIVERED})
        for image in kept:
            assert hashlib.sha256(await database.images.data(image.id)).hexdigest() == image.sha256
        posts = await database.posts.of_job(identity)
        assert [post.nonce for post in posts] == ([f"easel-{identity}-0"] if kept else [])
        assert all((post.state == "sent") is (job.state is JobState.DELIVERED) for post in posts)
    for fact in facts:
        if "begun" in fact:
            assert (await database.posts.of_job(fact["job"]))[0].tried == 3.0
        if "removed" in fact:
            assert await database.images.get(fact["removed"]) is None
            assert fact["sha256"] not in files


async def test_kill_9_while_writing(nursery: Nursery, tmp_path: Path) -> None:
    """Dozens of kills at random moments of four busy writers: no confirmed row is lost, no file is half, no step half done."""
    dice = random.Random(1)
    everything: list[dict[str, Any]] = []
    for kill in range(KILLS):
        facts = await nursery.round(tmp_path, start=1_000_000 * kill, lines=dice.randint(1, 40))
        database = await Database.open(tmp_path)
        try:
            await check(database, facts)
            everything += facts
        finally:
            await database.close()
    database = await Database.open(tmp_path)
    try:
        await check(database, everything)
        for sha256 in await database.pictures.hashes():
            assert hashlib.sha256(await database.pictures.get(sha256)).hexdigest() == sha256
        assert list((tmp_path / "pictures" / "incoming").iterdir()) == []
    finally:
        await database.close()
    assert sum("state" in fact for fact in everything) > 8 * KILLS


async def test_kill_9_while_the_tables_are_made(nursery: Nursery, tmp_path: Path) -> None:
    """A first start that is killed at whatever point leaves a folder that the next start opens."""
    for name, least in ((LOCK, 0), (FILE, 0), (FILE, 1), (f"{FILE}-wal", 0), (f"{FILE}-wal", 1), ("pictures", 0)):
        folder = tmp_path / f"{name} {least}"
        path = folder / name
        await nursery.round(folder, start=0, lines=1, until=lambda: has_grown(path, least))  # noqa: B023 - used at once
        database = await Database.open(folder)
        try:
            assert await database.jobs.unreadable() == ()
        finally:
            await database.close()


def has_grown(path: Path, least: int) -> bool:
    """Whether there is a file of so many bytes; a log may go away while one looks."""
    try:
        return path.stat().st_size >= least
    except FileNotFoundError:
        return False


async def test_a_log_that_lost_its_end(tmp_path: Path, nursery: Nursery) -> None:
    """A log that is cut or scratched at any place, as by a power cut, opens with a beginning of what was there, or not."""
    await nursery.round(tmp_path / "written", start=0, lines=60)
    dice = random.Random(2)
    log = (tmp_path / "written" / f"{FILE}-wal").read_bytes()
    assert len(log) > 100_000
    whole = facts_of(tmp_path / "written", tmp_path / "whole", log)
    assert whole
    for _ in range(40):
        place = dice.randrange(len(log))
        spoilt = log[:place] if dice.random() < 0.5 else log[:place] + bytes([log[place] ^ 0x55]) + log[place + 1 :]
        found = facts_of(tmp_path / "written", tmp_path / "spoilt", spoilt)
        assert found is None or found == whole[: len(found)]


def facts_of(origin: Path, folder: Path, log: bytes) -> list[tuple[int, str]] | None:
    """Jobs in a copy of `origin` with this log; None where opening it is refused in a sentence."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copyfile(origin / FILE, folder / FILE)
    (folder / f"{FILE}-wal").write_bytes(log)
    try:
        prepare_file(folder / FILE)
    except DatabaseUnavailable:
        return None
    with contextlib.suppress(sqlite3.DatabaseError), closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT id, prompt FROM jobs ORDER BY id").fetchall()
    pytest.fail("opened, and then could not be read")
