"""From a resolved request to a queued job that has been acknowledged: the one way in, for commands, buttons and reactions.

Owns that a job is a row before the person hears of it, and hears of it before anything else happens.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

import discord
import msgspec

from bot.discord_ui.admin.gate import admit, visit_of
from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.posting import places
from bot.discord_ui.posting.nonces import nonce_of
from bot.discord_ui.reply import Reply
from bot.requests.policy import Visit
from inference.api.request import Request
from storage.values import UNSAID, Address, Job, Said

log = logging.getLogger(__name__)

TOKEN_LIFE: Final = 15 * 60.0
"""Seconds for which Discord lets an interaction be answered."""
PATIENCE: Final = 0.25
"""Seconds before “Easel is thinking…” takes the place of an answer; Discord waits for three, people for less."""
_CARD: Final = 2
"""Number of a queue card among a job's posts, where it is a message of its own."""

Begin = Callable[[], Coroutine[Any, Any, Job]]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be painted. `sources` maps sha256 to the pictures that it begins from; `parent` is the picture it came of;
    `said` is what the card and the gallery are told of it."""

    request: Request
    kind: str
    prompt: str
    parent: int | None = None
    sources: Mapping[str, bytes] = {}
    said: Said = UNSAID


def address_of(desk: Desk, interaction: Asked, *, private: bool = False) -> Address:
    """Where to answer whoever used a command or pressed a button."""
    return Address(
        channel=interaction.channel_id or 0,
        guild=interaction.guild_id,
        person=interaction.user.id,
        interaction_token=interaction.token,
        application=interaction.application_id,
        token_until=desk.now() + TOKEN_LIFE,
        private=private,
    )


async def ask(desk: Desk, interaction: Asked, wish: Coroutine[Any, Any, Wish], *, private: bool = False) -> Job:
    """Make `wish`, queue it and answer with its queue card.

    Where that takes longer than `PATIENCE` (a picture is fetched, the painter is just coming up), or a crowd asks, Discord
    is told that Easel is thinking, so that its three seconds do not pass. Raises LimitReached and RequestRefused before
    anything is queued.
    """
    address, visit = address_of(desk, interaction, private=private), visit_of(interaction, private=private)
    begin = partial(_make, desk, address, visit, wish)
    try:
        with desk.crowd.one_more():
            make = _make_in_crowd if desk.crowd.gathered else _make_in_time
            job = await make(desk, interaction, begin, private=private)
    finally:
        if inspect.getcoroutinestate(wish) == inspect.CORO_CREATED:
            wish.close()
    card = desk.board.card_of(job)
    try:
        message = await answer(interaction, card, private=private)
    except (discord.HTTPException, *places.PASSING):
        # The job is safe: it is delivered to the channel although its card could not be shown. Or was: an answer that was
        # lost on its way to us is there, and is then kept true as the interaction's first, whose id we did not hear.
        log.warning("The queue card of job %d could not be shown", job.id, exc_info=True)
        message = 0
    await _hang(desk, job, message, shown=card if message else None)
    return job


async def _make_in_crowd(desk: Desk, interaction: Asked, begin: Begin, *, private: bool) -> Job:
    """Say that Easel is thinking, which costs a fraction of a card, and let the others hear it too before the wish is begun.

    Where Discord will not hear it, the wish is not begun.
    """
    await _think(desk, interaction, private=private)
    await desk.crowd.all_told()
    return await desk.crowd.in_turn(begin)


async def _make_in_time(desk: Desk, interaction: Asked, begin: Begin, *, private: bool) -> Job:
    """Begin the wish at once; say that Easel is thinking when `PATIENCE` is over, or when a crowd has gathered meanwhile."""
    task, crowd = asyncio.create_task(begin()), asyncio.create_task(desk.crowd.gathering())
    try:
        await asyncio.wait({task, crowd}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await _think(desk, interaction, private=private)
        return await task
    finally:
        task.cancel()
        crowd.cancel()


async def _think(desk: Desk, interaction: Asked, *, private: bool) -> None:
    if not interaction.response.is_done():
        with desk.crowd.telling():
            await interaction.response.defer(thinking=True, ephemeral=private)


async def _make(desk: Desk, address: Address, visit: Visit, wish: Coroutine[Any, Any, Wish]) -> Job:
    return await _submit(desk, address, visit, await wish)


async def ask_by_reaction(desk: Desk, client: discord.Client, address: Address, visit: Visit, *, wish: Wish) -> Job:
    """Queue `wish` of somebody who reacted; its queue card is a message of its own."""
    job = await _submit(desk, address, visit, wish)
    card = desk.board.card_of(job)
    try:
        message = await places.post(client, address.channel, card, nonce=nonce_of(job.id, post=_CARD))
    except (discord.HTTPException, *places.PASSING):
        log.warning("The queue card of job %d could not be shown", job.id, exc_info=True)
        return job
    await _hang(desk, job, message.id, shown=card)
    return job


async def _submit(desk: Desk, address: Address, visit: Visit, wish: Wish) -> Job:
    """Through the gate, and into the queue."""
    allowance = await admit(desk, visit, wish.request, kind=wish.kind, parent=wish.parent)
    return await desk.dispatcher.submit(
        address=address,
        request=wish.request,
        kind=wish.kind,
        prompt=wish.prompt,
        parent=wish.parent,
        sources=wish.sources,
        allowance=allowance,
        said=wish.said,
    )


async def _hang(desk: Desk, job: Job, message: int, *, shown: Reply | None) -> None:
    await desk.db.jobs.set_card(job.id, message)
    await desk.board.hang(msgspec.structs.replace(job, card_message=message), message, shown=shown)
