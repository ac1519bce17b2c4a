"""Use as control: a picture of any message steers the next one.

Owns which of a message's pictures is followed first: the first one; a menu of the card takes another.
"""

import discord

from bot.discord_ui.asides import aside
from bot.discord_ui.control.beginning import use_brought
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.menus.bringing import bring
from bot.discord_ui.menus.remix import NO_PICTURE


async def use_as_control(desk: Desk, interaction: Asked, message: discord.Message) -> None:
    """Bring the message's pictures along, and show the map of the first."""
    async with aside(interaction):
        brought, _ = await bring(desk, interaction, message, nothing=NO_PICTURE)
        numbers = tuple(bench.id for bench in brought)
        await use_brought(desk, interaction, numbers[0], together=numbers)
