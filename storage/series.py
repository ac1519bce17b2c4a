"""Series: groups of jobs that one person asked for at once, and may still refuse.

Owns their rows, and that each cell becomes one job and no second (`take` runs in the transaction that makes the job).
Refuses to know what a series shows and when its cells are painted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from inference.api.request import Request, attachments_of
from storage.connections import Connections
from storage.discards import Discards, note, note_unused
from storage.errors import Missing, RequestUnreadable
from storage.history import keeps_history, let_go
from storage.pictures import PictureStore
from storage.rows import Row, address_columns, to_json
from storage.series_tables import series as table
from storage.series_tables import series_cells, series_sources
from storage.series_values import Cell, CellRef, NewCell, Series, SeriesState, Waiting
from storage.tables import images, jobs
from storage.values import Address, JobState

_ADDRESS: Final = tuple(name for name in Address.__struct_fields__ if name != "card_message")
_PLAIN: Final = tuple(name for name in Series.__struct_fields__ if name not in {"state", "address", "roles"})
_requests: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_GOING: Final = (SeriesState.RUNNING, SeriesState.STOPPED)


class SeriesStore:
    """The tables of series."""

    def __init__(self, connections: Connections, pictures: PictureStore, discards: Discards) -> None:
        self._connections, self._pictures, self._discards = connections, pictures, discards

    async def add(
        self,
        *,
        address: Address,
        kind: str,
        title: str,
        layout: str,
        cells: Sequence[NewCell],
        parent: int | None,
        now: float,
        keep: int,
        sources: Mapping[str, bytes] = {},
    ) -> Series:
        """Write down a series that its asker has not agreed to yet, with the pictures that it begins from.

        Of the same person's earlier ones that wait for a yes, the newest `keep` stay. Raises Missing when a picture that a
        request names is neither in `sources` nor here, ValueError when a key of `sources` is not the hash of its bytes.
        """
        hashes = await self._pictures.put_all(sources.values())
        needed = {sha: None for cell in cells for sha in attachments_of(cell.request)} | dict.fromkeys(sources)
        values = {
            "state": SeriesState.ASKED,
            "created": now,
            "kind": kind,
            "title": title,
            "layout": layout,
            "cells": len(cells),
            "cost": sum(cell.cost for cell in cells),
            "parent": parent,
            "card_message": 0,
            "card_channel": address.channel,
            "result_message": 0,
            **{name: value for name, value in address_columns(address).items() if name in _ADDRESS},
        }

        async def act(connection: AsyncConnection) -> Series:
            if hashes != tuple(sources):
                raise ValueError("A source picture's key is not the sha256 of its bytes.")
            await self._pictures.put_all(sources.values())
            for sha256 in needed:
                if not await self._pictures.has(sha256):
                    raise Missing("picture", sha256)
            await self._drop_asked(connection, address.person, keep=keep)
            row = (await connection.execute(insert(table).returning(*table.c), values)).mappings().one()
            await connection.execute(insert(series_cells), list(_cell_rows(row["id"], cells)))
            if needed:
                links = [{"series": row["id"], "sha256": sha256} for sha256 in needed]
                await connection.execute(insert(series_sources), links)
            return _series_of(row)

        try:
            return await self._connections.write(act, then=self._discards.clear)
        except (Missing, ValueError):
            await self._connections.write(lambda connection: note_unused(connection, hashes), then=self._discards.clear)
            raise

    async def get(self, series: int) -> Series | None:
        """The series with this id, None when there is none."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(table).where(table.c.id == series))).mappings().first()
        return None if row is None else _series_of(row)

    async def unfinished(self) -> tuple[Series, ...]:
        """All that somebody agreed to and that has not been shown whole, oldest first."""
        query = select(table).where(table.c.state.in_(_GOING)).order_by(table.c.id)
        async with self._connections.read() as connection:
            return tuple(_series_of(row) for row in (await connection.execute(query)).mappings())

    async def cells(self, series: int) -> tuple[Cell, ...]:
        """How each cell stands, in the order of painting."""
        own = series_cells.c
        columns = (own.ordinal, own.label, own.cost, own.job, own.reason)
        query = (
            select(*columns, jobs.c.state, jobs.c.reason.label("failure"))
            .outerjoin(jobs, jobs.c.id == series_cells.c.job)
            .where(series_cells.c.series == series)
            .order_by(series_cells.c.ordinal)
        )
        painted = (
            select(images.c.job, images.c.id)
            .join(series_cells, series_cells.c.job == images.c.job)
            .where(series_cells.c.series == series)
            .order_by(images.c.job, images.c.index)
        )
        async with self._connections.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            found: dict[int, list[int]] = {}
            for job, image in await connection.execute(painted):
                found.setdefault(job, []).append(image)
        return tuple(_cell_of(row, found.get(row["job"], ())) for row in rows)

    async def waiting(self, series: int) -> tuple[Waiting, ...]:
        """The cells that are not jobs yet, in the order of painting. Raises RequestUnreadable."""
        which = (series_cells.c.series == series) & series_cells.c.job.is_(None) & (series_cells.c.reason == "")
        query = select(series_cells).where(which)
        async with self._connections.read() as connection:
            rows = (await connection.execute(query.order_by(series_cells.c.ordinal))).mappings().all()
        return tuple(_waiting_of(row) for row in rows)

    async def refuse(self, cell: CellRef, reason: str) -> None:
        """`cell` cannot become a job; `reason` is the sentence for the person."""
        mine = (series_cells.c.series == cell.series) & (series_cells.c.ordinal == cell.ordinal)

        async def act(connection: AsyncConnection) -> None:
            await connection.execute(
                update(series_cells).where(mine & series_cells.c.job.is_(None)).values(reason=reason)
            )

        await self._connections.write(act)

    async def requests(self, series: int) -> tuple[Request, ...]:
        """What all its cells ask for, in the order of painting. Raises RequestUnreadable."""
        query = select(series_cells).where(series_cells.c.series == series).order_by(series_cells.c.ordinal)
        async with self._connections.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(_request_of(row) for row in rows)

    async def begin(self, series: int, *, address: Address, now: float, roles: Iterable[int] = ()) -> Series | None:
        """Its asker agrees, at `address` and with these `roles`: asked to running. None where it does not wait (any more)."""
        columns = {name: value for name, value in address_columns(address).items() if name in _ADDRESS}
        begun = update(table).where((table.c.id == series) & (table.c.state == SeriesState.ASKED))
        held = " ".join(map(str, sorted(roles)))
        return await self._change(begun.values(state=SeriesState.RUNNING, begun=now, roles=held, **columns))

    async def stop(self, series: int) -> Series | None:
        """Nothing more of it begins: running to stopped. None where it does not run."""
        stopped = update(table).where((table.c.id == series) & (table.c.state == SeriesState.RUNNING))
        return await self._change(stopped.values(state=SeriesState.STOPPED))

    async def set_card(self, series: int, *, message: int, channel: int) -> None:
        """Where it is shown how it stands."""
        await self._change(update(table).where(table.c.id == series).values(card_message=message, card_channel=channel))

    async def finish(self, series: int, *, message: int, channel: int, now: float) -> None:
        """What came of it is shown in `message` of `channel`: done. What its cells began from is let go.

        Where its asker keeps no history, nothing of it is kept then; unless it was shown nowhere (`message` 0).
        """
        done = update(table).where(table.c.id == series)
        values = {
            "state": SeriesState.DONE,
            "finished": now,
            "result_message": message,
            "card_channel": channel,
            "card_message": 0,
        }

        async def act(connection: AsyncConnection) -> None:
            await connection.execute(done.values(values))
            await note(connection, select(series_sources.c.sha256).where(series_sources.c.series == series))
            await connection.execute(delete(series_sources).where(series_sources.c.series == series))
            person = (await connection.execute(select(table.c.person).where(table.c.id == series))).scalar_one_or_none()
            if message and person is not None and not await keeps_history(connection, person):
                for job in (await connection.execute(select(jobs.c.id).where(jobs.c.series == series))).scalars().all():
                    await let_go(connection, job)
                await remove_series(connection, select(table.c.id).where(table.c.id == series))

        await self._connections.write(act, then=self._discards.clear)

    async def drop(self, series: int) -> bool:
        """Its asker refuses. False where it is not waiting for an answer (any more)."""

        async def act(connection: AsyncConnection) -> bool:
            which = (table.c.id == series) & (table.c.state == SeriesState.ASKED)
            return await remove_series(connection, select(table.c.id).where(which)) > 0

        return await self._connections.write(act, then=self._discards.clear)

    async def count_going(self, person: int) -> int:
        """How many of this person's series run or are ending."""
        query = select(table.c.id).where((table.c.person == person) & table.c.state.in_(_GOING))
        async with self._connections.read() as connection:
            return len((await connection.execute(query)).all())

    async def _drop_asked(self, connection: AsyncConnection, person: int, *, keep: int) -> None:
        asked = select(table.c.id).where((table.c.person == person) & (table.c.state == SeriesState.ASKED))
        await remove_series(connection, asked.order_by(table.c.id.desc()).limit(-1).offset(keep))

    async def _change(self, changed: Any) -> Series | None:
        async def act(connection: AsyncConnection) -> Series | None:
            row = (await connection.execute(changed.returning(*table.c))).mappings().first()
            return None if row is None else _series_of(row)

        return await self._connections.write(act)


