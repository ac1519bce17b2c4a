"""/queue: where one's own jobs stand, and how busy the painter is."""

from typing import Any

from discord import app_commands

from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.queue_cards import queue_list


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /queue."""

    @tree.command(name="queue", description="Where your pictures stand, and how to cancel them")
    async def queue(interaction: Asked) -> None:
        everything = desk.dispatcher.queue()
        mine = [each for each in everything if each.job.address.person == interaction.user.id]
        others = len(everything) - len(mine)
        series = await desk.series.of(interaction.user.id)
        # the cells of a series are not shown one by one: they stand and fall with it
        alone = [each for each in mine if each.job.series is None]
        await answer(interaction, queue_list(alone, others=others, series=series))
