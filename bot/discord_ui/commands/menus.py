"""What can be done with any message: Remix, Use as control and Image info, in its Apps menu."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.menus.control import use_as_control
from bot.discord_ui.menus.image_info import image_info
from bot.discord_ui.menus.remix import remix
from bot.discord_ui.menus.upscale import upscale


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add the message commands."""

    @tree.context_menu(name="Remix")
    async def _remix(interaction: Asked, message: discord.Message) -> None:
        await remix(desk, interaction, message)

    @tree.context_menu(name="Use as control")
    async def _use_as_control(interaction: Asked, message: discord.Message) -> None:
        await use_as_control(desk, interaction, message)

    @tree.context_menu(name="Upscale")
    async def _upscale(interaction: Asked, message: discord.Message) -> None:
        await upscale(desk, interaction, message)

    @tree.context_menu(name="Image info")
    async def _image_info(interaction: Asked, message: discord.Message) -> None:
        await image_info(desk, interaction, message)
