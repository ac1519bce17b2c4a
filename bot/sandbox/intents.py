"""Gateway intents: which events a bot asks for, and which it must be allowed to ask for.

Source: Discord's documentation, "Gateway", list of intents.
"""

from typing import Final

from bot.sandbox.model import Channel

GUILDS: Final = 1 << 0
GUILD_MEMBERS: Final = 1 << 1
GUILD_PRESENCES: Final = 1 << 8
GUILD_MESSAGES: Final = 1 << 9
GUILD_MESSAGE_REACTIONS: Final = 1 << 10
GUILD_MESSAGE_TYPING: Final = 1 << 11
DIRECT_MESSAGES: Final = 1 << 12
DIRECT_MESSAGE_REACTIONS: Final = 1 << 13
DIRECT_MESSAGE_TYPING: Final = 1 << 14
MESSAGE_CONTENT: Final = 1 << 15

PRIVILEGED: Final = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
"""Those that an operator must switch on for the application; a session that asks without is closed with 4014."""


def in_channel(channel: Channel, guild_intent: int) -> int:
    """The intent for a kind of event in a server, or its counterpart in a conversation of two (three bits above)."""
    return guild_intent if channel.guild_id else guild_intent << 3
