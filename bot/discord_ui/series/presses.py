"""What can be pressed on the cards of series: yes, no, stop, turn the page of the menu, open a cell, take the card away."""

import contextlib
from collections.abc import Mapping

import discord
import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.admin.gate import admit, check_cells, visit_of
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.asking import address_of
from bot.discord_ui.cards import ResultFacts, note_card, result_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.posting import places
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Reply
from bot.discord_ui.series.cards import GONE, dropped_card, moved_card
from bot.discord_ui.series.limits import check_going
from bot.discord_ui.shown import shown_picture
from bot.errors import NotAllowed, NotFound
from bot.requests.policy import Visit
from storage.errors import RequestUnreadable
from storage.series_values import Series, SeriesState
from storage.values import Image

_ONLY_ASKER = "Only who asked for this can say yes or no to it."
_CLOSED = "Your direct messages are closed to me. Open them in the server's privacy settings, and press again."


async def go(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Yes: paint it. A second yes changes nothing; the card shows how it stands."""
    del values
    series = await _asked(desk, interaction, ticket)
    check_going(await desk.db.series.count_going(interaction.user.id), limits=desk.settings.limits)
    address = address_of(desk, interaction, private=series.address.private)
    address = msgspec.structs.replace(address, channel=series.address.channel, guild=series.address.guild)
    visit = await _admitted(desk, interaction, series)
    card = await desk.series.card_of(series)
    if series.address.private:
        message, channel = await _post_privately(interaction, series, card)
        after = moved_card(f"https://discord.com/channels/@me/{channel}/{message}")
    else:
        message, channel = interaction.message.id if interaction.message else 0, interaction.channel_id or 0
        after = card
    begun = await desk.db.series.begin(series.id, address=address, roles=visit.roles, now=desk.now())
    if begun is None:
        raise NotFound(GONE)
    await desk.db.series.set_card(series.id, message=message or series.card_message, channel=channel)
    await desk.series.begin(begun)
    with contextlib.suppress(discord.HTTPException, *places.PASSING):  # it runs, and its card is kept true all the same
        await replace(interaction, after)


async def _post_privately(interaction: Asked, series: Series, card: Reply) -> tuple[int, int]:
    """The card in the direct messages: its message and channel. Raises NotAllowed where they are closed."""
    try:
        channel = await places.conversation(interaction.client, series.address.person)
        message = await places.post(interaction.client, channel, card, nonce=f"easel-s{series.id}-c")
    except places.SHUT as error:
        raise NotAllowed(_CLOSED) from error
    return message.id, channel


async def _admitted(desk: Desk, interaction: Asked, series: Series) -> Visit:
    """Who agrees, and where. Raises LimitReached where the rules have changed since the question."""
    visit = visit_of(interaction, private=series.address.private)
    await check_cells(desk, visit, series.cells)
    for request in await desk.db.series.requests(series.id):
        await admit(desk, visit, request, kind=series.kind, parent=series.parent)
    return visit


async def no(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """No: forget it."""
    del values
    series = await _asked(desk, interaction, ticket)
    if not await desk.db.series.drop(series.id):
        raise NotFound(GONE)
    await replace(interaction, dropped_card(series.title))


async def stop(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🛑: cancel what is left; what is painted is shown."""
    del values
    series = await _series(desk, ticket)
    _check_mine(interaction, series, "stop this")
    await interaction.response.defer()
    if not await desk.series.end(series.id):
        raise NotFound("It has ended already.")


async def turn(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """▶: the other cells, in a menu for who presses alone; ◀ ▶ there turn its page."""
    del values
    series = await _series(desk, ticket)
    page = int("".join(sign for sign in ticket.argument if sign.isdecimal())[:4] or 0)
    card = await desk.series.results.menu_of(series, page=page)
    await (answer(interaction, card) if ticket.argument.startswith("m") else replace(interaction, card))


async def open_cell(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """One cell as a picture of its own (or its several), with all the buttons that a picture has."""
    series = await _series(desk, ticket)
    wanted = next((int(value) for value in values if value.isdecimal()), -1)
    cell = next((cell for cell in await desk.db.series.cells(series.id) if cell.ordinal == wanted), None)
    images = [image for number in (cell.images if cell else ()) if (image := await _image(desk, number)) is not None]
    if cell is None or not images:
        raise NotFound("That picture is gone: somebody deleted it.")
    shown = tuple([await shown_picture(desk.db, image) for image in images])
    facts = ResultFacts(
        job=images[0].job,
        person=interaction.user.id,
        prompt=images[0].prompt,
        model=images[0].model,
        pictures=shown,
        notes=(cell.label,) if cell.label else (),
    )
    await answer(interaction, result_card(facts), private=False)


async def delete(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🗑: the message goes; the pictures stay in their owner's gallery."""
    del values
    series = await _series(desk, ticket)
    _check_mine(interaction, series, "delete this")
    await interaction.response.defer()
    with contextlib.suppress(discord.NotFound):  # pressed twice
        await interaction.delete_original_response()
    await answer(interaction, note_card("The grid is gone. Its pictures stay in `/gallery open`."))


async def _series(desk: Desk, ticket: Ticket) -> Series:
    series = await desk.db.series.get(ticket.id)
    if series is None:
        raise NotFound(GONE)
    return series


async def _asked(desk: Desk, interaction: Asked, ticket: Ticket) -> Series:
    """The series, which waits for an answer of who presses."""
    series = await _series(desk, ticket)
    if series.address.person != interaction.user.id:
        raise NotAllowed(_ONLY_ASKER)
    if series.state is not SeriesState.ASKED:
        raise NotFound(GONE)
    return series


async def _image(desk: Desk, number: int) -> Image | None:
    with contextlib.suppress(RequestUnreadable):
        return await desk.db.images.get(number)
    return None


def _check_mine(interaction: Asked, series: Series, what: str) -> None:
    if series.address.person != interaction.user.id and not interaction.permissions.manage_messages:
        raise NotAllowed(f"Only who asked for it, or somebody who manages messages here, can {what}.")


HANDLERS: Mapping[Action, Handler] = {
    Action.SERIES_GO: go,
    Action.SERIES_NO: no,
    Action.SERIES_STOP: stop,
    Action.SERIES_PAGE: turn,
    Action.SERIES_CELL: open_cell,
    Action.SERIES_DELETE: delete,
}
