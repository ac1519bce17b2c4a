"""Seeds that people keep under a name. Names are compared without regard to case."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.tables import seeds
from storage.values import SavedSeed


class Seeds:
    """The table of seeds."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def save(self, person: int, name: str, seed: int, now: float) -> SavedSeed:
        """Keep `seed` under `name`, in place of what was kept under it."""
        values = {"name": name, "seed": seed, "created": now}

        async def act(connection: AsyncConnection) -> SavedSeed:
            row = insert(seeds).values({"person": person, "key": name.casefold(), **values})
            await connection.execute(row.on_conflict_do_update(index_elements=["person", "key"], set_=values))
            return SavedSeed(person=person, name=name, seed=seed)

        return await self._connections.write(act)

    async def of(self, person: int) -> tuple[SavedSeed, ...]:
        """All of theirs, by name."""
        query = select(seeds.c.person, seeds.c.name, seeds.c.seed).where(seeds.c.person == person).order_by(seeds.c.key)
        async with self._connections.read() as connection:
            return tuple(SavedSeed(**row) for row in (await connection.execute(query)).mappings())

    async def find(self, person: int, name: str) -> SavedSeed | None:
        """The seed that `name` means for this person."""
        query = select(seeds.c.person, seeds.c.name, seeds.c.seed).where(
            (seeds.c.person == person) & (seeds.c.key == name.casefold())
        )
        async with self._connections.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else SavedSeed(**row)

    async def delete(self, person: int, name: str) -> bool:
        """Let a name go. False when there was none."""
        mine = (seeds.c.person == person) & (seeds.c.key == name.casefold())

        async def act(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(seeds).where(mine))).rowcount)

        return await self._connections.write(act)
