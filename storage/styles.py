"""Styles: named ways of painting, one's own or shared with a server.

Owns the rows of `styles`. Saving under a name that one has already makes its next version; older versions are kept.
Names are compared without regard to case.
"""

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.rows import style_of
from storage.tables import styles
from storage.values import Style


class Styles:
    """The table of styles."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def save(
        self, owner: int, name: str, *, prompt: str, negative: str, guild: int | None = None, now: float
    ) -> Style:
        """Keep a style under `name`; it is shared with `guild` where that is given, and from then on only there."""
        mine = (styles.c.owner == owner) & (styles.c.key == name.casefold())

        async def act(connection: AsyncConnection) -> Style:
            last = select(func.coalesce(func.max(styles.c.version), 0)).where(mine)
            version = (await connection.execute(last)).scalar_one() + 1
            await connection.execute(update(styles).where(mine).values(newest=False))
            values = {
                "owner": owner,
                "guild": guild,
                "key": name.casefold(),
                "name": name,
                "prompt": prompt,
                "negative": negative,
                "version": version,
                "newest": True,
                "created": now,
            }
            added = await connection.execute(insert(styles).values(values).returning(*styles.c))
            return style_of(added.mappings().one())

        return await self._connections.write(act)

    async def of(self, person: int, guild: int | None) -> tuple[Style, ...]:
        """The newest version of every style that this person may use in `guild`: their own, then the server's; by name."""
        return await self._newest(_usable(person, guild), person=person)

    async def find(self, person: int, guild: int | None, name: str) -> Style | None:
        """The style that `name` means for this person here; their own before the server's."""
        found = await self._newest(_usable(person, guild) & (styles.c.key == name.casefold()), person=person)
        return found[0] if found else None

    async def delete(self, owner: int, name: str) -> bool:
        """Remove one's own style in all its versions. False when there was none."""
        mine = (styles.c.owner == owner) & (styles.c.key == name.casefold())

        async def act(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(styles).where(mine))).rowcount)

        return await self._connections.write(act)

    async def _newest(self, which: ColumnElement[bool], *, person: int) -> tuple[Style, ...]:
        query = select(styles).where(which & styles.c.newest)
        query = query.order_by(styles.c.owner != person, styles.c.key, styles.c.id.desc())
        async with self._connections.read() as connection:
            return tuple(style_of(row) for row in (await connection.execute(query)).mappings())


def _usable(person: int, guild: int | None) -> ColumnElement[bool]:
    own = styles.c.owner == person
    return own if guild is None else own | (styles.c.guild == guild)
