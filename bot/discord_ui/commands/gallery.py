"""`/gallery`: open it, or be forgotten.

Owns where a gallery is shown: in the conversation with the person, or, where that is closed, in the server for them alone.
"""

import logging
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery import home, parting, shelves
from bot.discord_ui.posting import places

log = logging.getLogger(__name__)

CLOSED: Final = "Your direct messages are closed to me, so your gallery is here, for you alone."


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/gallery open` and `/gallery forget-me` to `tree`."""
    group = app_commands.Group(name="gallery", description="The pictures that you made")

    @group.command(name="open", description="Page through what you made and starred")
    async def open_gallery(interaction: Asked) -> None:
        await _open(desk, interaction)

    @group.command(name="forget-me", description="Remove everything of yours from Easel, after asking once more")
    async def forget_me(interaction: Asked) -> None:
        facts = await shelves.belongings_of(desk, interaction.user.id)
        await answer(interaction, parting.nothing_card() if facts.nothing else parting.forget_card(facts))

    tree.add_command(group)


async def _open(desk: Desk, interaction: Asked) -> None:
    """Show the home where only its owner sees it."""
    person = interaction.user.id
    if interaction.guild_id is None:
        await answer(interaction, home.home_card(await shelves.home_of(desk, person)), private=False)
        return
    await interaction.response.defer(ephemeral=True, thinking=True)
    link = await _send_home(desk, interaction)
    if link:
        await answer(interaction, home.moved_card(link))
    else:
        await answer(interaction, home.home_card(await shelves.home_of(desk, person, note=CLOSED)))


async def _send_home(desk: Desk, interaction: Asked) -> str:
    """Post the home to the person's direct messages; its link, or nothing where Discord does not let us."""
    person = interaction.user.id
    card = home.home_card(await shelves.home_of(desk, person))
    try:
        channel = await places.conversation(interaction.client, person)
        message = await places.post(interaction.client, channel, card, nonce=str(interaction.id))
    except (discord.HTTPException, *places.PASSING) as error:
        log.info("A gallery could not be sent to direct messages: %s", error)
        return ""
    return message.jump_url
