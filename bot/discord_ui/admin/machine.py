"""Who may change what lies on this machine: not whoever has a server, but whoever has this Easel.

Owns that test: the operators of the settings, and the owner or team of the application at Discord.
"""

from typing import Final

import discord

from bot.discord_ui.admin.rights import is_operator
from bot.discord_ui.desk import Asked, Desk
from bot.errors import NotAllowed

NOT_YOURS: Final = (
    "Models lie on the operator's machine, so only this Easel's operators may add or change them: those in operators of "
    "config.toml, and the owner or team of its application at Discord."
)


def check_machine(desk: Desk, asked: Asked) -> None:
    """Raise NotAllowed unless this person may change what lies on the machine."""
    if not is_operator(desk, asked.user.id) and not _owns(asked.client.application, asked.user.id):
        raise NotAllowed(NOT_YOURS)


def _owns(application: discord.AppInfo | None, person: int) -> bool:
    """Whether the application is this person's, by Discord's word of when the bot logged in."""
    if application is None:
        return False
    if application.team is None:
        return application.owner.id == person
    return any(
        member.id == person
        and member.membership_state is discord.TeamMembershipState.accepted
        and member.role is not discord.TeamMemberRole.read_only
        for member in application.team.members
    )
