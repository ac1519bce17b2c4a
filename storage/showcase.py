"""Pictures that stars have earned a place in their server's showcase: once each, and written down before they are posted.

Owns the rows of `showcase`, and when a picture has earned its place. Refuses to know where a showcase is and who may see it.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.gallery_tables import showcase
from storage.gallery_values import Shown
from storage.tables import favourites, images, jobs


class Showcase:
    """The table of pictures in showcases."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def stars(self, image: int) -> int:
        """Stars that count: those of others than who asked for the picture."""
        async with self._connections.read() as connection:
            return await _stars(connection, image)

    async def earn(self, image: int, *, guild: int, channel: int, threshold: int, now: float) -> Shown | None:
        """Give the picture a place in `channel` where it has `threshold` stars of others; None where it has not, or had one.

        Only what was shown to all in that server counts: not what was painted elsewhere, or in private.
        """
        public = (images.c.guild == guild) & (images.c.message != 0) & (images.c.message_channel == images.c.channel)
        mine = select(images.c.id).join(jobs, jobs.c.id == images.c.job).where((images.c.id == image) & public)

        async def act(connection: AsyncConnection) -> Shown | None:
            if (await connection.execute(mine.where(~jobs.c.private))).first() is None:
                return None
            if await _stars(connection, image) < max(1, threshold):
                return None
            values = {
                "image": image,
                "guild": guild,
                "channel": channel,
                "state": "pending",
                "tried": None,
                "message": 0,
                "created": now,
            }
            made = insert(showcase).values(values).on_conflict_do_nothing(index_elements=["image"])
            row = (await connection.execute(made.returning(*showcase.c))).mappings().first()
            return None if row is None else Shown(**row)

        return await self._connections.write(act)

    async def pending(self) -> tuple[Shown, ...]:
        """What is still to be posted, oldest first."""
        query = select(showcase).where(showcase.c.state == "pending").order_by(showcase.c.created, showcase.c.image)
        async with self._connections.read() as connection:
            return tuple(Shown(**row) for row in (await connection.execute(query)).mappings())

    async def get(self, image: int) -> Shown | None:
        """A picture's place, None where it has none."""
        query = select(showcase).where(showcase.c.image == image)
        async with self._connections.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else Shown(**row)

    async def posted(self, numbers: Iterable[int]) -> tuple[Shown, ...]:
        """The places of those of these pictures that are there to be seen."""
        return await self._there(showcase.c.image.in_(tuple(numbers)))

    async def posted_of(self, person: int) -> tuple[Shown, ...]:
        """The places of all pictures of `person`'s that are there to be seen."""
        return await self._there(showcase.c.image.in_(select(images.c.id).where(images.c.person == person)))

    async def _there(self, which: Any) -> tuple[Shown, ...]:
        query = select(showcase).where(which & (showcase.c.message != 0)).order_by(showcase.c.image)
        async with self._connections.read() as connection:
            return tuple(Shown(**row) for row in (await connection.execute(query)).mappings())

    async def begin(self, image: int, *, now: float) -> None:
        """About to be posted: remember when it was tried first."""
        await self._set(image, tried=func.coalesce(showcase.c.tried, now))

    async def sent(self, image: int, message: int) -> None:
        """It is there. Nothing when the picture was deleted meanwhile."""
        await self._set(image, state="sent", message=message)

    async def lost(self, image: int) -> None:
        """It can never be posted, the channel being gone, say."""
        await self._set(image, state="lost")

    async def _set(self, image: int, **columns: Any) -> None:
        changed = update(showcase).where(showcase.c.image == image).values(columns)

        async def act(connection: AsyncConnection) -> None:
            await connection.execute(changed)

        await self._connections.write(act)


async def _stars(connection: AsyncConnection, image: int) -> int:
    others = (favourites.c.image == image) & (favourites.c.person != images.c.person)
    query = select(func.count()).select_from(favourites.join(images, images.c.id == favourites.c.image)).where(others)
    return (await connection.execute(query)).scalar_one()
