"""From a resolved request to a queued job that has been acknowledged: the one way in, for commands, buttons and reactions.

Owns that a job is a row before the person hears of it, and hears of it before anything else happens.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
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
CROWD: Final = 4
"""Who asks while this many are being answered hears at once that Easel is thinking: that costs a fraction of a card."""
_CARD: Final = 2
"""Number of a queue card among a job's posts, where it is a message of its own."""


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
    address = address_of(desk, interaction, private=private)
    with desk.crowd.one_more() as asking:
        if asking > CROWD and not interaction.response.is_done():
            await _think(desk, interaction, wish, private=private)
        visit = visit_of(interaction, private=private)
        job = await _make_in_time(interaction, _make(desk, address, visit, wish), private=private)
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


async def _think(desk: Desk, interaction: Asked, wish: Coroutine[Any, Any, Wish], *, private: bool) -> None:
    """Say that Easel is thinking, and let the others of the crowd hear it too before the wish is begun.

    Where Discord will not hear it, the wish is not begun.
    """
    try:
        with desk.crowd.telling():
            await interaction.response.defer(thinking=True, ephemeral=private)
        await desk.crowd.all_told()
    except BaseException:
        wish.close()
        raise


async def _make_in_time(interaction: Asked, job: Coroutine[Any, Any, Job], *, private: bool) -> Job:
    making = asyncio.create_task(job)
    try:
        done, _ = await asyncio.wait({making}, timeout=PATIENCE)
        if not done and not interaction.response.is_done():
            await interaction.response.defer(thinking=True, ephemeral=private)
        return await making
    finally:
        making.cancel()


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
