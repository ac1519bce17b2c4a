"""The series that run: their cards kept true, their cells counted, and what came of them shown in the end.

Owns the life of a series between the yes and its result. The rows are the truth: after a restart each goes on where it was.
Refuses to know axes and how a series came to be asked for.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import discord
from PIL import Image

from bot.discord_ui.posting import places
from bot.discord_ui.reply import Reply
from bot.discord_ui.series.cards import SeriesFacts, progress_card
from bot.discord_ui.series.composing import cell_picture, previews, thumbnail_side
from bot.discord_ui.series.feeding import Admit, Feeder
from bot.discord_ui.series.results import Results
from bot.jobs.dispatcher import Dispatcher
from bot.requests.plots.layout import Layout, from_text
from inference.client.clock import Clock
from storage.database import Database
from storage.errors import DatabaseUnavailable, Missing, RequestUnreadable, WrongState
from storage.series_values import Cell, Series, SeriesState
from storage.values import Address, Job, JobState

log = logging.getLogger(__name__)

HOUR: Final = 3_500.0
"""Seconds after which Discord takes only a few edits of a message more."""
SELDOM: Final = 120.0
"""Seconds between two edits of a card that is older."""


@dataclass(slots=True)
class Run:
    """A series that runs. `thumbs` are its painted cells, small; `changed` says that its card is behind.

    `left` is how many cells are to end yet, as far as was heard: the rows are not read again for each of a hundred. `edited` is
    when its card was last edited, in seconds since 1970.
    """

    series: Series
    layout: Layout
    left: int
    thumbs: dict[int, Image.Image] = field(default_factory=dict[int, Image.Image])
    changed: bool = False
    edited: float = 0.0
    shown: Reply | None = None
    ending: asyncio.Task[None] | None = None
    editing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Runs:
    """`ready` is set while Discord can be written to; `seconds` lie between two edits of a card at least."""

    def __init__(
        self,
        client: discord.Client,
        *,
        db: Database,
        dispatcher: Dispatcher,
        ready: asyncio.Event,
        clock: Clock,
        seconds: float,
        max_rows: int,
        now: Callable[[], float],
    ) -> None:
        self._client, self._db, self._dispatcher, self._clock, self._now = client, db, dispatcher, clock, now
        self._ready, self._seconds = ready, seconds
        self._runs: dict[int, Run] = {}
        self._task: asyncio.Task[None] | None = None
        self._feeder = Feeder(db, dispatcher, clock=clock, max_rows=max_rows, refused=self._one_less)
        self.results = Results(client, db=db, clock=clock, now=now)

    async def start(self) -> None:
        """Go on with every series where the last run of Easel left it."""
        for series in await self._db.series.unfinished():
            run, cells = self._add(series), await self._db.series.cells(series.id)
            run.left = sum(not cell.ended for cell in cells)
            for cell in cells:
                if cell.job is not None and not cell.ended:
                    job = await self._db.jobs.get(cell.job)
                    if job is not None:
                        self._feeder.occupy(job)
            if series.state is SeriesState.RUNNING:
                await self._feed(series)
            await self._moved(run.series.id)
        self._feeder.start()
        self._task = asyncio.create_task(self._keep(), name="series cards")

    async def stop(self) -> None:
        """Leave everything as it is; the next start goes on."""
        await self._feeder.stop()
        tasks = [task for task in (self._task, *(run.ending for run in self._runs.values())) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def ask(self, admit: Admit, may_post: places.MayPost) -> None:
        """From now on ask `admit` before each cell, and `may_post` before anything is shown."""
        self._feeder.admit, self.results.may_post = admit, may_post

    async def begin(self, series: Series) -> None:
        """Somebody agreed, and the row says so: paint it."""
        self._add(series)
        await self._feed(series)

    async def end(self, series: int) -> bool:
        """Begin nothing more of it and cancel what is left. False where it does not run (any more)."""
        stopped = await self._db.series.stop(series)
        if stopped is None:
            return False
        self._feeder.leave(series)
        run = self._runs.get(series)
        if run is not None:
            run.series = stopped
        for cell in await self._db.series.cells(series):
            if cell.job is not None and not cell.ended:
                await self._dispatcher.cancel(cell.job)
        await self._moved(series)
        return True

    def forget(self, person: int) -> None:
        """Nothing more of what this person runs; their rows are being removed."""
        for run in [run for run in self._runs.values() if run.series.address.person == person]:
            self._feeder.leave(run.series.id)
            if run.ending is not None:
                run.ending.cancel()
            self._runs.pop(run.series.id, None)

    async def ended(self, job: Job) -> None:
        """A cell's job is rendered, failed or cancelled: nobody else is told of it."""
        with contextlib.suppress(WrongState, Missing):
            if job.state is JobState.RENDERED:
                await self._db.jobs.deliver(job.id, message=0, channel=0, now=self._now())
            else:
                await self._db.jobs.mark_told(job.id)
        self._feeder.release(job.id)
        if job.series is not None:
            await self._one_less(job.series)

    async def of(self, person: int) -> tuple[SeriesFacts, ...]:
        """What this person has running, oldest first."""
        mine = [run for run in self._runs.values() if run.series.address.person == person]
        return tuple([self._facts(run, await self._db.series.cells(run.series.id)) for run in mine])

    async def refresh(self) -> None:
        """Edit every card that is behind. As if its time had come."""
        await asyncio.gather(*(self._show(run) for run in list(self._runs.values()) if run.changed))

    async def card_of(self, series: Series) -> Reply:
        """The card of a running series as it is now."""
        run = self._runs.get(series.id) or Run(series, _layout_of(series), series.cells)
        return await self._card(run, await self._db.series.cells(series.id))

    def _add(self, series: Series) -> Run:
        return self._runs.setdefault(series.id, Run(series, _layout_of(series), series.cells))

    async def _feed(self, series: Series) -> None:
        try:
            await self._feeder.join(series)
        except RequestUnreadable as error:
            log.warning("Series %d cannot go on: %s", series.id, error)
            await self.end(series.id)

    async def _one_less(self, series: int) -> None:
        """A cell ended, or could not begin. The rows are asked when it was the last, or may have been."""
        run = self._runs.get(series)
        if run is None:
            return
        run.left, run.changed = run.left - 1, True
        if run.left <= 0 or run.series.state is SeriesState.STOPPED:
            await self._moved(series)

    async def _moved(self, series: int) -> None:
        """If nothing more comes of it, it is shown."""
        run = self._runs.get(series)
        if run is None or run.ending is not None:
            return
        run.changed = True
        self._end_if_over(run, await self._db.series.cells(series))

    def _end_if_over(self, run: Run, cells: Sequence[Cell]) -> None:
        stopped = run.series.state is SeriesState.STOPPED
        if all(cell.ended or (stopped and cell.job is None) for cell in cells) and run.ending is None:
            run.ending = asyncio.create_task(self._finish(run), name=f"series {run.series.id} ends")

    async def _finish(self, run: Run) -> None:
        """Show what came of it, and take the card away."""
        await self._ready.wait()
        while True:
            try:
                async with run.editing:
                    series = await self._db.series.get(run.series.id)
                    if series is not None:
                        await self.results.show(series, run.layout)
                break
            except DatabaseUnavailable as error:
                log.error("Series %d is shown later: %s", run.series.id, error)  # noqa: TRY400
                await self._clock.sleep(self._seconds)
            except Exception:
                log.exception("Series %d could not be shown", run.series.id)
                break
        self._feeder.leave(run.series.id)
        self._runs.pop(run.series.id, None)

    async def _keep(self) -> None:
        while True:
            await self._clock.sleep(self._seconds)
            try:
                await self.refresh()
            except Exception:
                log.exception("The cards of series could not be brought up to date")

    async def _show(self, run: Run) -> None:
        now = self._now()
        old = run.series.begun is not None and now - run.series.begun > HOUR
        if run.ending is not None or run.editing.locked() or (old and now - run.edited < SELDOM):
            return
        async with run.editing:
            series = await self._db.series.get(run.series.id)
            if series is None or not series.card_message:
                return
            run.series, run.changed = series, False
            cells = await self._db.series.cells(series.id)
            self._end_if_over(run, cells)  # a cell whose job was deleted ended without a word
            if run.ending is not None:
                return
            wanted = await self._card(run, cells)
            if wanted == run.shown:
                return
            address = series.address
            if series.card_channel != address.channel:  # direct messages know nothing of the interaction
                address = _plain(series)
            try:
                await places.change(self._client, address, series.card_message, wanted, now=now)
                run.shown, run.edited = wanted, now
            except (discord.HTTPException, *places.PASSING) as error:
                log.info("The card of series %d could not be edited: %s", series.id, error)

    async def _card(self, run: Run, cells: tuple[Cell, ...]) -> Reply:
        side = thumbnail_side(run.layout)
        for cell in cells:
            if cell.images and cell.ordinal not in run.thumbs:
                files = await self._files(cell)
                if files:
                    run.thumbs[cell.ordinal] = await asyncio.to_thread(cell_picture, files, side=side)
        shown = dict(run.thumbs)
        small = await asyncio.to_thread(previews, run.layout, shown, title=run.series.title) if shown else ()
        return progress_card(self._facts(run, cells), previews=small)

    async def _files(self, cell: Cell) -> list[bytes]:
        files: list[bytes] = []
        for image in cell.images:
            with contextlib.suppress(Missing):
                files.append(await self._db.images.data(image))
        return files

    def _facts(self, run: Run, cells: tuple[Cell, ...]) -> SeriesFacts:
        done = [cell for cell in cells if cell.ended]
        series = run.series
        return facts_of(
            series,
            run.layout,
            done=len(done),
            failed=sum(cell.state is JobState.FAILED for cell in done),
            ready_at=self._ready_at(series, cells),
        )

    def _ready_at(self, series: Series, cells: tuple[Cell, ...]) -> float:
        """By the pace so far; before the first cell, by the prediction."""
        left = sum(cell.cost for cell in cells if not cell.ended)
        spent = sum(cell.cost for cell in cells if cell.ended)
        now = self._now()
        pace = (now - series.begun) / spent if series.begun is not None and spent > 0 else 1.0
        return now + left * max(0.0, pace)


def facts_of(
    series: Series, layout: Layout, *, done: int = 0, failed: int = 0, ready_at: float | None = None
) -> SeriesFacts:
    """What a card says of `series`."""
    return SeriesFacts(
        series=series.id,
        kind=series.kind,
        title=series.title,
        words=layout.words,
        cells=series.cells,
        cost=series.cost,
        grids=layout.pages,
        done=done,
        failed=failed,
        ready_at=ready_at,
        stopping=series.state is SeriesState.STOPPED,
        private=series.address.private,
    )


def _layout_of(series: Series) -> Layout:
    return from_text(series.layout)


def _plain(series: Series) -> Address:
    return Address(channel=series.card_channel, guild=None, person=series.address.person)
