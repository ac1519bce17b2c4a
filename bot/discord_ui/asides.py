"""Answers that take a while and are for one person alone: Easel is thinking, then says what came of it, or what went wrong.

Owns that the waiting message, which nobody else sees, is filled either way.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked
from bot.discord_ui.error_replies import error_reply


@asynccontextmanager
async def aside(interaction: Asked) -> AsyncGenerator[None]:
    """Think aloud, to the person alone; `answer` within fills it. What is raised within becomes a sentence there."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
        await answer(interaction, error_reply(error))
