"""What the end-to-end tests of this run have used of Easel's surface: commands, menus, buttons, selects, forms.

Filled from what people did on each loopback Discord and the bot answered; `test_surface` compares it with the tables.
"""

from dataclasses import dataclass, field

from bot.discord_ui.actions import read_ticket
from bot.sandbox.interactions import COMMAND
from bot.sandbox.server import Loopback

UNANSWERED = frozenset({"sent", "failed"})


@dataclass
class Used:
    """Names of commands (with their subcommands), and values of actions."""

    commands: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)

    def note(self, loopback: Loopback) -> None:
        """Add what was done there. What lies fifteen minutes of its clock back may be forgotten."""
        for interaction in loopback.world.interactions.by_id.values():
            if interaction.state in UNANSWERED:
                continue
            if interaction.kind == COMMAND:
                self.commands.add(interaction.name)
            ticket = read_ticket(interaction.custom_id or "")
            if ticket is not None:
                self.actions.add(ticket.action.value)


USED = Used()
"""Of this run."""
