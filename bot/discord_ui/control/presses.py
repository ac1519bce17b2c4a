"""What happens on a sheet's card: painting, changing, another picture, one control more or less, and putting it away.

Owns the order: a press is acknowledged, the memory changed, and the card shown as it is then. Only who began a sheet may press.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from bot.discord_ui.actions import BASE, Action, Ticket, base36
from bot.discord_ui.answers import replace
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.brought import IMAGE, check_up
from bot.discord_ui.cards import note_card
from bot.discord_ui.control.forms import add_values, change_values, read_change
from bot.discord_ui.control.painting import card_of, checkpoint_of, outlined, sheet_wish
from bot.discord_ui.control.sheets import (
    Brought,
    Held,
    Sheet,
    brought_on,
    change,
    exchange,
    picture_of,
    put,
    sheet_on,
    take,
    tear,
)
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import KEEP, NEGATIVE, NETWORKS, PICTURE, PROMPT, SEED, SIZE, TEXT_LIMIT, WORN, open_form
from bot.discord_ui.presses.editing import ask_or_offer_again, attachment_of, filled_in, offer_again, words_of
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import picture_of as image_of
from bot.discord_ui.uploads import fetch_picture
from bot.errors import NotFound, RequestRefused
from bot.requests.controls import unit_of
from bot.requests.edit import Edit
from bot.requests.typed import read_canvas
from bot.requests.variations import paintable

_LONGEST: Final = 12
"""Digits of a bench in a custom_id."""
_CANCELLED: Final = "Put away. Nothing was painted."


async def paint(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🎨: paint, or ask for words where there are none."""
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    if sheet.base is None and not sheet.draft.prompt.strip() and sheet.draft.style is None:
        await ask_words(desk, interaction, ticket, values)
        return
    wish = sheet_wish(desk, sheet, Edit(), guild=interaction.guild_id)
    await ask(desk, interaction, wish, private=sheet.draft.private)


