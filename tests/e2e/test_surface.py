"""Nothing can be typed, pressed, chosen or submitted that no end-to-end test of this run has used.

Runs last, and only where all end-to-end tests ran before it.
"""

from bot.discord_ui.presses.table import HANDLERS
from tests.e2e.surface import USED
from tools.commands_page import all_entries


def test_every_command_and_menu_was_used() -> None:
    """Each command, with each of its subcommands, and each entry of a message's Apps menu was answered over sockets."""
    assert {entry.name for entry in all_entries()} - USED.commands == set()


def test_every_action_was_used() -> None:
    """Each button, select and form was pressed, chosen from or submitted, and answered."""
    assert {action.value for action in HANDLERS} - USED.actions == set()
