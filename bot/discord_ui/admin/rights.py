"""Who may administer what, and the one way in which a server's choices are changed.

Owns that Discord's own hiding of `/admin` is checked again, and that a change is logged and in effect at once.
"""

from collections.abc import Callable
from typing import Final

from bot.discord_ui.desk import Asked, Desk
from bot.errors import NotAllowed
from storage.guild_settings import EVERYWHERE, GuildSettings
from storage.guilds import Deed

NOT_YOURS: Final = "Only those who may manage this server can do that; Discord calls the right “Manage Server”."
NOT_HERE: Final = "A server is administered in the server itself; here only this Easel's operator administers anything."
SERVER_ONLY: Final = "There are no channels and roles in direct messages; use this in a server."
NOT_MODERATOR: Final = "Only moderators can decide that: those who may manage messages here, or the server."


def is_operator(desk: Desk, person: int) -> bool:
    """Whether the operator's settings name this person."""
    return person in desk.settings.moderation.operators


def place_of(desk: Desk, asked: Asked) -> int:
    """The server that is administered from here, or `EVERYWHERE` for an operator in direct messages. Raises NotAllowed."""
    if is_operator(desk, asked.user.id):
        return asked.guild_id or EVERYWHERE
    if asked.guild_id is None:
        raise NotAllowed(NOT_HERE)
    if not asked.permissions.manage_guild:
        raise NotAllowed(NOT_YOURS)
    return asked.guild_id


def server_of(desk: Desk, asked: Asked) -> int:
    """The same where it takes a server. Raises NotAllowed."""
    place = place_of(desk, asked)
    if place == EVERYWHERE:
        raise NotAllowed(SERVER_ONLY)
    return place


def check_moderator(desk: Desk, asked: Asked) -> None:
    """Raise NotAllowed unless this person moderates where they are."""
    may = asked.guild_id is not None and (asked.permissions.manage_messages or asked.permissions.manage_guild)
    if not may and not is_operator(desk, asked.user.id):
        raise NotAllowed(NOT_MODERATOR)


def deed_of(desk: Desk, asked: Asked, action: str, words: str) -> Deed:
    """A line for the log, in Discord markdown."""
    return Deed(by=asked.user.id, now=desk.now(), action=action, words=words)


async def change(
    desk: Desk, asked: Asked, make: Callable[[GuildSettings], GuildSettings], *, action: str, words: str
) -> GuildSettings:
    """Change what this place chose; returns what holds from now on. Raises NotAllowed, and what `make` raises."""
    place = place_of(desk, asked)
    after = await desk.db.guilds.change(place, make, deed_of(desk, asked, action, words))
    desk.policies.forget()
    return after
