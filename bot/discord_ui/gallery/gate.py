"""Whether a picture may be shown in a channel that it was not made for. Owns that both rules about it are asked."""

from typing import Final

import discord

from bot.discord_ui.admin.gate import may_show
from bot.discord_ui.desk import Desk
from bot.errors import NotAllowed
from bot.requests.policy import Visit
from storage.values import Image

_ADULT: Final = "That picture comes from an age-restricted channel, and can be posted in age-restricted channels only."
Target = discord.TextChannel | discord.Thread


async def check_showing(desk: Desk, client: discord.Client, image: Image, target: Target) -> None:
    """Return when `image` may be shown in `target`. Raises NotAllowed where it comes from an age-restricted channel and that
    is none, LimitReached where its words are not for that channel by the server's rules."""
    source = client.get_channel(image.channel)
    if isinstance(source, discord.TextChannel | discord.Thread) and source.is_nsfw() and not target.is_nsfw():
        raise NotAllowed(_ADULT)
    parent = target.parent_id if isinstance(target, discord.Thread) else target.id
    visit = Visit(person=image.person, guild=target.guild.id, channel=parent, restricted=target.is_nsfw())
    await may_show(desk, image, visit)
