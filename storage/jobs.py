"""Jobs: what was asked for, and how far it has come.

Owns the state machine (`storage.values.NEXT`): a job goes only where it says, or WrongState is raised. Refuses to know the
queue, the painter and Discord.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from inference.api.request import Request, attachments_of
from inference.api.result import ControlMap, ImageResult
from storage.connections import Act, Connections
from storage.discards import Discards, note, note_unused
from storage.errors import Missing, WrongState
from storage.guild_settings import Allowance
from storage.history import let_go
from storage.labels import add_labels
from storage.pictures import PictureStore
from storage.rows import Row, image_of, job_of, notes_of, readable, to_json, unreadable
from storage.series import take
from storage.series_values import CellRef
from storage.statistics import fast_seconds
from storage.tables import images as image_table
from storage.tables import job_sources, jobs, people
from storage.transitions import add_row, change, create_post, job_row, move, new_image, new_job, settle_posts
from storage.values import UNSAID, Address, Image, Job, JobState, Said, Unreadable

T = TypeVar("T")
_OPEN = (JobState.QUEUED, JobState.RUNNING)


class Jobs:
    """The table of jobs."""

    def __init__(self, connections: Connections, pictures: PictureStore, discards: Discards) -> None:
        self._connections = connections
        self._pictures = pictures
        self._discards = discards

    async def add(
        self,
        *,
        address: Address,
        request: Request,
        kind: str,
        prompt: str,
        parent: int | None,
        cost: float,
        now: float,
        sources: Mapping[str, bytes] = {},
        allowance: Allowance | None = None,
        cell: CellRef | None = None,
        said: Said = UNSAID,
    ) -> Job:
        """Write down a new job, queued, together with the pictures that it begins from (sha256 to bytes).

        What the request names and `sources` lacks must be here already; a `parent` that is gone is left out. When this
        returns, a crash does not lose the job. With an `allowance` that this job does not fit in any more it is `slow`: two
        who ask at once cannot both have the last of it. With a `cell` it is that cell's one job. What was `said` is told
        before what the painter adds. Raises Missing when a picture is neither given nor here or the cell may not begin,
        ValueError when a key is not the hash of its bytes.
        """
        hashes = await self._pictures.put_all(sources.values())
        needed = dict.fromkeys((*sources, *attachments_of(request)))

        async def act(connection: AsyncConnection) -> Job:
            if hashes != tuple(sources):
                raise ValueError("A source picture's key is not the sha256 of its bytes.")
            # again, since a deletion may have come in between; mostly this only looks
            await self._pictures.put_all(sources.values())
            for sha256 in needed:
                if not await self._pictures.has(sha256):
                    raise Missing("picture", sha256)
            known = select(image_table.c.id).where(image_table.c.id == parent)
            alive = parent if parent is not None and (await connection.execute(known)).first() else None
            fits = allowance is None or (
                cost + await fast_seconds(connection, address.person, allowance) <= allowance.seconds
            )
            slow = "" if fits or allowance is None else allowance.words
            about = {"kind": kind, "prompt": prompt, "parent": alive, "series": cell.series if cell else None}
            about |= {"origin": parent, "styles": to_json(said.styles), "notes": to_json(said.notes)}
            values = new_job(address, request, cost=cost, created=now, slow=slow, **about)
            row = await add_row(connection, jobs, values)
            if cell is not None:
                await take(connection, cell, row["id"])
            if needed:
                links = [{"job": row["id"], "sha256": sha256} for sha256 in needed]
                await connection.execute(insert(job_sources), links)
            return job_of(row)

        return await self._keeping(hashes, act)

    async def get(self, job: int) -> Job | None:
        """The job with this id, None when there is none. Raises RequestUnreadable."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job))).mappings().first()
        return None if row is None else job_of(row)

    async def unfinished(self) -> tuple[Job, ...]:
        """All that still needs the painter, a post or a word to the person, oldest first; see also `unreadable`."""
        return readable(await self._untold(), job_of)

    async def unreadable(self) -> tuple[Unreadable, ...]:
        """The unfinished jobs that this Easel cannot read any more: they can only be failed, and told."""
        return unreadable(await self._untold())

    async def recent_of(self, person: int, limit: int = 10) -> tuple[Job, ...]:
        """This person's last jobs, newest first."""
        query = select(jobs).where(jobs.c.person == person).order_by(jobs.c.created.desc(), jobs.c.id.desc())
        async with self._connections.read() as connection:
            return readable((await connection.execute(query.limit(limit))).mappings().all(), job_of)

    async def count_open(self, *, person: int | None = None, guild: int | None = None) -> int:
        """How many queued or running jobs there are, of this person and in this guild where given."""
        # told = 0 holds for every open job, and is what the index is made of
        query = select(func.count()).select_from(jobs).where(~jobs.c.told & jobs.c.state.in_(_OPEN))
        query = query if person is None else query.where(jobs.c.person == person)
        query = query if guild is None else query.where(jobs.c.guild == guild)
        async with self._connections.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def sources(self, job: int) -> dict[str, bytes]:
        """The pictures that a job begins from, by hash. Raises Missing when one is gone."""
        begun = (job_sources.c.job == job) & job_sources.c.unit.is_(None)
        query = select(job_sources.c.sha256).where(begun).order_by(job_sources.c.sha256)
        async with self._connections.read() as connection:
            hashes = (await connection.execute(query)).scalars().all()
        return {sha256: await self._pictures.get(sha256) for sha256 in hashes}

    async def maps(self, job: int) -> dict[int, str]:
        """The maps that its controls followed: hashes by the number of the control, in order."""
        made = (job_sources.c.job == job) & job_sources.c.unit.is_not(None)
        query = select(job_sources.c.unit, job_sources.c.sha256).where(made).order_by(job_sources.c.unit)
        async with self._connections.read() as connection:
            return {row.unit: row.sha256 for row in (await connection.execute(query)).all()}

    async def set_card(self, job: int, message: int) -> None:
        """Remember the queue card. Raises Missing."""

        async def act(connection: AsyncConnection) -> None:
            await change(connection, job, card_message=message)

        await self._connections.write(act)

    async def start(self, job: int, *, now: float | None = None) -> Job:
        """The painter has it: queued to running, one attempt more. Raises WrongState, Missing, RequestUnreadable.

        `now` is remembered as the time of its first beginning.
        """

        async def act(connection: AsyncConnection) -> Job:
            await move(connection, job, to=JobState.RUNNING)
            begun = func.coalesce(jobs.c.started, now)
            return job_of(await change(connection, job, attempts=jobs.c.attempts + 1, started=begun))

        return await self._connections.write(act)

    async def requeue(self, job: int) -> None:
        """The painter gave it back: running to queued. Raises WrongState, Missing."""

        async def act(connection: AsyncConnection) -> None:
            await move(connection, job, to=JobState.QUEUED)

        await self._connections.write(act)

    async def render(
        self,
        job: int,
        *,
        images: Sequence[ImageResult],
        requests: Sequence[Request],
        models: Sequence[str],
        maps: Sequence[ControlMap] = (),
        notes: Sequence[str] = (),
        seconds: float,
        rows: int,
        now: float,
    ) -> tuple[Image, ...]:
        """Keep what was painted: running to rendered, with a row a picture and a pending post, all at once.

        `requests` and `models` have an entry a picture; `maps` are kept as long as one of them is. Raises WrongState (the job
        was cancelled, say) or Missing, and then keeps nothing.
        """
        parts = tuple(zip(images, requests, models, strict=True))
        files = (*(image.data for image in images), *(made.data for made in maps))
        hashes = await self._pictures.put_all(files)

        async def act(connection: AsyncConnection) -> tuple[Image, ...]:
            told = (*notes_of(await job_row(connection, job)), *notes)
            counted = {"notes": to_json(told), "seconds": seconds, "rows": rows, "pictures": len(parts)}
            row = await move(connection, job, to=JobState.RENDERED, **counted)
            await self._pictures.put_all(files)
            kept: list[Image] = []
            for index, ((painted, request, model), sha256) in enumerate(zip(parts, hashes, strict=False)):
                values = new_image(row, painted, request, index=index, model=model, sha256=sha256, created=now)
                kept.append(image_of(await add_row(connection, image_table, values)))
            await add_labels(connection, row, [(image.id, image.request, image.model) for image in kept])
            links = [
                {"job": job, "sha256": sha256, "unit": made.unit}
                for made, sha256 in zip(maps, hashes[len(parts) :], strict=True)
            ]
            if links:  # a map that is the very picture it was made of lies there already
                await connection.execute(insert(job_sources).prefix_with("OR IGNORE"), links)
            await create_post(connection, job, kind="result", channel=row["channel"])
            return tuple(kept)

        return await self._keeping(hashes, act)

    async def fail(self, job: int, *, reason: str, now: float) -> None:
        """It cannot be painted, or not be shown; `reason` is the sentence for the person. Raises WrongState, Missing."""

        async def act(connection: AsyncConnection) -> None:
            await move(connection, job, to=JobState.FAILED, reason=reason, finished=now)
            await settle_posts(connection, job, kind="result", state="lost")

        await self._connections.write(act)

    async def cancel(self, job: int, *, now: float) -> bool:
        """Nobody wants it any more. False when it is painted or ended already. Raises Missing."""

        async def act(connection: AsyncConnection) -> bool:
            if (await job_row(connection, job))["state"] not in _OPEN:
                return False
            await move(connection, job, to=JobState.CANCELLED, finished=now)
            await note(connection, select(job_sources.c.sha256).where(job_sources.c.job == job))
            await connection.execute(delete(job_sources).where(job_sources.c.job == job))
            return True

        return await self._connections.write(act, then=self._discards.clear)

    async def deliver(self, job: int, *, message: int, channel: int, now: float) -> None:
        """It has been shown in `message` of `channel`: rendered to delivered. Raises WrongState, Missing.

        Where its asker keeps no history, nothing of it is kept then; unless it was shown nowhere (`message` 0).
        """
        forgotten = bool(message) and await self._is_forgotten(job)

        async def act(connection: AsyncConnection) -> None:
            await move(connection, job, to=JobState.DELIVERED, told=True, finished=now)
            shown = update(image_table).where(image_table.c.job == job)
            await connection.execute(shown.values(message=message, message_channel=channel))
            await settle_posts(connection, job, kind="result", state="sent", message=message)
            if forgotten:
                await let_go(connection, job)

        await self._connections.write(act, then=self._discards.clear if forgotten else None)

    async def mark_told(self, job: int, *, message: int = 0) -> None:
        """The person has seen that it failed or was cancelled. Raises WrongState for other jobs, Missing.

        Where they keep no history, nothing of it is kept then; unless it has pictures that could not be shown.
        """
        forgotten = await self._is_forgotten(job, painted=False)

        async def act(connection: AsyncConnection) -> None:
            state = (await job_row(connection, job))["state"]
            if state not in {JobState.FAILED, JobState.CANCELLED}:
                raise WrongState(job, state=state, wanted="told")
            await change(connection, job, told=True)
            await settle_posts(connection, job, kind="failure", state="sent", message=message)
            if forgotten:
                await let_go(connection, job)

        await self._connections.write(act, then=self._discards.clear if forgotten else None)

    async def _is_forgotten(self, job: int, *, painted: bool = True) -> bool:
        """Whether nothing is to be kept of a job once its end was told. A series keeps its cells, which it shows together."""
        mine = (jobs.c.id == job) & jobs.c.series.is_(None) & ~people.c.history
        pictures = exists().where(image_table.c.job == job)
        query = select(exists().where(mine & (people.c.id == jobs.c.person)), pictures)
        async with self._connections.read() as connection:
            chosen, has_pictures = (await connection.execute(query)).one()
        return bool(chosen) and (painted or not has_pictures)

    async def _untold(self) -> Sequence[Row]:
        query = select(jobs).where(~jobs.c.told).order_by(jobs.c.id)
        async with self._connections.read() as connection:
            return (await connection.execute(query)).mappings().all()

    async def _keeping(self, hashes: Sequence[str], act: Act[T]) -> T:
        """Write, and let go of the files that were stored for it where it is refused."""
        try:
            return await self._connections.write(act)
        except (Missing, WrongState, ValueError):
            await self._connections.write(lambda connection: note_unused(connection, hashes), then=self._discards.clear)
            raise
