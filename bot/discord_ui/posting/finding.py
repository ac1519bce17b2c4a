"""Looking for a message of ours that may have been made already, before a crash or a lost answer."""

import contextlib
import datetime as dt
from typing import Any, Final

import discord

from bot.discord_ui.posting.nonces import custom_ids, is_card_of
from bot.discord_ui.reply import Reply
from bot.discord_ui.view import layout

LOOK_BACK: Final = dt.timedelta(seconds=120)
"""Before a first try from which a channel is searched for the message that it may have made."""
SEARCHED: Final = 200
"""Messages of a channel that are looked through."""


async def find_card(client: discord.Client, channel: int, reply: Reply, *, since: dt.datetime) -> int | None:
    """Our message in `channel` that carries the same buttons as `reply`, or None."""
    wanted = set(custom_ids(layout(reply).to_components()))
    after = discord.Object(discord.utils.time_snowflake(since - LOOK_BACK))
    room = client.get_partial_messageable(channel)
    # A channel whose history is hidden from us may be open all the same, and the nonce is known there for minutes: were
    # it taken for shut, a message that was made there would be made again in the direct messages.
    with contextlib.suppress(discord.Forbidden):
        async for message in room.history(limit=SEARCHED, after=after):
            mine = client.user is not None and message.author.id == client.user.id
            parts: list[Any] = [part.to_dict() for part in message.components]
            if mine and is_card_of(parts, wanted):
                return message.id
    return None
