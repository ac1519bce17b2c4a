"""Reading and writing at once: shared commits, acts that fail alone, and readers who do not wait."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.errors import DatabaseUnavailable


@pytest.fixture
async def connections(tmp_path: Path) -> AsyncIterator[Connections]:
    """Connections to a file with one table."""
    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as connection:
        connection.execute("CREATE TABLE notes (text TEXT NOT NULL UNIQUE)")
    connections = Connections(tmp_path / "a.sqlite3")
    connections.start()
    yield connections
    await connections.close()


async def note(connection: AsyncConnection, text: str | None) -> str | None:
    """Write a line; a line that is there, or None, breaks the table's rules."""
    await connection.exec_driver_sql("INSERT INTO notes VALUES (?)", (text,))
    return text


async def notes(connections: Connections) -> list[str]:
    """All lines."""
    async with connections.read() as connection:
        return [text for (text,) in await connection.exec_driver_sql("SELECT text FROM notes ORDER BY rowid")]


async def test_the_disk_is_asked_for_safety(connections: Connections) -> None:
    """Every connection logs ahead, syncs each commit, and checks foreign keys; readers cannot write."""
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 5000}

    async def pragmas(connection: AsyncConnection) -> dict[str, object]:
        return {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in expected}

    async with connections.read() as connection:
        assert await pragmas(connection) == expected
        with pytest.raises(Exception, match="readonly"):
            await note(connection, "x")
    assert await connections.write(pragmas) == expected


async def test_those_who_wait_share_a_commit(connections: Connections) -> None:
    """Acts that arrive together are all done, each with its own result, with far fewer commits than acts."""
    commits: list[object] = []
    event.listen(connections._writer.sync_engine, "commit", commits.append)
    results = await asyncio.gather(*(connections.write(lambda c, n=n: note(c, str(n))) for n in range(50)))
    assert results == [str(n) for n in range(50)]
    assert len(await notes(connections)) == 50
    assert 1 <= len(commits) <= 3


async def test_an_act_fails_alone(connections: Connections) -> None:
    """An act that fails leaves no trace of itself and does not disturb those that shared its commit."""

    async def half(connection: AsyncConnection) -> None:
        await note(connection, "half done")
        raise LookupError("not today")

    outcomes = await asyncio.gather(
        *(connections.write(lambda c, n=n: note(c, str(n))) for n in range(5)),
        connections.write(half),
        connections.write(lambda c: note(c, None)),
        *(connections.write(lambda c, n=n: note(c, str(n))) for n in range(5, 10)),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == [str(n) for n in range(10)]
    assert isinstance(outcomes[5], LookupError)
    assert isinstance(outcomes[6], Exception)
    assert sorted(await notes(connections)) == sorted(str(n) for n in range(10))


async def test_readers_do_not_wait_for_the_writer(connections: Connections) -> None:
    """While an act is in the middle of its work, readers see the last commit at once."""
    wrote, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await note(connection, "slow")
        wrote.set()
        await go_on.wait()

    writing = asyncio.create_task(connections.write(slow))
    await wrote.wait()
    assert await asyncio.gather(*(notes(connections) for _ in range(20))) == [[]] * 20
    go_on.set()
    await writing
    assert await notes(connections) == ["slow"]


async def test_a_reader_sees_one_moment(connections: Connections) -> None:
    """What is committed while somebody reads does not change what they read."""
    count = "SELECT count(*) FROM notes"
    async with connections.read() as connection:
        before = (await connection.exec_driver_sql(count)).scalar_one()
        await connections.write(lambda c: note(c, "meanwhile"))
        assert (await connection.exec_driver_sql(count)).scalar_one() == before == 0


async def test_then_comes_before_the_next_act(connections: Connections) -> None:
    """What belongs behind a commit runs once for all that asked for it, before the next act and before anybody is told."""
    order: list[str] = []

    async def then() -> None:
        order.append(",".join(await notes(connections)))

    async def told(text: str) -> None:
        await connections.write(lambda c: note(c, text), then=then)
        order.append(f"told {text}")

    await told("a")
    await asyncio.gather(told("b"), told("c"))
    assert order[:3] == ["a", "told a", "a,b"] or order[:3] == ["a", "told a", "a,b,c"]
    assert order.index("told b") > 2


async def test_a_broken_then_is_told_to_those_who_asked(connections: Connections) -> None:
    """Whoever asked for what comes after the commit learns that it failed; others do not."""

    async def then() -> None:
        raise OSError("the disk said no")

    outcomes = await asyncio.gather(
        connections.write(lambda c: note(c, "a"), then=then),
        connections.write(lambda c: note(c, "b")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], OSError)
    assert outcomes[1] == "b"


async def test_those_who_lose_patience(connections: Connections) -> None:
    """Callers that are cancelled while they read or write leave every connection in working order."""
    for _ in range(20):
        tasks = [asyncio.create_task(notes(connections)) for _ in range(6)]
        tasks.append(asyncio.create_task(connections.write(lambda c: note(c, None))))
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await connections.write(lambda c: note(c, "still here"))
    assert await notes(connections) == ["still here"]


async def test_a_full_disk(connections: Connections) -> None:
    """SQLite's "full" is a sentence for the operator; what was confirmed stays, and writing works again once there is room."""
    await connections.write(lambda c: note(c, "kept"))

    async def too_much(connection: AsyncConnection) -> None:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        try:
            await note(connection, "x" * 100_000)
        finally:
            await connection.exec_driver_sql("PRAGMA max_page_count = 4294967294")

    with pytest.raises(DatabaseUnavailable, match=r"The disk that holds .* is full"):
        await connections.write(too_much)
    await connections.write(lambda c: note(c, "room again"))
    assert await notes(connections) == ["kept", "room again"]


async def test_closed_is_closed(connections: Connections) -> None:
    """What was handed in before the end is done; what comes after it is refused with a sentence."""
    last = [asyncio.create_task(connections.write(lambda c, n=n: note(c, str(n)))) for n in range(10)]
    await asyncio.sleep(0)
    await connections.close()
    assert await asyncio.gather(*last) == [str(n) for n in range(10)]
    with pytest.raises(DatabaseUnavailable, match="has been closed"):
        await connections.write(lambda c: note(c, "late"))
    with pytest.raises(DatabaseUnavailable, match="has been closed"):
        await notes(connections)
