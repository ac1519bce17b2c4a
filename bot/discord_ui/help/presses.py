"""Choosing a topic of help, and turning its pages: the card that was pressed becomes the other one."""

from collections.abc import Mapping
from typing import Any, Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import replace
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.help.pages import help_card
from bot.discord_ui.help.reference import entries
from bot.discord_ui.presses.press import Handler, Values


async def turn(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Show what was chosen in the menu, or the page that a button names."""
    del desk
    client: Any = interaction.client  # ours, which has a tree
    topic = values[0] if values else ticket.argument
    await replace(interaction, help_card(topic, entries(client.tree), page=ticket.id))


HANDLERS: Final[Mapping[Action, Handler]] = {Action.HELP: turn}
