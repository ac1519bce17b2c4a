"""People: what they chose, what they used, and forgetting them.

Owns the rows of `people`, and what "everything of theirs" means.
"""

from typing import Any, Final

import msgspec
from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.benches import remove_benches
from storage.connections import Connections
from storage.discards import Discards, remove_jobs
from storage.gallery import rewrite_index
from storage.gallery_tables import collections, searches, unkept
from storage.series import remove_series
from storage.series_tables import series
from storage.tables import benches, favourites, jobs, palettes, people, seeds, styles
from storage.values import Person, Usage

PORTION: Final = 200
"""Jobs that are forgotten in one act."""


class People:
    """The table of people. A row appears only when somebody has chosen something."""

    def __init__(self, connections: Connections, discards: Discards) -> None:
        self._connections = connections
        self._discards = discards

    async def get(self, person: int) -> Person:
        """What this person chose; the defaults where they never did."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(people).where(people.c.id == person))).mappings().first()
        return Person(id=person) if row is None else Person(**row)

    async def set(
        self, person: int, *, remember: bool | None = None, dm: bool | None = None, history: bool | None = None
    ) -> Person:
        """Change what is given, and return what holds now."""
        given = {"remember": remember, "dm": dm, "history": history}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

        async def act(connection: AsyncConnection) -> Person:
            default = Person(id=person)
            first = {**msgspec.structs.asdict(default), **changes}
            written = insert(people).values(first)
            # with nothing to change, write the id over itself: a conflict that does nothing returns no row
            written = written.on_conflict_do_update(index_elements=["id"], set_=changes or {"id": person})
            return Person(**(await connection.execute(written.returning(*people.c))).mappings().one())

        return await self._connections.write(act)

    async def usage(self, person: int, *, since: float) -> Usage:
        """What this person used since a moment."""
        stars = select(func.count()).where(favourites.c.person == person)
        spent = select(func.coalesce(func.sum(jobs.c.pictures), 0), func.coalesce(func.sum(jobs.c.seconds), 0.0)).where(
            (jobs.c.person == person) & (jobs.c.created >= since)
        )
        async with self._connections.read() as connection:
            pictures, seconds = (await connection.execute(spent)).one()
            starred = (await connection.execute(stars)).scalar_one()
        return Usage(pictures=pictures, starred=starred, seconds=seconds, since=since)

    async def forget(self, person: int) -> int:
        """Remove everything of theirs: series, jobs, posts, pictures and their files, stars, collections, searches, styles,
        seeds, choices.

        Jobs that are still open go too: cancel them first, so that the painter stops. A file that somebody else's picture
        or job refers to stays for them. Somebody with many pictures goes in several acts, so that others need not wait for
        all of it; a crash in between forgets a part, and may be asked again. Returns how many pictures were removed.
        """
        newest = select(jobs.c.id).where(jobs.c.person == person).order_by(jobs.c.id.desc()).limit(PORTION)

        async def remove_some(connection: AsyncConnection) -> tuple[int, bool]:
            removed = await remove_jobs(connection, jobs.c.id.in_(newest))
            left = select(exists().where(jobs.c.person == person))
            return removed, bool((await connection.execute(left)).scalar_one())

        async def remove_rest(connection: AsyncConnection) -> None:
            for table, owner in (
                (favourites, favourites.c.person),
                (styles, styles.c.owner),
                (seeds, seeds.c.person),
                (palettes, palettes.c.person),
                (collections, collections.c.person),
                (searches, searches.c.person),
                (unkept, unkept.c.person),
                (people, people.c.id),
            ):
                await connection.execute(delete(table).where(owner == person))
            await rewrite_index(connection)
            await remove_benches(connection, benches.c.person == person)

        mine = select(series.c.id).where(series.c.person == person)
        await self._connections.write(lambda connection: remove_series(connection, mine), then=self._discards.clear)
        total, left = 0, True
        while left:
            removed, left = await self._connections.write(remove_some, then=self._discards.clear)
            total += removed
        await self._connections.write(remove_rest, then=self._discards.clear)
        # deleted rows are overwritten in the file (secure_delete), but older pages may linger in the log until it is cut
        await self._connections.checkpoint()
        return total
