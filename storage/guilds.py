"""Servers: what they have chosen, whom they keep from painting, and the log of both.

Owns the rows of `guilds`, `blocks` and `audit`. Every change is one act with its line in the log: two who change different
things at once both get what they chose, and nothing is changed that the log does not tell.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.guild_settings import Block, Entry, GuildSettings, Log
from storage.rows import to_json
from storage.tables import audit, blocks, guilds

_settings: Final = msgspec.json.Decoder(GuildSettings)

Change = Callable[[GuildSettings], GuildSettings]
"""From what a server had chosen to what it chooses now. What it raises is raised to who asked, and nothing is changed."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What is written into a log: who did it, when (seconds since 1970), its kind in a word, and what it was."""

    by: int
    now: float
    action: str
    words: str


class Guilds:
    """The tables of servers. A row appears only when a server has chosen something."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def settings(self, guild: int) -> GuildSettings:
        """What this server chose; the defaults where it never did."""
        async with self._connections.read() as connection:
            return await _read(connection, guild)

    async def set(self, guild: int, settings: GuildSettings) -> None:
        """Write down all that this server chooses, whatever it was before. For what people do there is `change`."""
        await self._connections.write(lambda connection: _write(connection, guild, settings))

    async def change(self, guild: int, change: Change, deed: Deed) -> GuildSettings:
        """Change what this server chose, log it, and return what holds now. Raises what `change` raises."""

        async def act(connection: AsyncConnection) -> GuildSettings:
            after = change(await _read(connection, guild))
            await _write(connection, guild, after)
            await _log(connection, guild, deed)
            return after

        return await self._connections.write(act)

    async def closed(self) -> tuple[tuple[int, GuildSettings], ...]:
        """The servers that take nothing new, with what they chose."""
        async with self._connections.read() as connection:
            rows = (await connection.execute(select(guilds.c.id, guilds.c.settings))).all()
        chosen = ((guild, _settings.decode(text)) for guild, text in rows)
        return tuple((guild, settings) for guild, settings in chosen if settings.closed)

    # -- blocks -------------------------------------------------------------------------------------------------------

    async def blocks(self, guild: int, *, now: float) -> tuple[Block, ...]:
        """Whom this server keeps from painting now, the newest first."""
        holds = (blocks.c.guild == guild) & (blocks.c.until.is_(None) | (blocks.c.until > now))
        query = select(blocks).where(holds).order_by(blocks.c.created.desc(), blocks.c.person)
        async with self._connections.read() as connection:
            return tuple(Block(**row) for row in (await connection.execute(query)).mappings())

    async def block(self, guild: int, person: int, *, until: float | None, deed: Deed) -> None:
        """Keep `person` from painting until a moment (None: for good), in place of an earlier block."""
        values = {"until": until, "by": deed.by, "created": deed.now}

        async def act(connection: AsyncConnection) -> None:
            row = upsert(blocks).values({"guild": guild, "person": person, **values})
            await connection.execute(row.on_conflict_do_update(index_elements=["guild", "person"], set_=values))
            await _log(connection, guild, deed)

        await self._connections.write(act)

    async def unblock(self, guild: int, person: int, *, deed: Deed) -> bool:
        """Let `person` paint again. False, and nothing logged, when they were not kept from it."""
        theirs = (blocks.c.guild == guild) & (blocks.c.person == person)
        holds = theirs & (blocks.c.until.is_(None) | (blocks.c.until > deed.now))

        async def act(connection: AsyncConnection) -> bool:
            held = (await connection.execute(select(blocks.c.person).where(holds))).first() is not None
            await connection.execute(delete(blocks).where(theirs))
            if held:
                await _log(connection, guild, deed)
            return held

        return await self._connections.write(act)

    # -- the log ------------------------------------------------------------------------------------------------------

    async def note(self, guild: int, deed: Deed) -> None:
        """Log something that changed nothing here."""
        await self._connections.write(lambda connection: _log(connection, guild, deed))

    async def log(self, guild: int, *, offset: int = 0, limit: int = 10) -> Log:
        """Lines `offset` to `offset + limit` of a server's log, newest first."""
        mine = audit.c.guild == guild
        rows = select(audit).where(mine).order_by(audit.c.id.desc()).limit(limit).offset(offset)
        async with self._connections.read() as connection:
            total = (await connection.execute(select(func.count()).select_from(audit).where(mine))).scalar_one()
            found = (await connection.execute(rows)).mappings().all()
        return Log(entries=tuple(Entry(**row) for row in found), total=total)


async def _read(connection: AsyncConnection, guild: int) -> GuildSettings:
    query = select(guilds.c.settings).where(guilds.c.id == guild)
    found = (await connection.execute(query)).scalar_one_or_none()
    return GuildSettings() if found is None else _settings.decode(found)


async def _write(connection: AsyncConnection, guild: int, settings: GuildSettings) -> None:
    text = to_json(settings)
    row = upsert(guilds).values(id=guild, settings=text)
    await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={"settings": text}))


async def _log(connection: AsyncConnection, guild: int, deed: Deed) -> None:
    line = {"guild": guild, "person": deed.by, "created": deed.now, "action": deed.action, "words": deed.words}
    await connection.execute(insert(audit).values(line))
