"""What a person reads when something did not work: one sentence, seen by them alone.

Owns the sentence for an error that nobody foresaw (errors of ours carry their own), and showing it to who asked.
"""

import contextlib
import logging
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.discord_ui import view
from bot.discord_ui.cards import FAILURE_ACCENT
from bot.discord_ui.markup import plain
from bot.discord_ui.reply import Part, Reply, Text
from bot.errors import EaselError
from inference.api.backend import BackendUnavailable
from inference.api.errors import RequestInvalid
from storage.errors import DatabaseUnavailable, Missing, RequestUnreadable

log = logging.getLogger(__name__)

UNFORESEEN = "Something went wrong on our side; it has been written down. Try again, and tell the operator if it stays."
UNWRITTEN = (
    "Easel cannot write anything down right now, so nothing new is begun; its operator's log says why. Try later."
)
RESTING = "The painter is not available right now. What is queued is kept; try again in a minute."
OUTDATED = "This command has changed since Discord showed it to you; reload Discord and choose it again."
SENTENCE_LIMIT = 1000


def error_reply(error: BaseException, *further: Part) -> Reply:
    """The reply for `error`, with `further` parts below it. What was not foreseen is logged with its trace, and never shown."""
    return Reply(parts=(Text(plain(sentence_of(error), limit=SENTENCE_LIMIT)), *further), accent=FAILURE_ACCENT)


def sentence_of(error: BaseException) -> str:
    """The sentence for `error`, looking through what discord.py wraps around it."""
    cause = getattr(error, "original", None) or error
    match cause:
        case EaselError():
            return cause.sentence
        case RequestInvalid() | Missing() | RequestUnreadable():
            return str(cause)
        case DatabaseUnavailable():
            log.critical("The memory cannot be used: %s", cause)
            return UNWRITTEN
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return OUTDATED
        case BackendUnavailable():
            log.warning("The painter is not available: %s", cause)
            return RESTING
        case _:
            log.error("An error that nobody foresaw", exc_info=cause)
            return UNFORESEEN


async def answer_error(interaction: discord.Interaction[Any], error: BaseException, *further: Part) -> None:
    """Tell the person who asked, and nobody else, what went wrong, whether or not they have been answered already.

    `further` parts stand below the sentence.
    """
    card = view.layout(error_reply(error, *further))
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(view=card, ephemeral=True)
            return
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            # "Easel is thinking…" may be there for all to see, and what fills it would be too
            with contextlib.suppress(discord.NotFound):  # somebody has taken it away already
                await interaction.delete_original_response()
        await interaction.followup.send(view=card, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError, RuntimeError):
        # RuntimeError is aiohttp's word for a session that was closed: Easel is ending
        log.warning("An error could not be shown", exc_info=True)
