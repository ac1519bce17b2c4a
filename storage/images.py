"""Pictures: what was painted, the gallery's pages, and stars.

Owns the rows of `images` and `favourites`. Refuses to know who may delete what.
"""

from sqlalchemy import ColumnElement, Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.discards import Discards, remove_images
from storage.errors import Missing
from storage.gallery_tables import unkept
from storage.pictures import PictureStore
from storage.rows import image_of, readable
from storage.tables import favourites, images
from storage.values import Image


class Images:
    """The table of pictures."""

    def __init__(self, connections: Connections, pictures: PictureStore, discards: Discards) -> None:
        self._connections = connections
        self._pictures = pictures
        self._discards = discards

    async def get(self, image: int) -> Image | None:
        """The picture with this id, None when there is none. Raises RequestUnreadable."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(images).where(images.c.id == image))).mappings().first()
        return None if row is None else image_of(row)

    async def unkept_by(self, image: int) -> int | None:
        """Whose picture this was, where it was shown and not kept since they keep no history; None for any other."""
        query = select(unkept.c.person).where(unkept.c.image == image)
        async with self._connections.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def of_job(self, job: int) -> tuple[Image, ...]:
        """A job's pictures in order."""
        return await self._list(select(images).where(images.c.job == job).order_by(images.c.index))

    async def of_message(self, message: int) -> tuple[Image, ...]:
        """The pictures that a message shows, in order."""
        shown = (images.c.message == message) & (images.c.message != 0)
        return await self._list(select(images).where(shown).order_by(images.c.job, images.c.index))

    async def data(self, image: int) -> bytes:
        """The PNG. Raises Missing when the row or the file is gone."""
        async with self._connections.read() as connection:
            found = await connection.execute(select(images.c.sha256).where(images.c.id == image))
            sha256 = found.scalar_one_or_none()
        if sha256 is None:
            raise Missing("picture", image)
        return await self._pictures.get(sha256)

    async def remove(self, image: int) -> None:
        """Delete a picture with its stars, and its file when nothing else refers to that. Raises Missing."""
        if not await self._remove(images.c.id == image):
            raise Missing("picture", image)

    async def remove_message(self, message: int, *, person: int) -> int:
        """Delete every picture of `person`'s that a message shows. Returns how many there were."""
        shown = (images.c.message == message) & (images.c.message != 0)
        return await self._remove(shown & (images.c.person == person))

    async def star(self, person: int, image: int, now: float) -> bool:
        """Star a picture. False when it had that person's star already. Raises Missing."""
        return await self._connections.write(lambda connection: _star(connection, person, image=image, now=now))

    async def unstar(self, person: int, image: int) -> bool:
        """Take a star away. False when there was none."""
        return await self._connections.write(lambda connection: _unstar(connection, person, image=image))

    async def toggle_star(self, person: int, image: int, now: float) -> bool:
        """Star or unstar. Returns whether it is starred now. Raises Missing."""

        async def act(connection: AsyncConnection) -> bool:
            if await _unstar(connection, person, image=image):
                return False
            return await _star(connection, person, image=image, now=now)

        return await self._connections.write(act)

    async def _list(self, query: "Select[*tuple[object, ...]]") -> tuple[Image, ...]:
        async with self._connections.read() as connection:
            return readable((await connection.execute(query)).mappings().all(), image_of)

    async def _remove(self, which: ColumnElement[bool]) -> int:
        return await self._connections.write(
            lambda connection: remove_images(connection, which), then=self._discards.clear
        )


async def _star(connection: AsyncConnection, person: int, *, image: int, now: float) -> bool:
    if (await connection.execute(select(images.c.id).where(images.c.id == image))).first() is None:
        raise Missing("picture", image)
    row = {"person": person, "image": image, "created": now}
    return bool((await connection.execute(insert(favourites).prefix_with("OR IGNORE").values(row))).rowcount)


async def _unstar(connection: AsyncConnection, person: int, *, image: int) -> bool:
    starred = (favourites.c.person == person) & (favourites.c.image == image)
    return bool((await connection.execute(delete(favourites).where(starred))).rowcount)