async def ask_words(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """✏️: the form of words, which paints when it is sent."""
    del values
    check_up(desk)
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    before = await _words_before(desk, sheet)
    await interaction.response.send_modal(open_form(Ticket(Action.CONTROL_FORM, sheet.number), before))


async def paint_words(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: paint."""
    del values
    filled = filled_in(interaction)
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)

    async def wish() -> Wish:
        pixels, aspect = read_canvas(filled.texts.get(SIZE, ""))
        said = Edit(
            prompt=filled.texts.get(PROMPT, ""),
            negative=filled.texts.get(NEGATIVE),
            worn=filled.texts.get(WORN),
            seed=filled.choice(SEED),
            size=pixels,
            aspect=aspect,
        )
        return await sheet_wish(desk, sheet, said, guild=interaction.guild_id)

    await ask_or_offer_again(desk, interaction, ticket, filled, wish=wish(), private=sheet.draft.private)


async def ask_change(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🎚️: the form of one control."""
    check_up(desk)
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    held = _meant(sheet, ticket, values)
    before = await _change_before(desk, interaction, sheet, held)
    form = Ticket(Action.CONTROL_CHANGE_FORM, sheet.number, base36(held.bench.id))
    await interaction.response.send_modal(open_form(form, before))


async def changed(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form of one control was sent."""
    filled, kept = filled_in(interaction), dict[str, str]()

    async def act() -> Sheet:
        sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
        held = _meant(sheet, ticket, values)
        before = await _change_before(desk, interaction, sheet, held)
        kept[NETWORKS] = before[NETWORKS]
        inventory = await desk.inventory()
        request = await outlined(desk, sheet, guild=interaction.guild_id)
        unit = unit_of(
            read_change(filled, before, inventory),
            picture=held.unit.picture,
            checkpoint=await checkpoint_of(desk, request),
            inventory=inventory,
        )
        unsaid = {name: getattr(held.unit, name) for name in ("mask", "region", "during")}
        return await change(desk, sheet, held, msgspec.structs.replace(unit, **unsaid))

    await _after_form(desk, interaction, ticket, act, kept=kept)


async def ask_picture(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🖼️: the form of one picture."""
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    held = _meant(sheet, ticket, values)
    form = Ticket(Action.CONTROL_PICTURE_FORM, sheet.number, base36(held.bench.id))
    await interaction.response.send_modal(open_form(form, {}))


async def pictured(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form of one picture was sent."""

    async def act() -> Sheet:
        sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
        held = _meant(sheet, ticket, values)
        brought = await _uploaded(desk, interaction)
        if brought is None:
            raise RequestRefused("No picture came with that form; attach a PNG, JPEG or WebP file.")
        return await exchange(desk, sheet, held, brought)

    await _after_form(desk, interaction, ticket, act)


async def other_picture(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Another picture of the message for the last control."""
    await interaction.response.defer()
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    bench, _, number = (values[0] if values else "").partition(".")
    held = sheet.control(_number(bench))
    brought = await brought_on(desk, _number(number), together=held.together)
    await _show(desk, interaction, await exchange(desk, sheet, held, brought))


async def ask_more(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """＋: the form of one control more."""
    del values
    check_up(desk)
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    before = await _more_before(desk, interaction, sheet)
    await interaction.response.send_modal(open_form(Ticket(Action.CONTROL_ADD_FORM, sheet.number), before))


async def added(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form of one control more was sent."""
    del values
    filled, kept = filled_in(interaction), dict[str, str]()

    async def act() -> Sheet:
        sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
        before = await _more_before(desk, interaction, sheet)
        kept[NETWORKS] = before[NETWORKS]
        inventory = await desk.inventory()
        brought = await _uploaded(desk, interaction) or await _same_picture(desk, sheet)
        request = await outlined(desk, sheet, guild=interaction.guild_id)
        unit = unit_of(
            read_change(filled, before, inventory),
            picture=brought.upload.sha,
            checkpoint=await checkpoint_of(desk, request),
            inventory=inventory,
        )
        return await put(desk, sheet, unit, brought)

    await _after_form(desk, interaction, ticket, act, kept=kept)


async def remove(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """✖️: one control less."""
    await interaction.response.defer()
    sheet = await sheet_on(desk, ticket.id, person=interaction.user.id)
    await _show(desk, interaction, await take(desk, sheet, _meant(sheet, ticket, values)))


async def cancel(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Put the sheet away."""
    del values
    await interaction.response.defer()
    await tear(desk, await sheet_on(desk, ticket.id, person=interaction.user.id))
    await replace(interaction, note_card(_CANCELLED))


# -- what they share ---------------------------------------------------------------------------------------------------


async def _show(desk: Desk, interaction: Asked, sheet: Sheet) -> None:
    await replace(interaction, await card_of(desk, sheet, guild=interaction.guild_id))


async def _after_form(
    desk: Desk,
    interaction: Asked,
    ticket: Ticket,
    act: Callable[[], Awaitable[Sheet]],
    *,
    kept: Mapping[str, str] = {},
) -> None:
    """Show the card as it is after a form; where that was refused, offer it again with what was typed, and what is `kept`
    of what it offered."""
    await interaction.response.defer()
    try:
        sheet = await act()
    except (RequestRefused, NotFound) as error:
        typed = filled_in(interaction).values()
        await offer_again(desk, interaction, ticket, {**typed, **kept}, error=error)
        return
    await _show(desk, interaction, sheet)


def _meant(sheet: Sheet, ticket: Ticket, values: Values) -> Held:
    """The control that a button or the line of a menu is about. Raises NotFound."""
    return sheet.control(_number(values[0] if values else ticket.argument))


def _number(text: str) -> int:
    """A bench as a custom_id names it. Raises NotFound for what is none."""
    if not (text.isascii() and text.isalnum() and len(text) <= _LONGEST):
        raise NotFound("That is no control of this card; look at the card again.")
    return int(text, BASE)


async def _change_before(desk: Desk, interaction: Asked, sheet: Sheet, held: Held) -> dict[str, str]:
    request = await outlined(desk, sheet, guild=interaction.guild_id)
    return change_values(held.unit, checkpoint=await checkpoint_of(desk, request), inventory=desk.shelf())


async def _more_before(desk: Desk, interaction: Asked, sheet: Sheet) -> dict[str, str]:
    request = await outlined(desk, sheet, guild=interaction.guild_id)
    last = sheet.held[-1].unit if sheet.held else None
    return add_values(last, checkpoint=await checkpoint_of(desk, request), inventory=desk.shelf())


async def _words_before(desk: Desk, sheet: Sheet) -> dict[str, str]:
    """What the form of words begins with: what was said, or what the picture was painted with."""
    if sheet.base is not None:
        before = words_of(paintable((await image_of(desk.db, sheet.base)).request))
        kept = KEEP if sheet.draft.seed is None else "random"
        return before | {SEED: kept, PROMPT: before[PROMPT][:TEXT_LIMIT], NEGATIVE: before[NEGATIVE][:TEXT_LIMIT]}
    draft = sheet.draft
    size = "" if draft.size is None else f"{draft.size[0]}x{draft.size[1]}"
    return {
        PROMPT: draft.prompt[:TEXT_LIMIT],
        NEGATIVE: (draft.negative or desk.settings.generation.negative)[:TEXT_LIMIT],
        WORN: ", ".join(each for each in (draft.lora, draft.style) if each),
        SIZE: size or draft.aspect or "",
    }


async def _uploaded(desk: Desk, interaction: Asked) -> Brought | None:
    """The picture that came with a form. Raises RequestRefused for what is none."""
    files = filled_in(interaction).files.get(PICTURE, ())
    if not files:
        return None
    attachment = attachment_of(interaction, files[0])
    return Brought(upload=await fetch_picture(attachment, desk.settings.limits), name=attachment.filename[:80])


async def _same_picture(desk: Desk, sheet: Sheet) -> Brought:
    """The picture of the first control, for another one. Raises RequestRefused where there is none."""
    if not sheet.held:
        raise RequestRefused("There is no picture to follow; attach one.")
    first = sheet.held[0]
    own = first.bench.said.get(IMAGE)
    return Brought(upload=await picture_of(desk, first), name=first.name, image=int(own) if own else None)


HANDLERS: Mapping[Action, Handler] = {
    Action.CONTROL_PAINT: paint,
    Action.CONTROL_WORDS: ask_words,
    Action.CONTROL_FORM: paint_words,
    Action.CONTROL_CHANGE: ask_change,
    Action.CONTROL_CHANGE_FORM: changed,
    Action.CONTROL_PICTURE: ask_picture,
    Action.CONTROL_PICTURE_FORM: pictured,
    Action.CONTROL_OTHER: other_picture,
    Action.CONTROL_ADD: ask_more,
    Action.CONTROL_ADD_FORM: added,
    Action.CONTROL_REMOVE: remove,
    Action.CONTROL_CANCEL: cancel,
}
