"""Doing something to the models from Discord: a card that says how far it is, and in the end what came of it.

Owns the order: begun, shown, logged, and the painter told to look again, so that what is new is in the pickers at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import discord

from bot.discord_ui import view
from bot.discord_ui.admin import rights
from bot.discord_ui.admin.chore_cards import failed_card, running_card, stopped_card
from bot.discord_ui.admin.chores import Chore
from bot.discord_ui.answers import answer
from bot.discord_ui.desk import WARM_UP, Asked, Desk
from bot.discord_ui.error_replies import sentence_of
from bot.discord_ui.posting import places
from bot.discord_ui.reply import Reply
from bot.errors import RequestRefused
from inference.api.backend import BackendUnavailable
from inference.client.tool import ToolFailed
from storage.errors import DatabaseUnavailable
from storage.guild_settings import EVERYWHERE

log = logging.getLogger(__name__)

TOKEN_LIFE: Final = 14 * 60.0
"""Seconds for which an answer that one person sees can be changed; Discord allows fifteen minutes."""
Work = Callable[[Chore], Awaitable[tuple[Reply, str]]]
"""Does it; returns the card at the end, and the line for the log (empty: nothing was changed)."""


async def run_chore(desk: Desk, asked: Asked, title: str, work: Work, *, kept: bool = False) -> None:
    """Begin `work` and show it. `kept`: what is cancelled may be gone on with. Raises LimitReached."""
    chore = desk.chores.reserve(title, asked.user.id)
    message = await answer(asked, running_card(chore), private=asked.guild_id is not None)
    card = _Card(desk, asked, message)
    desk.chores.begin(chore, lambda: _run(desk, asked, chore, card, work, kept=kept))


async def _run(desk: Desk, asked: Asked, chore: Chore, card: "_Card", work: Work, *, kept: bool) -> None:
    showing = asyncio.create_task(card.follow(chore), name=f"card of chore {chore.number}")
    try:
        reply, words = await work(chore)
        if words:
            await _log(desk, asked, words)
            await _look_again(desk)
    except asyncio.CancelledError:
        await _ended(showing)
        await card.finish(stopped_card(chore, kept=kept))
        raise
    except (RequestRefused, ToolFailed) as error:
        reply = failed_card(chore, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
        reply = failed_card(chore, sentence_of(error))
    await _ended(showing)
    await card.finish(reply)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _log(desk: Desk, asked: Asked, words: str) -> None:
    deed = rights.deed_of(desk, asked, "models", words)
    with contextlib.suppress(DatabaseUnavailable):
        await desk.db.guilds.note(asked.guild_id or EVERYWHERE, deed)


async def _look_again(desk: Desk) -> None:
    """Have the painter look into the folders, whatever it looked at before."""
    with contextlib.suppress(BackendUnavailable, TimeoutError):
        async with asyncio.timeout(WARM_UP):
            await desk.backend.refresh()


class _Card:
    """The card: the person's own answer in a server, a message in a conversation."""

    def __init__(self, desk: Desk, asked: Asked, message: int) -> None:
        self._desk, self._asked, self._message = desk, asked, message
        self._begun = desk.now()
        self._room = asked.client.get_partial_messageable(asked.channel_id or 0) if asked.guild_id is None else None

    async def follow(self, chore: Chore) -> None:
        """Show how far it is, now and then, for as long as the card can be changed."""
        shown = running_card(chore)
        while self._room is not None or self._can_change:
            await asyncio.sleep(self._desk.settings.discord.progress_seconds)
            wanted = running_card(chore)
            if wanted == shown:
                continue
            try:
                await self._change(wanted)
            except (discord.HTTPException, *places.PASSING) as error:
                log.info("The card of chore %d could not be changed: %s", chore.number, error)
            shown = wanted

    async def finish(self, reply: Reply) -> None:
        """Show what came of it: in place of the card, or, where that cannot be changed any more, in a direct message."""
        try:
            if self._room is not None or self._can_change:
                await self._change(reply)
            else:
                await self._asked.user.send(view=view.layout(reply))
        except (discord.HTTPException, *places.PASSING) as error:
            log.warning("What came of a chore of person %d could not be shown: %s", self._asked.user.id, error)

    @property
    def _can_change(self) -> bool:
        return self._desk.now() - self._begun < TOKEN_LIFE

    async def _change(self, reply: Reply) -> None:
        if self._room is not None:
            await self._room.get_partial_message(self._message).edit(view=view.layout(reply))
        else:
            await self._asked.followup.edit_message(self._message, view=view.layout(reply))
