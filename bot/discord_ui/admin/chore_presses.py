"""🛑 on the card of something that is done to the models."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.admin.machine import check_machine
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.presses.press import Handler, Values


async def stop(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """End it; its card says so by itself."""
    del values
    check_machine(desk, asked)
    desk.chores.cancel(ticket.id)
    await asked.response.defer()


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType({Action.CHORE_STOP: stop})
