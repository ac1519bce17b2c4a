"""Servers and what they have chosen."""

from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.rows import to_json
from storage.tables import guilds
from storage.values import GuildSettings

_settings: Final = msgspec.json.Decoder(GuildSettings)


class Guilds:
    """The table of servers. A row appears only when a server has chosen something."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def settings(self, guild: int) -> GuildSettings:
        """What this server chose; the defaults where it never did."""
        async with self._connections.read() as connection:
            query = select(guilds.c.settings).where(guilds.c.id == guild)
            found = (await connection.execute(query)).scalar_one_or_none()
        return GuildSettings() if found is None else _settings.decode(found)

    async def set(self, guild: int, settings: GuildSettings) -> None:
        """Write down all that this server chooses (`msgspec.structs.replace` changes one thing)."""
        text = to_json(settings)

        async def act(connection: AsyncConnection) -> None:
            row = insert(guilds).values(id=guild, settings=text)
            await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={"settings": text}))

        await self._connections.write(act)
