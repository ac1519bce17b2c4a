"""Answering an interaction with a `Reply`, whatever it still allows: a first response, a follow-up, or a change of the message.

Owns which of Discord's calls that takes. Refuses to know what is said.
"""

from typing import Final

import discord

from bot.discord_ui import view
from bot.discord_ui.desk import Asked
from bot.discord_ui.reply import Reply

_THINKING: Final = discord.InteractionResponseType.deferred_channel_message

_FILLED: Final = "easel filled the waiting message"


async def answer(interaction: Asked, reply: Reply, *, private: bool = True) -> int:
    """Say `reply`, to the person alone or to the channel; returns the message's id.

    An interaction that was deferred ("Easel is thinking…") has its waiting message filled, and keeps who sees that; what is
    said after it is a message of its own.
    """
    response = interaction.response
    if not response.is_done():
        sent = await response.send_message(
            view=view.layout(reply),
            files=view.files(reply),
            ephemeral=private,
            allowed_mentions=view.pings(reply),
        )
        return sent.message_id or 0
    if response.type is _THINKING and not interaction.extras.get(_FILLED):
        interaction.extras[_FILLED] = True
        message = await interaction.edit_original_response(
            view=view.layout(reply), attachments=view.files(reply), allowed_mentions=view.pings(reply)
        )
        return message.id
    follow_up = await interaction.followup.send(
        view=view.layout(reply),
        files=view.files(reply),
        ephemeral=private,
        allowed_mentions=view.pings(reply),
        wait=True,
    )
    return follow_up.id


async def replace(interaction: Asked, reply: Reply) -> None:
    """Put `reply` in place of the message whose button was pressed, files included."""
    if interaction.response.is_done():
        await interaction.edit_original_response(view=view.layout(reply), attachments=view.files(reply))
        return
    await interaction.response.edit_message(view=view.layout(reply), attachments=view.files(reply))
