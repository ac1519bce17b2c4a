"""Reports: pictures that somebody says should not be here, and what was decided.

Owns the rows of `reports`, and that each is decided once. Refuses to know pictures: a report outlives the one it is about.
"""

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.guild_settings import Report, ReportState
from storage.tables import reports
from storage.values import Image


class Reports:
    """The table of reports."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def add(
        self, image: Image, *, guild: int, reporter: int, reason: str, place: tuple[int, int], now: float
    ) -> tuple[Report, bool]:
        """Write a report of `image` down, seen at `place` (channel, message); True with it where it is a new one.

        Somebody's second report of a picture while the first is open is the first.
        """
        channel, message = place
        values = {
            "guild": guild,
            "image": image.id,
            "job": image.job,
            "painter": image.person,
            "reporter": reporter,
            "reason": reason,
            "channel": channel,
            "message": message,
            "created": now,
            "state": "open",
            "moderator": 0,
        }
        same = (
            (reports.c.guild == guild)
            & (reports.c.image == image.id)
            & (reports.c.reporter == reporter)
            & (reports.c.state == "open")
        )

        async def act(connection: AsyncConnection) -> tuple[Report, bool]:
            known = (await connection.execute(select(reports).where(same))).mappings().first()
            if known is not None:
                return Report(**known), False
            made = await connection.execute(insert(reports).values(values).returning(*reports.c))
            return Report(**made.mappings().one()), True

        return await self._connections.write(act)

    async def get(self, report: int) -> Report | None:
        """The report with this id, None when there is none."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(reports).where(reports.c.id == report))).mappings().first()
        return None if row is None else Report(**row)

    async def decide(self, report: int, *, state: ReportState, moderator: int) -> bool:
        """Settle an open report. False when somebody else has settled it already, or there is none."""
        open_one = (reports.c.id == report) & (reports.c.state == "open")

        async def act(connection: AsyncConnection) -> bool:
            settled = update(reports).where(open_one).values(state=state, moderator=moderator)
            return bool((await connection.execute(settled)).rowcount)

        return await self._connections.write(act)

    async def count_open(self, guild: int) -> int:
        """How many reports of a server wait for a decision."""
        query = select(reports.c.id).where((reports.c.guild == guild) & (reports.c.state == "open"))
        async with self._connections.read() as connection:
            return len((await connection.execute(query)).all())
