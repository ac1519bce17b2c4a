"""What a server, or everybody, has done since a moment: counted in SQL, from rows that are there anyway."""

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.guild_settings import Allowance, Statistics
from storage.tables import jobs
from storage.values import JobState

_OPEN = (JobState.QUEUED, JobState.RUNNING)
_PAINTED = (JobState.RENDERED, JobState.DELIVERED)


class Figures:
    """Questions about many jobs at once."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def of(self, guild: int | None, *, since: float) -> Statistics:
        """What was done in `guild`, or everywhere (None), since a moment."""
        here: ColumnElement[bool] = true() if guild is None else jobs.c.guild == guild
        recent = here & (jobs.c.created >= since)
        sums = select(
            func.coalesce(func.sum(jobs.c.pictures), 0),
            func.coalesce(func.sum(jobs.c.seconds), 0.0),
            func.count(jobs.c.person.distinct()),
            func.count(),
            func.coalesce(func.sum(case((jobs.c.state == JobState.FAILED, 1), else_=0)), 0),
        ).where(recent)
        async with self._connections.read() as connection:
            pictures, seconds, people, count, failed = (await connection.execute(sums)).one()
            wait = await _median_wait(connection, recent)
        return Statistics(
            pictures=pictures, seconds=float(seconds), people=people, jobs=count, failed=failed, wait=wait
        )

    async def spent(self, person: int, allowance: Allowance) -> float:
        """Seconds of the fast lane that `person` has used of `allowance`, those of open jobs as predicted."""
        async with self._connections.read() as connection:
            return await fast_seconds(connection, person, allowance)


async def fast_seconds(connection: AsyncConnection, person: int, allowance: Allowance) -> float:
    """The same inside a transaction. What failed or was cancelled cost nothing; the slow lane is not counted."""
    spent = case(
        (jobs.c.state.in_(_OPEN), jobs.c.cost),
        (jobs.c.state.in_(_PAINTED), jobs.c.seconds),
        else_=0.0,
    )
    theirs = (jobs.c.person == person) & (jobs.c.created >= allowance.since)
    mine = theirs & (jobs.c.guild == allowance.guild) & (jobs.c.slow == "")
    query = select(func.coalesce(func.sum(spent), 0.0)).where(mine)
    return float((await connection.execute(query)).scalar_one())


async def _median_wait(connection: AsyncConnection, which: ColumnElement[bool]) -> float | None:
    waits = select((jobs.c.started - jobs.c.created).label("wait")).where(which & jobs.c.started.is_not(None))
    count = (await connection.execute(select(func.count()).select_from(waits.subquery()))).scalar_one()
    if not count:
        return None
    middle = waits.order_by("wait").limit(2 - count % 2).offset((count - 1) // 2)
    found = [max(0.0, float(wait)) for wait in (await connection.execute(middle)).scalars()]
    return sum(found) / len(found)
