"""Everything that makes Easel work, joined once: memory, painter, queue, board, delivery, commands, buttons, reactions.

Owns the order in which the parts come up and go down. Refuses to know where Discord is and who starts it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord

from bot.discord_ui.admin.gate import admit_cell, may_post, may_use
from bot.discord_ui.client import EaselClient
from bot.discord_ui.commands.table import register_all
from bot.discord_ui.desk import Desk
from bot.discord_ui.gallery.showcase import Showcase
from bot.discord_ui.posting.board import Board
from bot.discord_ui.posting.delivery import Delivery
from bot.discord_ui.presses.press import answer_press, press_item
from bot.discord_ui.presses.table import HANDLERS
from bot.discord_ui.reactions import on_reaction
from bot.discord_ui.series.runs import Runs
from bot.errors import SetupError
from bot.jobs.dispatcher import Dispatcher
from bot.requests.safety import check_request
from bot.settings import Settings
from inference.api.backend import Backend
from inference.client.clock import Clock, SystemClock
from inference.client.fake import FakeBackend
from inference.client.local import LocalBackend
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.values import JobState


@dataclass(slots=True, frozen=True)
class Easel:
    """The parts that others may want to hold. `failing` ends only when the painter cannot be brought up, with the reason."""

    client: EaselClient
    desk: Desk
    delivery: Delivery
    failing: asyncio.Task[None]


@contextlib.asynccontextmanager
async def studio(
    settings: Settings,
    *,
    backend: Backend | None = None,
    clock: Clock | None = None,
    now: Callable[[], float] = time.time,
    guild_ready_timeout: float = 2.0,
) -> AsyncGenerator[Easel]:
    """A studio that works as soon as its client is logged in (`client.start`, the caller's), and closes it at the end.

    Raises SetupError where its memory cannot be opened.

    `backend`, `clock` and `now` (seconds since 1970) stand in for the settings' painter and the machine's time.
    """
    clock = clock or SystemClock()
    try:
        db = await Database.open(settings.data)
    except DatabaseUnavailable as error:
        raise SetupError(error.sentence) from error
    async with contextlib.AsyncExitStack() as ends:
        ends.push_async_callback(db.close)
        painter = backend or painter_of(settings)
        ends.push_async_callback(painter.aclose)
        client = EaselClient(
            stamp=settings.data / "commands",
            guild=settings.discord.guild,
            guild_ready_timeout=guild_ready_timeout,
        )
        ends.push_async_callback(client.close)
        desk, delivery = _join(settings, db, painter, client, clock=clock, now=now)
        _furnish(client, desk, delivery)
        failing = asyncio.create_task(_bring_up(painter, desk), name="painter")
        ends.push_async_callback(_end, failing)
        await _begin(desk, delivery, ends)
        yield Easel(client, desk, delivery, failing)


def _join(
    settings: Settings,
    db: Database,
    painter: Backend,
    client: EaselClient,
    *,
    clock: Clock,
    now: Callable[[], float],
) -> tuple[Desk, Delivery]:
    """Queue, board, delivery and series, each knowing the others that it tells; nothing runs yet."""
    rows, seconds = settings.inference.max_rows, settings.discord.progress_seconds
    dispatcher = Dispatcher(
        db, painter, limits=settings.limits, max_rows=2 * rows, check=check_request, clock=clock, now=now
    )
    board = Board(client, standing=dispatcher.standing, clock=clock, seconds=seconds, now=now)
    delivery = Delivery(client, db=db, board=board, clock=clock, now=now)
    dispatcher.listener = delivery
    series = Runs(
        client,
        db=db,
        dispatcher=dispatcher,
        ready=delivery.ready,
        clock=clock,
        seconds=seconds,
        max_rows=rows,
        now=now,
    )
    delivery.cells = series.ended
    desk = Desk(settings=settings, db=db, backend=painter, dispatcher=dispatcher, board=board, series=series, now=now)
    delivery.may_post = partial(may_post, desk, client)
    series.ask(partial(admit_cell, desk, client), delivery.may_post)
    desk.showcase = Showcase(client, desk, ready=delivery.ready, sleep=clock.sleep)
    return desk, delivery


async def _begin(desk: Desk, delivery: Delivery, ends: contextlib.AsyncExitStack) -> None:
    """Take up what the last run left, in the order in which one part needs another; `ends` stops them the other way round."""
    for guild, chosen in await desk.db.guilds.closed():
        desk.dispatcher.hold(guild or None, held=chosen.closed == "paused")
    await desk.dispatcher.start()
    ends.push_async_callback(desk.dispatcher.stop)
    ends.push_async_callback(delivery.stop)
    await _hang_cards(desk)
    await desk.series.start()
    ends.push_async_callback(desk.series.stop)
    desk.board.start()
    ends.push_async_callback(desk.board.stop)
    ends.push_async_callback(desk.exports.stop)
    ends.push_async_callback(desk.chores.stop)
    if desk.showcase is not None:
        desk.showcase.start()
        ends.push_async_callback(desk.showcase.stop)


def painter_of(settings: Settings) -> Backend:
    """The painter that `[inference] backend` names."""
    if settings.inference.backend == "fake":
        return FakeBackend(preview_every=settings.inference.preview_every)
    return LocalBackend(settings.engine())


def _furnish(client: EaselClient, desk: Desk, delivery: Delivery) -> None:
    """Give the client its commands, and answers to what is pressed, submitted and reacted with."""
    register_all(client.tree, desk)
    client.add_dynamic_items(press_item(desk, HANDLERS))

    async def answer_form(interaction: discord.Interaction[Any]) -> None:
        data: Any = interaction.data or {}
        await answer_press(desk, HANDLERS, interaction, custom_id=str(data.get("custom_id", "")))

    async def answer_emoji(event: discord.RawReactionActionEvent) -> None:
        await on_reaction(desk, client, event)

    async def gate(interaction: discord.Interaction[Any]) -> bool:
        return await may_use(desk, interaction)

    client.tree.gate = gate
    client.on_form = answer_form
    client.on_emoji = answer_emoji
    client.on_up = delivery.ready.set


async def _bring_up(painter: Backend, desk: Desk) -> None:
    """Start the painter; jobs wait for it. Ends only with its error: one that came up is kept up by its backend."""
    await painter.start()
    desk.warm.set()
    await asyncio.Event().wait()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _hang_cards(desk: Desk) -> None:
    """Queue cards of jobs that were open when Easel ended go on where they were."""
    for job in await desk.db.jobs.unfinished():
        if job.series is None and job.state in {JobState.QUEUED, JobState.RUNNING}:
            await desk.board.hang(job, job.card_message)
