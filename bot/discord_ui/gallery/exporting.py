"""📦 and its 🛑: what stands on a shelf, packed and sent to whose shelf it is. Owns the handlers of EXPORT and EXPORT_STOP."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import replace
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery.export import Parcel, export
from bot.discord_ui.gallery.finding import query_of
from bot.discord_ui.gallery.packing import PICTURES, plan
from bot.discord_ui.gallery.presses import is_visitor
from bot.discord_ui.gallery.spots import Spot, read_spot
from bot.discord_ui.presses.press import Handler, Values

ENDED: Final = (
    "📦 This export has ended, by itself or when Easel was started anew. Press 📦 in your gallery for another."
)


async def begin(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Export the shelf that is shown."""
    del values
    if not await is_visitor(desk, asked, ticket):
        await export_shelf(desk, asked, read_spot(ticket.argument))


async def export_shelf(desk: Desk, asked: Asked, spot: Spot) -> None:
    """Pack all that stands on a shelf of who asks, and send it. Raises NotFound, LimitReached."""
    desk.exports.check(asked.user.id)
    query = await query_of(desk, asked.user.id, spot)
    pictures = await desk.db.gallery.packed(asked.user.id, query, limit=PICTURES + 1)
    limit = asked.filesize_limit
    await export(desk, asked, Parcel(zips=plan(pictures, limit=limit), limit=limit))


async def stop(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Stop the export. Its card says so by itself; one that has ended gets a word in its place."""
    del values
    if await is_visitor(desk, asked, ticket):
        return
    if desk.exports.cancel(ticket.id):
        await asked.response.defer()
    else:
        await replace(asked, note_card(ENDED))


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType({Action.EXPORT: begin, Action.EXPORT_STOP: stop})
