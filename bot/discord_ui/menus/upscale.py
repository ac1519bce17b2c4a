"""Upscale: the pictures of any message made larger; the form behind it and behind ⬆️ on our cards.

Owns the card on which they are brought along, and what the form says. Whoever presses is credited and charged.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import discord

from bot.discord_ui.actions import BASE, ON_BENCH, Action, Ticket, base36, ticket_for
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.asides import aside
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.brought import IMAGE, INFOTEXT, NAME, bench_of, check_up, rest_of
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.enlarging import (
    MOVED,
    MOVING,
    Original,
    enlarge_wish,
    original_of,
    original_on,
    said_in,
    words_in,
)
from bot.discord_ui.forms import LARGE, METHOD, NETWORKS, PROMPT, STRENGTH, TEXT_LIMIT, UPSCALER, Filled, open_form
from bot.discord_ui.markup import code, plain, shorten
from bot.discord_ui.menus.bringing import bring
from bot.discord_ui.pictures import to_webp
from bot.discord_ui.presses.editing import ask_or_offer_again, filled_in
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Picture, Reply, Row, Text
from bot.discord_ui.shown import PICTURE_LIMIT, picture_of
from bot.errors import NotFound
from bot.requests.edit import Edit
from bot.requests.enlarging import FACTOR, METHODS, EnlargeDraft, Method, best_upscaler, read_large
from bot.requests.enlarging import STRENGTH as USUAL
from bot.requests.typed import read_number
from inference.api.catalog import UPSCALERS
from inference.api.result import Inventory
from storage.values import Bench

FACTORS: Final = (2.0, 4.0)
"""What a button of the card enlarges, without a form."""
FILE: Final = "picture.webp"
NO_PICTURE: Final = (
    "There is no picture in that message that I can enlarge. PNG, JPEG, WebP and GIF files can be, attached or unfolded from "
    "a link."
)
_STRANGE: Final = "This button is from a version of Easel that enlarged otherwise; use a newer card."


async def upscale(desk: Desk, interaction: Asked, message: discord.Message) -> None:
    """Bring the message's pictures along, and show the first with the ways to make it larger."""
    async with aside(interaction):
        brought, lost = await bring(desk, interaction, message, nothing=NO_PICTURE, moving=True)
        await answer(interaction, await _card_of(desk, brought[0], [bench.id for bench in brought], lost=lost))


async def _card_of(desk: Desk, bench: Bench, together: Sequence[int], *, lost: Sequence[str] = ()) -> Reply:
    original = await original_on(desk, bench)
    shown = await asyncio.to_thread(to_webp, original.picture.data, limit=PICTURE_LIMIT)
    return upscale_card(bench, original, shown, together=together, lost=lost)


def upscale_card(
    bench: Bench, original: Original, shown: bytes, *, together: Sequence[int], lost: Sequence[str] = ()
) -> Reply:
    """A picture, its size, and the ways to make it larger. Pure."""
    (width, height), name = original.picture.size, bench.said.get(NAME, "")
    words = f"{code(name, limit=80)} · " if name else ""
    words += f"{width} × {height} px"
    if bench.said.get(MOVING):
        words += f"\n-# {MOVED}"
    if original.image is None and not original.infotext:
        words += "\n-# It carries no parameters: to redraw it in tiles, the form asks for a prompt."
    if lost:
        noun = "picture" if len(lost) == 1 else "pictures"
        words += f"\n-# {len(lost)} more {noun} could not be used: {plain(lost[0], limit=300)}"
    alt = shorten(original.prompt or name or "The picture that was brought along", limit=900)
    rows = [Row(_buttons(bench.id))]
    if len(together) > 1:
        rows.append(Row((_others(bench.id, together),)))
    return Reply(
        parts=(Text(f"### Upscale\n{words}"), Gallery((Picture(FILE, alt),)), *rows),
        files=(Attachment(FILE, shown, alt),),
        accent=ACCENT,
    )


def _buttons(bench: int) -> tuple[Button, ...]:
    direct = (
        Button(
            custom_id=ticket_for(Action.UPSCALE_BY, bench, f"{factor:g}", on_bench=True).custom_id,
            label=f"{factor:g}×",
            emoji="⬆️",
            style="success",
        )
        for factor in FACTORS
    )
    more = ticket_for(Action.UPSCALE, bench, on_bench=True)
    return (*direct, Button(custom_id=more.custom_id, label="Network, size, tiles …", emoji="🎛️"))


