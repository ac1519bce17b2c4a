"""The policies of servers, read once and kept until something changes them.

Owns that whoever asks after a change sees it, and that a crowd which asks at once shares one reading. Refuses to know what a
policy says.
"""

import asyncio
from collections.abc import Callable

from bot.requests.policy import Policy
from bot.settings import Settings
from storage.database import Database
from storage.guild_settings import EVERYWHERE

KEPT = 1000
"""Servers whose policies are kept; beyond that they are read again."""


class Policies:
    """Policies by server. Everything that changes one calls `forget`, as soon as the change is written."""

    def __init__(self, db: Database, settings: Settings, *, now: Callable[[], float]) -> None:
        self._db, self._settings, self._now = db, settings, now
        self._kept: dict[int, Policy] = {}
        self._reading: dict[int, asyncio.Task[Policy]] = {}
        self._version = 0

    async def of(self, guild: int | None) -> Policy:
        """The policy of a server, or of direct messages (None). Raises DatabaseUnavailable."""
        place = guild or EVERYWHERE
        kept = self._kept.get(place)
        if kept is not None:
            return kept
        reading = self._reading.get(place)
        if reading is None:
            reading = self._reading[place] = asyncio.create_task(self._keep(place), name=f"policy of {place}")
            reading.add_done_callback(lambda done: self._read_out(place, done))
        return await asyncio.shield(reading)  # whoever gives up waiting does not take it from the others

    def _read_out(self, place: int, done: "asyncio.Task[Policy]") -> None:
        if self._reading.get(place) is done:
            del self._reading[place]
        if not done.cancelled():
            done.exception()  # those who wait hear it; where nobody waits any more, nobody needs to

    async def _keep(self, place: int) -> Policy:
        version = self._version
        policy = await self._read(place)
        if version == self._version:  # what was read before a change must not be kept after it
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[place] = policy
        return policy

    def forget(self) -> None:
        """Something changed: read anew from now on. The operator's own choices are part of every policy."""
        self._version += 1
        self._kept.clear()
        self._reading.clear()  # who asks from now on must not be told what was read before

    async def _read(self, place: int) -> Policy:
        guilds, now = self._db.guilds, self._now()
        house = await guilds.settings(EVERYWHERE)
        kept_out = {
            block.person: block.until
            for each in dict.fromkeys((place, EVERYWHERE))
            for block in await guilds.blocks(each, now=now)
        }
        return Policy(
            own=house if place == EVERYWHERE else await guilds.settings(place),
            house=house,
            limits=self._settings.limits,
            moderation=self._settings.moderation,
            blocks=kept_out,
        )