async def take(connection: AsyncConnection, cell: CellRef, job: int) -> None:
    """`cell` becomes `job`, inside the transaction that makes it. Raises Missing where it is one already, or may not begin."""
    running = exists().where((table.c.id == cell.series) & (table.c.state == SeriesState.RUNNING))
    mine = (series_cells.c.series == cell.series) & (series_cells.c.ordinal == cell.ordinal)
    taken = update(series_cells).where(mine & series_cells.c.job.is_(None) & running).values(job=job)
    if not (await connection.execute(taken)).rowcount:
        raise Missing("cell", cell.ordinal)


async def remove_series(connection: AsyncConnection, which: Any) -> int:
    """Delete the series that `which` (a select of ids) chooses, noting their files. Returns how many there were."""
    chosen: Sequence[int] = (await connection.execute(which)).scalars().all()
    await note(connection, select(series_sources.c.sha256).where(series_sources.c.series.in_(chosen)))
    await connection.execute(delete(table).where(table.c.id.in_(chosen)))
    return len(chosen)


def _cell_rows(series: int, cells: Iterable[NewCell]) -> Iterable[dict[str, Any]]:
    for ordinal, cell in enumerate(cells):
        yield {
            "series": series,
            "ordinal": ordinal,
            "label": cell.label,
            "prompt": cell.prompt,
            "request": to_json(cell.request),
            "cost": cell.cost,
            "job": None,
            "reason": "",
        }


def _series_of(row: Row) -> Series:
    address = Address(**{name: row[name] for name in _ADDRESS})
    roles = tuple(map(int, row["roles"].split()))
    plain = {name: row[name] for name in _PLAIN}
    return Series(**plain, state=SeriesState(row["state"]), address=address, roles=roles)


def _cell_of(row: Row, found: Sequence[int]) -> Cell:
    state = None if row["state"] is None else JobState(row["state"])
    if row["reason"]:
        state = JobState.FAILED
    elif row["job"] is not None and state is None:  # its job was deleted
        state = JobState.CANCELLED
    return Cell(
        ordinal=row["ordinal"],
        label=row["label"],
        cost=row["cost"],
        job=row["job"],
        state=state,
        reason=row["reason"] or row["failure"] or "",
        images=tuple(found),
    )


def _waiting_of(row: Row) -> Waiting:
    ref = CellRef(row["series"], row["ordinal"])
    return Waiting(ref=ref, request=_request_of(row), prompt=row["prompt"], cost=row["cost"])


def _request_of(row: Row) -> Request:
    try:
        return _requests.decode(row["request"])
    except msgspec.MsgspecError as error:
        raise RequestUnreadable("cell", row["ordinal"], reason=str(error)) from error
