"""Which picture files may go: those that lost a row and that nothing else refers to.

A file is referred to by a picture, by a job or series that begins from it, or by a bench on which it lies. Deletions write
the hashes into `discards` in the same transaction; `Discards.clear` then removes what nobody needs, right after the commit, or
at the next start.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.pictures import PictureStore
from storage.series_tables import series_sources
from storage.tables import benches, discards, images, job_sources, jobs
from storage.values import JobState

_ENDED: Final = (JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED)


class Discards:
    """The files that are to go."""

    def __init__(self, connections: Connections, pictures: PictureStore) -> None:
        self._connections = connections
        self._pictures = pictures

    async def clear(self) -> None:
        """Remove every file that was discarded and is not referred to. Belongs between two writes: `write(…, then=clear)`."""
        async with self._connections.alone() as connection:
            waiting = set((await connection.execute(select(discards.c.sha256))).scalars())
            needed = set(
                (
                    await connection.execute(
                        select(discards.c.sha256).where(
                            exists().where(images.c.sha256 == discards.c.sha256)
                            | exists().where(job_sources.c.sha256 == discards.c.sha256)
                            | exists().where(benches.c.picture == discards.c.sha256)
                            | exists().where(series_sources.c.sha256 == discards.c.sha256)
                        )
                    )
                ).scalars()
            )
            # files go before the rows that ask for it: a crash in between asks again
            await self._pictures.drop(waiting - needed)
            await connection.execute(delete(discards))


async def remove_images(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Delete the pictures that `which` chooses, with their stars, and note their files. Returns how many there were.

    Gone with them: what their jobs began from, once a job has no picture left; and these files' use by jobs that ended
    without a picture. Neither can be looked at any more, so neither may keep a file.
    """
    touched = (await connection.execute(select(images.c.job).where(which).distinct())).scalars().all()
    await note(connection, select(images.c.sha256).where(which))
    removed = (await connection.execute(delete(images).where(which))).rowcount
    await _release_sources(connection, touched)
    return removed


async def remove_jobs(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Delete the jobs that `which` chooses with all that hangs on them, and note their files. Returns how many pictures went."""
    chosen = select(jobs.c.id).where(which)
    count = select(func.count()).select_from(images).where(images.c.job.in_(chosen))
    removed = (await connection.execute(count)).scalar_one()
    await note(connection, select(images.c.sha256).where(images.c.job.in_(chosen)))
    await note(connection, select(job_sources.c.sha256).where(job_sources.c.job.in_(chosen)))
    await connection.execute(delete(jobs).where(which))
    await _release_sources(connection, ())
    return removed


async def note(connection: AsyncConnection, hashes: Select[str]) -> None:
    """Write down the files that `hashes` selects, within a deletion's own transaction and before it."""
    await connection.execute(insert(discards).prefix_with("OR IGNORE").from_select(["sha256"], hashes))


async def note_unused(connection: AsyncConnection, hashes: Iterable[str]) -> None:
    """Write down files that were stored for rows which then were not made."""
    rows = [{"sha256": sha256} for sha256 in sorted(set(hashes))]
    if rows:
        await connection.execute(insert(discards).prefix_with("OR IGNORE"), rows)


async def _release_sources(connection: AsyncConnection, touched: Sequence[int]) -> None:
    """Let go of what jobs begin from, where they ended, have no picture, and are `touched` or use a noted file."""
    useless = (
        exists().where((jobs.c.id == job_sources.c.job) & jobs.c.state.in_(_ENDED))
        & ~exists().where(images.c.job == job_sources.c.job)
        & (job_sources.c.sha256.in_(select(discards.c.sha256)) | job_sources.c.job.in_(touched))
    )
    await note(connection, select(job_sources.c.sha256).where(useless))
    await connection.execute(delete(job_sources).where(useless))
