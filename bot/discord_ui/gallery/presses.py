"""What the gallery's own buttons and menu do. State is in the ticket: whose gallery, which shelf, which page.

Owns the handlers of HOME, PAGE, OPEN, REMOVE and FORGET. Whoever presses a button of somebody else's gallery gets their own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery import home, opened, pages, parting, shelves
from bot.discord_ui.gallery.spots import read_spot
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import link_to
from bot.errors import NotAllowed, NotFound

NOT_YOURS: Final = "That was somebody else's gallery; this one is yours."


async def show_home(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Home, or the figures of this month, in place of what is shown."""
    del values
    if await _is_visitor(desk, asked, ticket):
        return
    if ticket.argument == home.USAGE:
        await replace(asked, home.usage_card(await shelves.usage_of(desk, ticket.id)))
    else:
        await replace(asked, home.home_card(await shelves.home_of(desk, ticket.id)))


async def turn_page(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Another page in place of what is shown."""
    del values
    if await _is_visitor(desk, asked, ticket):
        return
    spot = read_spot(ticket.argument)
    await asked.response.defer()  # nine large pictures may take more than Discord's three seconds
    await replace(asked, pages.page_card(await shelves.page_of(desk, ticket.id, spot)))


async def open_picture(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The picture that was chosen, in place of its page."""
    if await _is_visitor(desk, asked, ticket):
        return
    spot, image = read_spot(ticket.argument), _chosen(values)
    await asked.response.defer()
    await replace(asked, opened.opened_card(await shelves.opened_of(desk, ticket.id, spot, image=image)))


async def remove_picture(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Delete the picture that is open, and go back to its page. Raises NotAllowed where it is somebody else's."""
    del values
    spot = read_spot(ticket.argument)
    await asked.response.defer()
    row = await shelves.remove(desk, asked.user.id, ticket.id)
    note = opened.removed_note(link_to(row))
    await replace(asked, pages.page_card(await shelves.page_of(desk, asked.user.id, spot, note=note)))


async def forget_person(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Cancel what is open, then remove everything of the person who pressed. Raises NotAllowed for anybody else."""
    del values
    if asked.user.id != ticket.id:
        raise NotAllowed(
            "Only the person who is to be forgotten can press that. Your own is under `/gallery forget-me`."
        )
    await asked.response.defer()
    for job in await shelves.open_jobs(desk, ticket.id):
        await desk.dispatcher.cancel(job.id)
        # the row may be gone before the dispatcher tells anybody, and a queue card that nobody owns would stay for good
        await desk.board.take_down(job.id, job.address, job.card_message)
    await replace(asked, parting.forgotten_card(await desk.db.people.forget(ticket.id)))


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType(
    {
        Action.HOME: show_home,
        Action.PAGE: turn_page,
        Action.OPEN: open_picture,
        Action.REMOVE: remove_picture,
        Action.FORGET: forget_person,
    }
)


async def _is_visitor(desk: Desk, asked: Asked, ticket: Ticket) -> bool:
    """Whether somebody pressed in another's gallery; they have then been shown their own."""
    if asked.user.id == ticket.id:
        return False
    await answer(asked, home.home_card(await shelves.home_of(desk, asked.user.id, note=NOT_YOURS)))
    return True


def _chosen(values: Values) -> int:
    """The picture's id in what a menu sent. Raises NotFound."""
    if len(values) != 1 or not (values[0].isascii() and values[0].isdigit() and len(values[0]) <= 18):
        raise NotFound("That is no picture of this gallery; choose one from its menu.")
    return int(values[0])