def _others(present: int, together: Sequence[int]) -> Menu:
    """The pictures of the message. Their ids are in the choices, so that the menu works after a restart."""
    choices = tuple(
        Choice(f"Picture {number}", ".".join(map(base36, (each, *together))), "shown now" if each == present else "")
        for number, each in enumerate(together, 1)
    )
    custom_id = Ticket(Action.UPSCALE_OF, present).custom_id
    return Menu(custom_id=custom_id, choices=choices, placeholder="Another picture of the message")


async def show_other(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Another picture of the message, in place of the one that is shown."""
    del ticket
    carried = values[0].split(".") if values else []
    numbers = [int(each, BASE) for each in carried if each.isascii() and each.isalnum() and len(each) <= 12]
    if not numbers:
        raise NotFound("That is no picture of this message; choose one from the menu.")
    await interaction.response.defer()
    await replace(interaction, await _card_of(desk, await bench_of(desk, numbers[0]), numbers[1:]))


async def by_factor(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Two or four times, with the first network that was found."""
    del values
    factor = next((each for each in FACTORS if f"{each:g}" == rest_of(ticket)), None)
    if factor is None:
        raise NotFound(_STRANGE)
    await ask(desk, interaction, _wish(desk, interaction, ticket, EnlargeDraft(factor=factor), Edit()))


async def _wish(desk: Desk, interaction: Asked, ticket: Ticket, draft: EnlargeDraft, changes: Edit) -> Wish:
    original = await original_of(desk, ticket)
    person, guild = interaction.user.id, interaction.guild_id
    return await enlarge_wish(desk, draft, changes, original, person=person, guild=guild)


async def open_upscaler(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """⬆️: the form, which is quick to send as it is."""
    del values
    check_up(desk)
    before = await _before(desk, ticket) | {NETWORKS: "\n".join(_names(desk.shelf()))}
    form = ticket_for(Action.UPSCALE_FORM, ticket.id, on_bench=ticket.argument.startswith(ON_BENCH))
    await interaction.response.send_modal(open_form(form, before))


def _names(shelf: Inventory) -> list[str]:
    """All that enlarge, networks first."""
    return [*(info.name for info in shelf.upscalers), *(row.label for row in UPSCALERS)]


async def _before(desk: Desk, ticket: Ticket) -> dict[str, str]:
    """What the form begins with; read from rows alone, for a form cannot wait for a picture."""
    if ticket.argument.startswith(ON_BENCH):
        bench = await bench_of(desk, ticket.id)
        own = bench.said.get(IMAGE)
        prompt = said_in(bench.said.get(INFOTEXT, "")) if own is None else words_in(await picture_of(desk.db, int(own)))
    else:
        prompt = words_in(await picture_of(desk.db, ticket.id))
    shelf = desk.shelf()
    best = best_upscaler(shelf)
    return {
        UPSCALER: next((row.label for row in UPSCALERS if row.id == best), best),
        LARGE: f"{FACTOR:g}x",
        METHOD: METHODS[0][0],
        STRENGTH: f"{USUAL:g}",
        PROMPT: prompt[:TEXT_LIMIT],
    }


async def enlarge(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: make it larger."""
    del values
    filled = filled_in(interaction)
    await ask_or_offer_again(desk, interaction, ticket, filled, wish=_formed(desk, interaction, ticket, filled))


async def _formed(desk: Desk, interaction: Asked, ticket: Ticket, filled: Filled) -> Wish:
    """What a form says. Raises RequestRefused, NotFound, LimitReached."""
    before = await _before(desk, ticket)
    factor, size = read_large(filled.texts.get(LARGE, ""))
    prompt = filled.texts.get(PROMPT, "")
    methods: dict[str, Method] = {value: value for value, _, _ in METHODS}
    draft = EnlargeDraft(
        upscaler=filled.choice(UPSCALER) or filled.texts.get(UPSCALER, "").strip() or None,
        factor=factor,
        size=size,
        method=methods.get(filled.choice(METHOD) or "", "enlarge"),
        strength=read_number(filled.texts.get(STRENGTH, ""), "Strength", low=0, high=1),
    )
    changes = Edit(prompt="" if prompt.strip() == before[PROMPT].strip() else prompt)
    return await _wish(desk, interaction, ticket, draft, changes)


HANDLERS: Mapping[Action, Handler] = {
    Action.UPSCALE: open_upscaler,
    Action.UPSCALE_FORM: enlarge,
    Action.UPSCALE_BY: by_factor,
    Action.UPSCALE_OF: show_other,
}
