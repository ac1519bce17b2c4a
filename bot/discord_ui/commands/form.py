"""/form: the same as /imagine, for who prefers fields to options."""

from typing import Any

from discord import app_commands

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import open_form


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /form."""
    del desk

    @tree.command(name="form", description="Paint a picture by filling in a form")
    async def form(interaction: Asked) -> None:
        await interaction.response.send_modal(open_form(Ticket(Action.FORM, 0), {}))
