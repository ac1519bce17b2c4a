"""How the database is reached: readers side by side, and one writer whose commits are shared.

Owns connections, pragmas and transactions. Every write is one act: it happens whole and is on the disk when it returns
(write-ahead log, synchronous=FULL), or it did not happen. Acts that wait while the disk is busy with a commit share the next
one (group commit), so that fifty people who ask at once cost two syncs and not fifty. An act may run twice, and so does
nothing but ask and write; where one fails, the others do not notice.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.errors import DatabaseUnavailable, unavailable

READERS: Final = 4
"""Reads at the same time; more wait."""
BATCH: Final = 64
"""Acts that may share a commit."""
PRAGMAS: Final = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what people have deleted is not to be read in the file's free pages
)

T = TypeVar("T")
Act = Callable[[AsyncConnection], Awaitable[T]]


class _Waiting(NamedTuple):
    act: Act[Any]
    then: Callable[[], Awaitable[None]] | None
    done: "asyncio.Future[Any]"


class _Outcome(NamedTuple):
    waiting: _Waiting
    result: Any
    error: Exception | None

    def tell(self) -> None:
        """Wake who waits, unless they have gone."""
        if self.waiting.done.cancelled():
            return
        if self.error is None:
            self.waiting.done.set_result(self.result)
        else:
            self.waiting.done.set_exception(self.error)


def prepare_engine(engine: Engine, *, begin: str, pragmas: tuple[str, ...] = PRAGMAS) -> None:
    """Run `pragmas` on each new connection and start transactions with `begin`: Python's own comes too late for reads and DDL."""

    def connected(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


@contextmanager
def worded(place: Path) -> Generator[None]:
    """Turn what SQLite says of disks and locks into DatabaseUnavailable; anything else passes as it is."""
    try:
        yield
    except DBAPIError as error:
        known = unavailable(error.orig, place) if isinstance(error.orig, Exception) else None
        raise known or error from error


class Connections:
    """All connections of this process to the database file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = path.parent
        self._reader = _engine(path, begin="BEGIN", size=READERS, pragmas=(*PRAGMAS, "PRAGMA query_only = ON"))
        self._writer = _engine(path, begin="BEGIN IMMEDIATE", size=1)
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_all(), name="easel-storage-writer")

    async def close(self) -> None:
        """Finish what was handed in, then close every connection."""
        self._closed = True
        if self._writing is not None:
            self._queue.put_nowait(None)
            await self._writing
            self._writing = None
        await self._reader.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection that sees one moment of the database. Raises DatabaseUnavailable."""
        if self._closed:
            raise _closed_error()
        with worded(self._place):
            async with self._reader.connect() as connection:
                yield connection

    async def write(self, act: Act[T], *, then: Callable[[], Awaitable[None]] | None = None) -> T:
        """Run `act` in a transaction and return its result once that is on the disk.

        Raises what `act` raises, or DatabaseUnavailable. `then` runs after the commit and before any later act. A caller
        that is cancelled does not know whether it was done.
        """
        if self._closed or self._writing is None:
            raise _closed_error()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(act, then, done))
        return await done

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction of one's own, for what runs between two writes (`then`) or before `start`."""
        with worded(self._place):
            async with self._writer.begin() as connection:
                yield connection

    async def checkpoint(self) -> None:
        """Move what the log holds into the file and cut the log to nothing, unless a reader is in the middle of its work."""
        await asyncio.to_thread(_checkpoint, self._path)

    async def _write_all(self) -> None:
        while (first := await self._queue.get()) is not None:
            batch, ended = [first], False
            while len(batch) < BATCH and not self._queue.empty():
                following = self._queue.get_nowait()
                if following is None:
                    ended = True
                    break
                batch.append(following)
            await self._commit([waiting for waiting in batch if not waiting.done.cancelled()])
            if ended:
                return

    async def _commit(self, batch: list[_Waiting]) -> None:
        """One transaction for the whole batch. When an act fails, all are undone and each runs again, in one of its own."""
        outcomes: list[_Outcome] = []
        try:
            with worded(self._place):
                async with self._writer.begin() as connection:
                    outcomes.extend([_Outcome(waiting, await waiting.act(connection), None) for waiting in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who wait; the writer goes on
            if len(batch) > 1:
                for waiting in batch:
                    await self._commit([waiting])
                return
            outcomes = [_Outcome(waiting, None, error) for waiting in batch]
        for then in dict.fromkeys(waiting.then for waiting, _, error in outcomes if waiting.then and not error):
            try:
                await then()
            except Exception as error:  # noqa: BLE001 - as above
                outcomes = [_Outcome(own.waiting, None, error) if own.waiting.then == then else own for own in outcomes]
        for outcome in outcomes:
            outcome.tell()


def _closed_error() -> DatabaseUnavailable:
    return DatabaseUnavailable("The database has been closed.")


def _checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _engine(path: Path, *, begin: str, size: int, pragmas: tuple[str, ...] = PRAGMAS) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)), pool_size=size, max_overflow=0, pool_timeout=60
    )
    prepare_engine(engine.sync_engine, begin=begin, pragmas=pragmas)
    return engine
