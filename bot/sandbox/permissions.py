"""Discord's permission bits that matter here, and how roles and a channel's overwrites combine.

Source: Discord's documentation, "Permissions", base and overwrite computation.
"""

from collections.abc import Iterable
from typing import Final

from bot.sandbox.model import Channel, Guild

ADD_REACTIONS: Final = 1 << 6
ADMINISTRATOR: Final = 1 << 3
MANAGE_GUILD: Final = 1 << 5
VIEW_CHANNEL: Final = 1 << 10
SEND_MESSAGES: Final = 1 << 11
MANAGE_MESSAGES: Final = 1 << 13
EMBED_LINKS: Final = 1 << 14
ATTACH_FILES: Final = 1 << 15
READ_MESSAGE_HISTORY: Final = 1 << 16
MENTION_EVERYONE: Final = 1 << 17
USE_APPLICATION_COMMANDS: Final = 1 << 31
SEND_MESSAGES_IN_THREADS: Final = 1 << 38

EVERYONE: Final = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | SEND_MESSAGES_IN_THREADS
)
"""What everybody in a fresh server may."""
ALL: Final = (1 << 53) - 1
"""What an owner or administrator may: every bit that a float can carry."""


def _overwrite(base: int, pairs: Iterable[tuple[int, int]]) -> int:
    """Take away all that `pairs` (allow, deny) deny, then give all that they allow."""
    allow = deny = 0
    for allowed, denied in pairs:
        allow, deny = allow | allowed, deny | denied
    return base & ~deny | allow


def permissions_in(guild: Guild, user_id: str, channel: Channel | None = None) -> int:
    """What a member may in a channel (or in the server as a whole), as bits; 0 for somebody who is no member."""
    if user_id == guild.owner_id:
        return ALL
    member = guild.members.get(user_id)
    if member is None:
        return 0
    base = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        base |= guild.roles[role_id].permissions
    if base & ADMINISTRATOR:
        return ALL
    if channel is None:
        return base
    own = channel.overwrites
    base = _overwrite(base, [(o.allow, o.deny) for o in own if o.id == guild.id])
    base = _overwrite(base, [(o.allow, o.deny) for o in own if o.kind == 0 and o.id in member.role_ids])
    base = _overwrite(base, [(o.allow, o.deny) for o in own if o.kind == 1 and o.id == user_id])
    return base if base & VIEW_CHANNEL else 0
