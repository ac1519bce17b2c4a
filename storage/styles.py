"""Styles: named ways of painting, one's own or shared with a server.

Owns the rows of `styles`. Saving under a name that one has already makes its next version; older versions are kept, and a
style stays shared through them all. Names are compared without regard to case.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.rows import style_of, to_json
from storage.tables import styles
from storage.values import Style, StyleSettings, StyleText

NOTHING = StyleSettings()


class Styles:
    """The table of styles."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def save(
        self, owner: int, name: str, *, prompt: str, negative: str, settings: StyleSettings = NOTHING, now: float
    ) -> Style:
        """Keep a style under `name`: the first version, or the next one."""
        text = StyleText(name=name, prompt=prompt, negative=negative, settings=settings)
        return await self._connections.write(lambda connection: _save(connection, owner, text, now))

    async def save_all(self, owner: int, texts: Sequence[StyleText], *, now: float) -> tuple[Style, ...]:
        """Keep them all or none, in one act."""

        async def act(connection: AsyncConnection) -> tuple[Style, ...]:
            return tuple([await _save(connection, owner, text, now) for text in texts])

        return await self._connections.write(act)

    async def of(self, person: int, guild: int | None) -> tuple[Style, ...]:
        """The newest version of every style that this person may use in `guild`: their own, then the server's; by name."""
        return await self._newest(_usable(person, guild), person=person)

    async def find(self, person: int, guild: int | None, name: str) -> Style | None:
        """The style that `name` means for this person here; their own before the server's."""
        found = await self._newest(_usable(person, guild) & (styles.c.key == name.casefold()), person=person)
        return found[0] if found else None

    async def get(self, style: int) -> Style | None:
        """The version with this id, old or new; None when it is gone."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(styles).where(styles.c.id == style))).mappings().first()
        return None if row is None else style_of(row)

    async def newest(self, owner: int, name: str) -> Style | None:
        """What somebody's own style is now."""
        found = await self._newest(_mine(owner, name), person=owner)
        return found[0] if found else None

    async def versions(self, owner: int, name: str, *, offset: int = 0, limit: int = 25) -> tuple[Style, ...]:
        """Versions `offset` to `offset + limit` of somebody's style, newest first."""
        query = select(styles).where(_mine(owner, name)).order_by(styles.c.version.desc()).limit(limit).offset(offset)
        async with self._connections.read() as connection:
            return tuple(style_of(row) for row in (await connection.execute(query)).mappings())

    async def share(self, owner: int, name: str, guild: int | None) -> bool:
        """Let a server use it, in place of the one that did; None takes it back. False when there is no such style."""

        async def act(connection: AsyncConnection) -> bool:
            changed = update(styles).where(_mine(owner, name)).values(guild=guild)
            return bool((await connection.execute(changed)).rowcount)

        return await self._connections.write(act)

    async def delete(self, owner: int, name: str) -> bool:
        """Remove one's own style in all its versions. False when there was none."""

        async def act(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(styles).where(_mine(owner, name)))).rowcount)

        return await self._connections.write(act)

    async def _newest(self, which: ColumnElement[bool], *, person: int) -> tuple[Style, ...]:
        query = select(styles).where(which & styles.c.newest)
        query = query.order_by(styles.c.owner != person, styles.c.key, styles.c.id.desc())
        async with self._connections.read() as connection:
            return tuple(style_of(row) for row in (await connection.execute(query)).mappings())


def _mine(owner: int, name: str) -> ColumnElement[bool]:
    return (styles.c.owner == owner) & (styles.c.key == name.casefold())


def _usable(person: int, guild: int | None) -> ColumnElement[bool]:
    own = styles.c.owner == person
    return own if guild is None else own | (styles.c.guild == guild)


async def _save(connection: AsyncConnection, owner: int, text: StyleText, now: float) -> Style:
    mine = _mine(owner, text.name)
    last = select(styles.c.version, styles.c.guild).where(mine).order_by(styles.c.version.desc()).limit(1)
    before = (await connection.execute(last)).first()
    await connection.execute(update(styles).where(mine & styles.c.newest).values(newest=False))
    values: dict[str, Any] = {
        "owner": owner,
        "guild": before.guild if before else None,
        "key": text.name.casefold(),
        "name": text.name,
        "prompt": text.prompt,
        "negative": text.negative,
        "version": before.version + 1 if before else 1,
        "newest": True,
        "created": now,
        "settings": to_json(text.settings),
    }
    added = await connection.execute(insert(styles).values(values).returning(*styles.c))
    return style_of(added.mappings().one())
