"""What the buttons, menus and forms of collections do. State is in the ticket and in storage.

Owns the handlers of SETS, SET_… and KEEP_…; a collection is its maker's alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.commands.saved import read_name
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import read_form
from bot.discord_ui.gallery import pages, pictures, sets, shelves
from bot.discord_ui.gallery.forms import NAME, name_form
from bot.discord_ui.gallery.presses import chosen, is_visitor
from bot.discord_ui.gallery.spots import Shelf, Spot, read_spot
from bot.discord_ui.markup import plain
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Reply
from bot.errors import LimitReached, NotFound, RequestRefused
from storage.gallery_values import Collection


async def show_sets(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The list of collections, in place of what is shown."""
    del values
    if not await is_visitor(desk, asked, ticket):
        page = int(ticket.argument) if ticket.argument.isdecimal() else 1
        await replace(asked, await list_of(desk, ticket.id, page=page))


async def open_set(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The collection that was chosen, in place of the list."""
    if await is_visitor(desk, asked, ticket):
        return
    await asked.response.defer()
    await replace(asked, await _page(desk, asked, chosen(values)))


async def ask_name(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A form for the name of a new collection (number 0), or the new name of one that is there."""
    del values
    if not ticket.id:
        form = name_form(Ticket(Action.SET_FORM, 0), title="New collection")
    else:
        mine = await desk.db.collections.get(asked.user.id, ticket.id)
        form = name_form(Ticket(Action.SET_FORM, mine.id), title="Rename the collection", name=mine.name)
    await asked.response.send_modal(form)


async def take_name(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent. Raises RequestRefused for a name that is taken."""
    del values
    name = _name(asked)
    if not ticket.id:
        made = await create(desk, asked.user.id, name)
        await _say(asked, await list_of(desk, asked.user.id, note=f"**{plain(made.name)}** is there."))
        return
    if not await desk.db.collections.rename(asked.user.id, ticket.id, name):
        raise RequestRefused(f"Another collection of yours is called “{name}”; choose another name.")
    await _say(asked, await _page(desk, asked, ticket.id))


async def ask_delete(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Once more, before a collection is deleted."""
    del values
    await replace(asked, sets.drop_card(await desk.db.collections.get(asked.user.id, ticket.id)))


async def delete(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Delete the collection, and show the list."""
    del values
    gone = await desk.db.collections.get(asked.user.id, ticket.id)
    await desk.db.collections.delete(asked.user.id, ticket.id)
    await replace(asked, await list_of(desk, asked.user.id, note=f"**{plain(gone.name)}** is deleted."))


async def show_keeping(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """📁: in which collections a picture lies, in place of the picture."""
    del values
    spot, page = spot_and_page(ticket.argument)
    await pictures.allowed_picture(desk, asked.user.id, ticket.id, asked=asked)
    await replace(asked, await _keeping(desk, asked.user.id, ticket.id, spot=spot, page=page))


async def toggle(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Put the picture into the collection that was chosen, or take it out."""
    spot, page = spot_and_page(ticket.argument)
    person, number = asked.user.id, chosen(values)
    collection = await desk.db.collections.get(person, number)
    await pictures.allowed_picture(desk, person, ticket.id, asked=asked)
    inside = await desk.db.collections.toggle(person, number, ticket.id, now=desk.now())
    words = f"{'Put into' if inside else 'Taken out of'} **{plain(collection.name)}**."
    await replace(asked, await _keeping(desk, person, ticket.id, spot=spot, page=page, note=words))


async def ask_new(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A form for the name of a new collection that the picture goes into."""
    del desk, values
    ticket = Ticket(Action.KEEP_FORM, ticket.id, ticket.argument)
    await asked.response.send_modal(name_form(ticket, title="New collection"))


async def keep_in_new(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: make the collection and put the picture in; into one of that name if there is one."""
    del values
    spot, _ = spot_and_page(ticket.argument)
    person = asked.user.id
    await pictures.allowed_picture(desk, person, ticket.id, asked=asked)
    made = await create(desk, person, _name(asked))
    held = {each.id for each in await desk.db.collections.of(person, image=ticket.id) if each.holds}
    if made.id not in held:
        await desk.db.collections.toggle(person, made.id, ticket.id, now=desk.now())
    words = f"Put into **{plain(made.name)}**."
    await _say(asked, await _keeping(desk, person, ticket.id, spot=spot, note=words))


async def create(desk: Desk, person: int, name: str) -> Collection:
    """The collection of this name, made where there is none. Raises LimitReached."""
    kept = await desk.db.collections.of(person)
    known = {each.name.casefold() for each in kept}
    if len(kept) >= sets.MOST and name.casefold() not in known:
        raise LimitReached(
            f"You have {len(kept)} collections, and {sets.MOST} is the most. Delete one you do not need."
        )
    made, _ = await desk.db.collections.create(person, name, now=desk.now())
    return made


async def list_of(desk: Desk, person: int, *, page: int = 1, note: str = "") -> Reply:
    """The list of somebody's collections."""
    kept = await desk.db.collections.of(person)
    return sets.sets_card(sets.SetsFacts(person=person, collections=kept, page=page, note=note))


async def _keeping(desk: Desk, person: int, image: int, *, spot: Spot, page: int = 1, note: str = "") -> Reply:
    kept = await desk.db.collections.of(person, image=image)
    return sets.keep_card(sets.KeepFacts(image=image, spot=spot, collections=kept, page=page, note=note))


async def _page(desk: Desk, asked: Asked, number: int) -> Reply:
    return pages.page_card(await shelves.page_of(desk, asked.user.id, Spot(Shelf.SET, number=number)))


async def _say(asked: Asked, reply: Reply) -> None:
    """In place of the message that the form was opened from; as an answer of its own where there is none."""
    if asked.message is None:
        await answer(asked, reply, private=asked.guild_id is not None)
    else:
        await replace(asked, reply)


def _name(asked: Asked) -> str:
    data: Mapping[str, Any] = asked.data or {}
    return read_name(read_form(data).texts.get(NAME, ""))


def spot_and_page(argument: str) -> tuple[Spot, int]:
    """What a ticket carries: a spot, and the page of a list where that has several."""
    spot, _, page = argument.partition(",")
    if page and not (page.isascii() and page.isdecimal() and len(page) < 6):
        raise NotFound("That list is from a version of Easel that knew other pages; open the picture again.")
    return read_spot(spot), int(page or "1")


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType(
    {
        Action.SETS: show_sets,
        Action.SET_OPEN: open_set,
        Action.SET_NAME: ask_name,
        Action.SET_FORM: take_name,
        Action.SET_DELETE: ask_delete,
        Action.SET_DROP: delete,
        Action.KEEP_IN: show_keeping,
        Action.KEEP_SET: toggle,
        Action.KEEP_NEW: ask_new,
        Action.KEEP_FORM: keep_in_new,
    }
)
