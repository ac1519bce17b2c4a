"""Handing the cells of series to the queue, a few at a time, so that they fill the painter's batches and leave room for others.

Owns how many cells are open at once, and whose is next where several series wait: the fair queue's rule, as for jobs. What
is handed over is an ordinary job and waits its turn among all others. Refuses to know cards.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec

from bot.errors import EaselError
from bot.jobs.cost import model_of, rows_of
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.fair_queue import FairQueue
from inference.api.request import Request
from inference.client.clock import Clock
from storage.database import Database
from storage.errors import DatabaseUnavailable, Missing
from storage.guild_settings import Allowance
from storage.series_values import CellRef, Series, Waiting
from storage.values import Job

log = logging.getLogger(__name__)

MAX_JOBS: Final = 16
"""Cells that are jobs at the same time, all series together."""
AHEAD: Final = 1.25
"""How many rows are open for each row of the painter's batch: a few more than fit, so that no batch waits for the disk."""
PAUSE: Final = 5.0
"""Seconds until the database is asked again when it cannot be used."""

Admit = Callable[[Series, Request], Awaitable[Allowance | None]]
"""Gives what the asker of a series may use of the fast lane. Raises an EaselError where the rules have changed meanwhile."""
Refused = Callable[[int], Awaitable[None]]
"""Told of a series, one of whose cells could not become a job."""


class Feeder:
    """`max_rows` are the UNet rows of one batch of the painter."""

    def __init__(self, db: Database, dispatcher: Dispatcher, *, clock: Clock, max_rows: int, refused: Refused) -> None:
        self._db, self._dispatcher, self._clock, self._refused = db, dispatcher, clock, refused
        self._max_rows = int(max_rows * AHEAD)
        self._queue: FairQueue[CellRef] = FairQueue()
        self._cells: dict[CellRef, Waiting] = {}
        self._series: dict[int, Series] = {}
        self.admit: Admit | None = None
        """Asked before each cell becomes a job; where nobody is, each may."""
        self._open: dict[int, int] = {}
        self._early: set[int] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to hand over."""
        self._task = asyncio.create_task(self._run(), name="series")

    async def stop(self) -> None:
        """Hand over nothing more; what waits is taken up by the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def join(self, series: Series) -> None:
        """Let what is left of `series` wait for its turn. Raises RequestUnreadable."""
        waiting = await self._db.series.waiting(series.id)
        self._series[series.id] = series
        for cell in waiting:
            if cell.ref not in self._cells:
                self._cells[cell.ref] = cell
                self._queue.push(
                    cell.ref,
                    guild=series.address.guild,
                    person=series.address.person,
                    cost=cell.cost,
                    model=model_of(cell.request),
                )
        self._wake.set()

    def leave(self, series: int) -> None:
        """Nothing more of `series` is handed over."""
        self._series.pop(series, None)
        for ref in [ref for ref in self._cells if ref.series == series]:
            del self._cells[ref]
            self._queue.remove(ref)

    def occupy(self, job: Job) -> None:
        """`job`, a cell, is open."""
        if job.id in self._early:
            self._early.discard(job.id)
        else:
            self._open[job.id] = rows_of(job.request)

    def release(self, job: int) -> None:
        """`job` has ended."""
        if self._open.pop(job, None) is None:
            self._early.add(job)  # it ended before we heard that it had begun
        self._wake.set()

    def _room(self, rows: int) -> bool:
        if not self._open:
            return True
        return len(self._open) < MAX_JOBS and sum(self._open.values()) + rows <= self._max_rows

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while (ref := self._queue.peek()) is not None and self._room(rows_of(self._cells[ref].request)):
                self._queue.pop()
                self._queue.settle(ref)
                await self._hand_over(self._series[ref.series], self._cells.pop(ref))

    async def _hand_over(self, series: Series, cell: Waiting) -> None:
        """Make a job of `cell`; one that cannot be says why, and the others go on."""
        while True:
            try:
                self.occupy(await self._submitted(series, cell))
                return
            except DatabaseUnavailable as error:
                log.error("The cells of series %d wait for the database: %s", series.id, error)  # noqa: TRY400
                await self._clock.sleep(PAUSE)
            except EaselError as error:
                reason = error.sentence
                break
            except Missing:
                return  # it was deleted
            except Exception:
                log.exception("A cell of series %d could not be queued", series.id)
                reason = "It could not be queued; this has been written down."
                break
        with suppress(DatabaseUnavailable):
            await self._db.series.refuse(cell.ref, reason)
        await self._refused(series.id)

    async def _submitted(self, series: Series, cell: Waiting) -> Job:
        # without the token: what came of a cell is shown by its series, and nothing else may answer for it
        address = msgspec.structs.replace(series.address, interaction_token="", application=0, token_until=0.0)
        return await self._dispatcher.submit(
            address=address,
            request=cell.request,
            kind=series.kind,
            prompt=cell.prompt,
            parent=series.parent,
            allowance=None if self.admit is None else await self.admit(series, cell.request),
            cell=cell.ref,
        )
