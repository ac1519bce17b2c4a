"""🔎 and the menu of orders: what somebody looks for, remembered so that its buttons work for good.

Owns the handlers of FIND, FIND_FORM and SORT.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import Filled, read_form
from bot.discord_ui.gallery import pages, shelves
from bot.discord_ui.gallery.dates import dates_shown
from bot.discord_ui.gallery.finding import Typed, checked, query_of, spot_of
from bot.discord_ui.gallery.forms import ANY, WHEN, WORDS, find_form
from bot.discord_ui.gallery.presses import is_visitor
from bot.discord_ui.gallery.spots import Spot, read_spot
from bot.discord_ui.presses.press import Handler, Values
from bot.errors import NotFound
from storage.gallery_values import LABELS, LabelKind, Order, Query


async def open_form(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """🔎: the form, with what is looked for now in it."""
    del values
    if await is_visitor(desk, asked, ticket):
        return
    query = await query_of(desk, ticket.id, read_spot(ticket.argument))
    names: dict[LabelKind, tuple[str, ...]] = {
        kind: await desk.db.gallery.names(ticket.id, kind, query) for kind in LABELS
    }
    when = dates_shown(query.since, query.until)
    form = find_form(Ticket(Action.FIND_FORM, ticket.id, ticket.argument), query=query, when=when, names=names)
    await asked.response.send_modal(form)


async def find(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: the first page of what is found, in place of the page that it was opened from."""
    del values
    if await is_visitor(desk, asked, ticket):
        return
    before = await query_of(desk, ticket.id, read_spot(ticket.argument))
    data: Mapping[str, Any] = asked.data or {}
    query = await checked(desk, ticket.id, before, _typed(read_form(data), before))
    await _go(desk, asked, await spot_of(desk, ticket.id, query))


async def sort(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Another order, from its first page."""
    if await is_visitor(desk, asked, ticket):
        return
    query = await query_of(desk, ticket.id, read_spot(ticket.argument))
    await _go(desk, asked, await spot_of(desk, ticket.id, msgspec.structs.replace(query, order=_order(values))))


async def _go(desk: Desk, asked: Asked, spot: Spot) -> None:
    if asked.message is None:
        await asked.response.defer(thinking=True, ephemeral=asked.guild_id is not None)
        await answer(asked, pages.page_card(await shelves.page_of(desk, asked.user.id, spot)))
        return
    await asked.response.defer()
    await replace(asked, pages.page_card(await shelves.page_of(desk, asked.user.id, spot)))


def _typed(filled: Filled, before: Query) -> Typed:
    """What a form says; a kind that it had no field for stays as it was."""
    named: dict[str, str] = {}
    for kind in LABELS:
        chosen = filled.texts.get(kind, filled.choice(kind))
        kept: str = getattr(before, kind)
        named[kind] = kept if chosen is None and kind not in filled.choices else (chosen or "")
    return Typed(
        words=filled.texts.get(WORDS, ""),
        when=filled.texts.get(WHEN, ""),
        **{kind: "" if name == ANY else name for kind, name in named.items()},
    )


def _order(values: Values) -> Order:
    try:
        (value,) = values
        return Order(value)
    except ValueError as error:
        raise NotFound("That is no order that I know; choose one from the menu.") from error


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType(
    {Action.FIND: open_form, Action.FIND_FORM: find, Action.SORT: sort}
)
