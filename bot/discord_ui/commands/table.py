"""All slash commands of Easel, registered in one place."""

from typing import Any

from discord import app_commands

from bot.discord_ui.commands import (
    admin,
    control,
    form,
    gallery,
    help,  # noqa: A004 - the command's name
    imagine,
    inpaint,
    loras,
    menus,
    models,
    plot,
    queue,
    regions,
    report,
    seeds,
    styles,
    upscale,
    wildcards,
)
from bot.discord_ui.desk import Desk

MODULES = (
    help,
    admin,
    report,
    imagine,
    form,
    inpaint,
    upscale,
    control,
    regions,
    plot,
    menus,
    queue,
    gallery,
    styles,
    seeds,
    loras,
    models,
    wildcards,
)


def register_all(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Put every command on `tree`."""
    for module in MODULES:
        module.register(tree, desk)
