"""“Report picture” in a message's menu: for everybody, on every card of Easel that shows pictures."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_ui.admin.reports import report_message
from bot.discord_ui.desk import Asked, Desk

NAME = "Report picture"


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add the menu to `tree`."""

    async def report(interaction: Asked, message: discord.Message) -> None:
        await report_message(desk, interaction, message)

    tree.add_command(app_commands.ContextMenu(name=NAME, callback=report))
