"""Collections: sets of pictures that somebody keeps under a name.

Owns the rows of `collections` and `collected`. Refuses to know how names are read and how many one may have.
"""

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.errors import Missing
from storage.gallery_tables import collected, collections
from storage.gallery_values import Collection
from storage.labels import key_of
from storage.tables import images


class Collections:
    """The tables of collections. Each belongs to one person; what is another's is Missing."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def create(self, person: int, name: str, *, now: float) -> tuple[Collection, bool]:
        """The collection of this name, and whether it is new: names are compared in any case."""

        async def act(connection: AsyncConnection) -> tuple[Collection, bool]:
            theirs = (collections.c.person == person) & (collections.c.key == key_of(name))
            row = (await connection.execute(select(collections).where(theirs))).mappings().first()
            if row is not None:
                return Collection(id=row["id"], person=person, name=row["name"], created=row["created"]), False
            values = {"person": person, "key": key_of(name), "name": name, "created": now}
            made = insert(collections).values(values).returning(collections.c.id)
            number = (await connection.execute(made)).scalar_one()
            return Collection(id=number, person=person, name=name, created=now), True

        return await self._connections.write(act)

    async def rename(self, person: int, collection: int, name: str) -> bool:
        """Give it another name. False when another of theirs has that. Raises Missing."""
        mine = _mine(person, collection)

        async def act(connection: AsyncConnection) -> bool:
            other = (
                (collections.c.person == person)
                & (collections.c.key == key_of(name))
                & (collections.c.id != collection)
            )
            if (await connection.execute(select(collections.c.id).where(other))).first() is not None:
                return False
            renamed = update(collections).where(mine).values(name=name, key=key_of(name))
            if not (await connection.execute(renamed)).rowcount:
                raise _missing(collection)
            return True

        return await self._connections.write(act)

    async def delete(self, person: int, collection: int) -> None:
        """Remove it; its pictures stay where else they are. Raises Missing."""

        async def act(connection: AsyncConnection) -> None:
            if not (await connection.execute(delete(collections).where(_mine(person, collection)))).rowcount:
                raise _missing(collection)

        await self._connections.write(act)

    async def get(self, person: int, collection: int) -> Collection:
        """One of theirs. Raises Missing."""
        found = await self._list(_mine(person, collection), image=0)
        if not found:
            raise _missing(collection)
        return found[0]

    async def of(self, person: int, *, image: int = 0) -> tuple[Collection, ...]:
        """All of theirs, by name; with an `image`, whether each holds that."""
        return await self._list(collections.c.person == person, image=image)

    async def toggle(self, person: int, collection: int, image: int, *, now: float) -> bool:
        """Put a picture in, or take it out. Returns whether it is in now. Raises Missing: collection or picture."""

        async def act(connection: AsyncConnection) -> bool:
            if (await connection.execute(select(collections.c.id).where(_mine(person, collection)))).first() is None:
                raise _missing(collection)
            inside = (collected.c.collection == collection) & (collected.c.image == image)
            if (await connection.execute(delete(collected).where(inside))).rowcount:
                return False
            row = {"collection": collection, "image": image, "created": now}
            if (await connection.execute(select(images.c.id).where(images.c.id == image))).first() is None:
                raise Missing("picture", image)
            await connection.execute(insert(collected).values(row))
            return True

        return await self._connections.write(act)

    async def _list(self, which: ColumnElement[bool], *, image: int) -> tuple[Collection, ...]:
        size = select(func.count()).where(collected.c.collection == collections.c.id).scalar_subquery()
        holds = exists().where((collected.c.collection == collections.c.id) & (collected.c.image == image))
        columns = collections.c.id, collections.c.person, collections.c.name, collections.c.created
        query = select(*columns, size.label("size"), holds.label("holds")).where(which).order_by(collections.c.key)
        async with self._connections.read() as connection:
            return tuple(Collection(**row) for row in (await connection.execute(query)).mappings())


def _mine(person: int, collection: int) -> ColumnElement[bool]:
    return (collections.c.id == collection) & (collections.c.person == person)


def _missing(collection: int) -> Missing:
    return Missing(
        "collection", collection, sentence="That collection is gone. `/gallery collections` shows what is there."
    )
