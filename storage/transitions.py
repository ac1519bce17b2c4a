"""The steps of a job inside somebody else's transaction: the row, the move along the state machine, the new rows.

Owns how a step is written and checked. Refuses to open transactions; `storage.jobs` does.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from inference.api.request import Request
from inference.api.result import ImageResult
from storage.errors import Missing, WrongState
from storage.rows import Row, address_columns, to_json
from storage.tables import images, jobs, posts
from storage.values import NEXT, Address, JobState, PostKind, PostState
from storage.words import words_of

_INSERTS: Final = {table: insert(table).returning(*table.c) for table in (jobs, images, posts)}


async def job_row(connection: AsyncConnection, job: int) -> Row:
    """The row of `job`. Raises Missing."""
    row = (await connection.execute(select(jobs).where(jobs.c.id == job))).mappings().first()
    if row is None:
        raise Missing("job", job)
    return row


async def add_row(connection: AsyncConnection, table: Table, values: Mapping[str, Any]) -> Row:
    """Insert a row and return it with its id."""
    return (await connection.execute(_INSERTS[table], values)).mappings().one()


async def change(connection: AsyncConnection, job: int, **columns: Any) -> Row:
    """Write `columns` and return the new row. Raises Missing."""
    changed = update(jobs).where(jobs.c.id == job).values(columns).returning(*jobs.c)
    row = (await connection.execute(changed)).mappings().first()
    if row is None:
        raise Missing("job", job)
    return row


async def move(connection: AsyncConnection, job: int, *, to: JobState, **columns: Any) -> Row:
    """Go to the state `to` and write `columns`; the new row. Raises WrongState where the state machine has no such step."""
    state = JobState((await job_row(connection, job))["state"])
    if to not in NEXT[state]:
        raise WrongState(job, state=state, wanted=to)
    return await change(connection, job, state=to, **columns)


async def create_post(connection: AsyncConnection, job: int, *, kind: PostKind, channel: int) -> Row:
    """A job's next post, pending. Its nonce is made from ids alone, so that it is the same after a crash."""
    last = select(func.coalesce(func.max(posts.c.ordinal), -1)).where(posts.c.job == job)
    ordinal = (await connection.execute(last)).scalar_one() + 1
    values = {
        "job": job,
        "ordinal": ordinal,
        "kind": kind,
        "channel": channel,
        "state": "pending",
        "nonce": f"easel-{job}-{ordinal}",  # at most 25 characters, Discord's limit
        "tried": None,
        "message": 0,
    }
    return await add_row(connection, posts, values)


async def settle_posts(
    connection: AsyncConnection, job: int, *, kind: PostKind, state: PostState, message: int = 0
) -> None:
    """End what is pending of this kind."""
    pending = (posts.c.job == job) & (posts.c.kind == kind) & (posts.c.state == "pending")
    await connection.execute(update(posts).where(pending).values(state=state, message=message))


def new_job(address: Address, request: Request, **columns: Any) -> dict[str, Any]:
    """Columns of a job that has just been asked for."""
    return {
        "state": JobState.QUEUED,
        "told": False,
        "finished": None,
        "request": to_json(request),
        "attempts": 0,
        "reason": "",
        "notes": "[]",
        "seconds": 0.0,
        "rows": 0,
        "pictures": 0,
        **address_columns(address),
        **columns,
    }


def new_image(job: Row, painted: ImageResult, request: Request, **columns: Any) -> dict[str, Any]:
    """Columns of a picture that has just been painted for `job`."""
    return {
        **{name: job[name] for name in ("person", "guild", "channel", "prompt", "kind", "parent", "origin")},
        "job": job["id"],
        "width": painted.width,
        "height": painted.height,
        "seed": painted.seed,
        "infotext": painted.infotext,
        "request": to_json(request),
        "message": 0,
        "message_channel": 0,
        "bytes": len(painted.data),
        "words": words_of(request, job["prompt"]),
        **columns,
    }
