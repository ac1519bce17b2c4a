"""/help: what Easel can do, topic by topic. Owns the command; its cards are made in `bot.discord_ui.help`."""

from typing import Any, Final

from discord import app_commands

from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.help.pages import help_card
from bot.discord_ui.help.reference import entries
from bot.discord_ui.help.topics import TOPICS

_CHOICES: Final = [app_commands.Choice(name=topic.label, value=topic.id) for topic in TOPICS[:-1]]


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /help."""
    del desk

    @tree.command(name="help", description="What Easel can do, and how")
    @app_commands.describe(topic="What it is about")
    @app_commands.choices(topic=_CHOICES)
    async def help_(interaction: Asked, topic: str | None = None) -> None:
        await answer(interaction, help_card(topic or TOPICS[0].id, entries(tree)))
