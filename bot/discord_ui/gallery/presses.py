"""What the gallery's own buttons and menu do. State is in the ticket: whose gallery, which shelf, which page.

Owns the handlers of pages and pictures; `sets`, `sharing` and `searching` have those of their own. Whoever presses a button of
somebody else's gallery gets their own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery import home, opened, pages, parting, pictures, shelves
from bot.discord_ui.gallery.spots import Shelf, Spot, read_spot
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.removing import forget
from bot.discord_ui.shown import link_to
from bot.errors import NotAllowed, NotFound

NOT_YOURS: Final = "That was somebody else's gallery; this one is yours."


async def show_home(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Home, or the figures of this month, in place of what is shown."""
    del values
    if await is_visitor(desk, asked, ticket):
        return
    if ticket.argument == home.USAGE:
        await replace(asked, home.usage_card(await shelves.usage_of(desk, ticket.id)))
    else:
        await replace(asked, home.home_card(await shelves.home_of(desk, ticket.id)))


async def turn_page(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Another page in place of what is shown."""
    del values
    if await is_visitor(desk, asked, ticket):
        return
    spot = read_spot(ticket.argument)
    await asked.response.defer()  # nine large pictures may take more than Discord's three seconds
    await replace(asked, pages.page_card(await shelves.page_of(desk, ticket.id, spot, asked=asked)))


async def open_picture(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The picture that was chosen, in place of its page."""
    if await is_visitor(desk, asked, ticket):
        return
    spot, image = read_spot(ticket.argument), chosen(values)
    await asked.response.defer()
    facts = await pictures.opened_of(desk, ticket.id, spot, image=image, asked=asked)
    await replace(asked, opened.opened_card(facts))


async def show_picture(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """One picture, in place of what is shown."""
    del values
    spot = read_spot(ticket.argument)
    await asked.response.defer()
    facts = await pictures.opened_of(desk, asked.user.id, spot, image=ticket.id, asked=asked)
    await replace(asked, opened.opened_card(facts))


async def show_family(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """What a picture came from and what was made from it, for who pressed alone: the card belongs to everybody."""
    del values
    await asked.response.defer(ephemeral=True, thinking=True)
    facts = await shelves.page_of(desk, asked.user.id, Spot(Shelf.KIN, number=ticket.id), asked=asked)
    await answer(asked, pages.page_card(facts))


async def remove_picture(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Delete the picture that is open, and go back to its page. Raises NotAllowed where it is somebody else's."""
    del values
    spot = read_spot(ticket.argument)
    await asked.response.defer()
    row = await pictures.remove(desk, asked.user.id, ticket.id)
    if spot == Spot(Shelf.KIN, spot.page, ticket.id):
        spot = Spot(Shelf.RECENT)  # a family without its centre is none
    note = opened.removed_note(link_to(row))
    await replace(asked, pages.page_card(await shelves.page_of(desk, asked.user.id, spot, asked=asked, note=note)))


async def forget_person(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Cancel what is open, then remove everything of the person who pressed. Raises NotAllowed for anybody else."""
    del values
    if asked.user.id != ticket.id:
        raise NotAllowed(
            "Only the person who is to be forgotten can press that. Your own is under `/gallery forget-me`."
        )
    await asked.response.defer()
    desk.series.forget(ticket.id)
    for job in await shelves.open_jobs(desk, ticket.id):
        await desk.dispatcher.cancel(job.id)
        # the row may be gone before the dispatcher tells anybody, and a queue card that nobody owns would stay for good
        await desk.board.take_down(job.id, job.address, job.card_message)
    await replace(asked, parting.forgotten_card(await forget(desk, ticket.id)))


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType(
    {
        Action.HOME: show_home,
        Action.PAGE: turn_page,
        Action.OPEN: open_picture,
        Action.SHOW: show_picture,
        Action.KIN: show_family,
        Action.REMOVE: remove_picture,
        Action.FORGET: forget_person,
    }
)


async def is_visitor(desk: Desk, asked: Asked, ticket: Ticket) -> bool:
    """Whether somebody pressed in another's gallery; they have then been shown their own."""
    if asked.user.id == ticket.id:
        return False
    await answer(asked, home.home_card(await shelves.home_of(desk, asked.user.id, note=NOT_YOURS)))
    return True


def chosen(values: Values) -> int:
    """The picture's, collection's or channel's number in what a menu sent. Raises NotFound."""
    if len(values) != 1 or not (values[0].isascii() and values[0].isdigit() and len(values[0]) <= 20):
        raise NotFound("That is nothing of this gallery; choose from its menu.")
    return int(values[0])
