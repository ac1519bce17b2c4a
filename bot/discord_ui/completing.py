"""What is suggested while somebody types a prompt.

Owns what a place may see: tags for adults only where pictures for adults may be painted. Every option that holds a prompt uses
`completer` for its suggestions, and `desk.prompts.whole` for what was sent.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from discord import app_commands

from bot.discord_ui.admin.gate import visit_of
from bot.discord_ui.desk import Asked, Desk
from bot.requests.policy import why_no_adults

Complete = Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def completer(desk: Desk) -> Complete:
    """For `command.autocomplete(…)` of an option that holds a prompt."""

    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        await desk.prompts.glance()
        adults = not why_no_adults(await desk.policies.of(interaction.guild_id), visit_of(interaction))
        found = desk.prompts.suggest(typed, desk.shelf(), person=interaction.user.id, adults=adults)
        return [app_commands.Choice(name=each, value=each) for each in found]

    return complete
