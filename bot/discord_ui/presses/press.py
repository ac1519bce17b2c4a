"""The one dynamic item behind every button and menu of ours: it reads the ticket and calls the action's handler.

Owns the dispatch, and that an error is answered in words. State lies in the database, so a button of last year works.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Self

import discord

from bot.discord_ui.actions import PATTERN, Action, Ticket, read_ticket
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.error_replies import answer_error
from bot.errors import NotFound

_STRANGE: Final = "This button is from a version of Easel that knew something else; use a newer card."

Values = Sequence[str]
"""What was chosen in a menu; empty for a button."""
Handler = Callable[[Desk, Asked, Ticket, Values], Awaitable[None]]
"""Answers one press. What it raises is told to the person."""


def press_item(desk: Desk, handlers: Mapping[Action, Handler]) -> type[discord.ui.DynamicItem[Any]]:
    """The dynamic item to register with a client: all our custom_ids lead through it to `handlers`."""

    class Press(discord.ui.DynamicItem[discord.ui.Item[Any]], template=PATTERN):
        """A button or menu of ours, as it was pressed."""

        @classmethod
        async def from_custom_id(
            cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
        ) -> Self:
            """Wrap what discord.py found in the message."""
            del interaction, match
            return cls(item)

        async def callback(self, interaction: discord.Interaction[Any]) -> Any:
            """Answer the press."""
            await answer_press(desk, handlers, interaction, custom_id=self.custom_id)

    return Press


async def answer_press(desk: Desk, handlers: Mapping[Action, Handler], interaction: Asked, *, custom_id: str) -> None:
    """Call the handler of `custom_id`'s action; what it raises becomes a sentence for the person alone."""
    ticket = read_ticket(custom_id)
    if ticket is None or ticket.action not in handlers:
        await answer_error(interaction, NotFound(_STRANGE))
        return
    data: Mapping[str, Any] = interaction.data or {}
    try:
        await handlers[ticket.action](desk, interaction, ticket, tuple(data.get("values") or ()))
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
        await answer_error(interaction, error)
