"""`/admin check`: every right that Easel needs, in this channel and in those that it posts in, and what to do where one lacks.

Owns the words for a right and where it is given. Facts come from what Discord tells of the bot's own membership.
"""

from collections.abc import Iterator
from typing import Any, Final

import discord

from bot.discord_ui.cards import ACCENT, FAILURE_ACCENT
from bot.discord_ui.client import missing_permissions
from bot.discord_ui.desk import Asked
from bot.discord_ui.markup import shorten
from bot.discord_ui.reply import Reply, Text
from storage.guild_settings import GuildSettings

SHOWN: Final = 25
"""Channels that are looked at."""
RIGHTS: Final = {
    "view_channel": ("View Channel", "it sees nothing there"),
    "send_messages": ("Send Messages", "results go into direct messages instead"),
    "send_messages_in_threads": ("Send Messages in Threads", "results of threads go into direct messages instead"),
    "attach_files": ("Attach Files", "it cannot show a picture"),
    "embed_links": ("Embed Links", "links on its cards do not unfold"),
    "read_message_history": ("Read Message History", "after a crash it cannot look whether a picture was posted"),
    "add_reactions": ("Add Reactions", "it cannot put the first emoji under a picture"),
}
"""Rights as Discord's settings call them, and what is amiss without them."""
HOW: Final = "Give them under Edit Channel → Permissions → Easel's role, or to the role under Server Settings → Roles."


def check_card(asked: Asked, own: GuildSettings) -> Reply:
    """What lacks, channel by channel; only where somebody asked is Discord's own word on the rights known for sure."""
    faults = list(_faults(asked, own))
    if not faults:
        words = "### Rights\nEverything that Easel needs is allowed, here and in every channel that it posts in."
        return Reply(parts=(Text(words),), accent=ACCENT)
    text = "\n".join(["### Rights", *faults, f"-# {HOW}"])
    return Reply(parts=(Text(shorten(text, limit=3900)),), accent=FAILURE_ACCENT)


def rooms_of(asked: Asked, own: GuildSettings) -> dict[int, str]:
    """Channels that matter besides the one where somebody asked, and why they do."""
    rooms = {own.report_channel: "reports", own.showcase_channel: "the showcase"}
    ruled = {channel: "a rule" for rule in (*own.models, *own.commands) for channel in rule.channels}
    ruled |= dict.fromkeys(own.nsfw_channels, "pictures for adults")
    return {number: why for number, why in (ruled | rooms).items() if number and number != asked.channel_id}


def _faults(asked: Asked, own: GuildSettings) -> Iterator[str]:
    yield from _lines(f"<#{asked.channel_id}>", asked.app_permissions)
    guild = asked.guild
    if guild is None:
        return
    for number, why in list(rooms_of(asked, own).items())[:SHOWN]:
        room = guild.get_channel(number)
        if room is None:
            yield f"- The channel {number}, chosen for {why}, is gone or hidden from Easel; choose another one."
        else:
            yield from _lines(f"<#{number}> ({why})", _granted(room, guild))


def _granted(room: Any, guild: discord.Guild) -> discord.Permissions:
    granted: discord.Permissions = room.permissions_for(guild.me)
    return granted


def _lines(place: str, granted: discord.Permissions) -> Iterator[str]:
    for name in missing_permissions(granted):
        label, without = RIGHTS.get(name, (name.replace("_", " ").title(), "something does not work"))
        yield f"- {place}: **{label}** is missing; without it {without}."
