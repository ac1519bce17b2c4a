"""The outbox: what is to be said about a job, written down before it is sent.

Owns the rows of `posts`. A post's nonce does not change however often it is tried, and Discord drops a second message with the
nonce of the first; after minutes the caller looks into the channel (`tried` tells when the first try was).
"""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.errors import Missing, WrongState
from storage.rows import post_of
from storage.tables import posts
from storage.transitions import create_post, job_row
from storage.values import JobState, Post, PostKind

_KINDS: dict[JobState, PostKind] = {
    JobState.RENDERED: "result",
    JobState.DELIVERED: "result",
    JobState.FAILED: "failure",
    JobState.CANCELLED: "failure",
}
"""What there is to say of a job in each state; of a queued or running one nothing yet."""


class Posts:
    """The table of posts."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def of_job(self, job: int) -> tuple[Post, ...]:
        """All posts of a job, in the order in which they were made."""
        query = select(posts).where(posts.c.job == job).order_by(posts.c.ordinal)
        async with self._connections.read() as connection:
            return tuple(post_of(row) for row in (await connection.execute(query)).mappings())

    async def begin(self, job: int, *, channel: int, now: float) -> Post:
        """About to tell how `job` ended in `channel`: its post, made where there is none, with the time of the first try.

        A post that was sent is returned as it is: do not send it again. Another channel than the pending post's means
        that the first is out of reach: an untried post moves there, a tried one is lost and a new one takes its place.
        Raises WrongState while there is nothing to tell, Missing.
        """

        async def act(connection: AsyncConnection) -> Post:
            state = JobState((await job_row(connection, job))["state"])
            kind = _KINDS.get(state)
            if kind is None:
                raise WrongState(job, state=state, wanted="told")
            query = select(posts).where((posts.c.job == job) & (posts.c.kind == kind) & (posts.c.state != "lost"))
            row = (await connection.execute(query.order_by(posts.c.ordinal.desc()))).mappings().first()
            if row is not None and row["state"] == "sent":
                return post_of(row)
            if row is not None and row["channel"] != channel and row["tried"] is not None:
                await connection.execute(update(posts).where(posts.c.id == row["id"]).values(state="lost"))
                row = None
            if row is None:
                row = await create_post(connection, job, kind=kind, channel=channel)
            tried = row["tried"] if row["tried"] is not None else now
            begun = update(posts).where(posts.c.id == row["id"]).values(tried=tried, channel=channel)
            return post_of((await connection.execute(begun.returning(*posts.c))).mappings().one())

        return await self._connections.write(act)

    async def sent(self, post: int, message: int, now: float) -> None:
        """It is there, as `message`. Raises Missing."""
        del now  # when it was sent is in the message's own id

        async def act(connection: AsyncConnection) -> None:
            ended = update(posts).where(posts.c.id == post).values(state="sent", message=message)
            if not (await connection.execute(ended)).rowcount:
                raise Missing("post", post)

        await self._connections.write(act)
