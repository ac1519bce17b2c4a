"""Use as control: a picture of any message steers the next one.

Owns which of a message's pictures is followed first: the first one; a menu of the card takes another.
"""

import discord

from bot.discord_ui.asides import aside
from bot.discord_ui.control.beginning import use_brought
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.menus.remix import NO_PICTURE, bring
from bot.errors import RequestRefused


async def use_as_control(desk: Desk, interaction: Asked, message: discord.Message) -> None:
    """Bring the message's pictures along, and show the map of the first."""
    async with aside(interaction):
        brought, lost = await bring(desk, interaction, message)
        if not brought:
            raise RequestRefused(lost[0] if lost else NO_PICTURE)
        numbers = tuple(bench.id for bench in brought)
        await use_brought(desk, interaction, numbers[0], together=numbers)
