"""Remix: a picture of any message, somebody's photo as well as our own, to paint from.

Owns the card on which it is brought along, and the form behind it. The pictures are copied when the command is used, so that
nothing is lost when the message goes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import discord
import msgspec

from bot.discord_ui.actions import BASE, Action, Ticket, base36
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.asides import aside
from bot.discord_ui.asking import Wish
from bot.discord_ui.brought import (
    INFOTEXT,
    NAME,
    Subject,
    bench_of,
    check_up,
    native_of,
    pixels_on,
    subject_on,
)
from bot.discord_ui.cards import ACCENT, moves, region_and_zoom
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import NEGATIVE, PROMPT, SIZE, STRENGTH, TEXT_LIMIT, WORN, Filled, open_form
from bot.discord_ui.markup import code, plain, shorten
from bot.discord_ui.menus.bringing import bring
from bot.discord_ui.pictures import to_webp
from bot.discord_ui.presses.editing import ask_or_offer_again, filled_in
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Picture, Reply, Row, Text
from bot.discord_ui.shown import PICTURE_LIMIT
from bot.discord_ui.wishes import known_with, names_of
from bot.errors import NotFound
from bot.requests.edit import Edit, edited
from bot.requests.regions import kept_canvas
from bot.requests.typed import read_canvas, read_number
from bot.requests.worn import undressed
from inference.api.request import SourcePicture
from storage.values import Bench

STRENGTH_USUAL: Final = 0.75
FILE: Final = "picture.webp"
NO_PICTURE: Final = (
    "There is no picture in that message that I can paint from. PNG, JPEG and WebP files can be used, attached or unfolded "
    "from a link."
)
_LOST: Final = 300
"""Characters of what is said of a message's unusable files."""


async def remix(desk: Desk, interaction: Asked, message: discord.Message) -> None:
    """Bring the message's pictures along, and show the first."""
    async with aside(interaction):
        brought, lost = await bring(desk, interaction, message, nothing=NO_PICTURE)
        await answer(interaction, await card_of(desk, brought[0], [bench.id for bench in brought], lost=lost))


async def card_of(desk: Desk, bench: Bench, together: Sequence[int], *, lost: Sequence[str] = ()) -> Reply:
    """The card of `bench`, one of the pictures that were brought `together`. Raises NotFound when its picture is gone."""
    picture = await pixels_on(desk, bench)
    shown = await asyncio.to_thread(to_webp, picture.data, limit=PICTURE_LIMIT)
    subject = await subject_on(desk, bench)
    return bench_card(bench, subject, shown, together=together, lost=lost)


def bench_card(
    bench: Bench, subject: Subject, shown: bytes, *, together: Sequence[int], lost: Sequence[str] = ()
) -> Reply:
    """A picture to paint from, what is known of it, and the ways on. Pure."""
    width, height = subject.size
    name = bench.said.get(NAME, "")
    about = [f"{code(name, limit=80)} · " if name else "", f"{width} × {height} px"]
    words = "".join(about)
    if subject.parent is None:
        words += (
            f"\n-# Its text tells how it was painted: {plain(subject.prompt, limit=200) or 'without words'}"
            if bench.said.get(INFOTEXT)
            else "\n-# It carries no parameters; it is painted from with this server's usual settings."
        )
    words += "".join(f"\n-# {plain(note, limit=200)}" for note in subject.notes[:3])
    if lost:
        noun = "picture" if len(lost) == 1 else "pictures"
        words += f"\n-# {len(lost)} more {noun} could not be used: {plain(lost[0], limit=_LOST)}"
    alt = shorten(subject.prompt or name or "The picture that was brought along", limit=900)
    first = Button(
        custom_id=Ticket(Action.REMIX, bench.id).custom_id, label="Paint from it", emoji="🎨", style="success"
    )
    steer = Button(custom_id=Ticket(Action.CONTROL_FROM, bench.id).custom_id, label="Use as control", emoji="🕹️")
    rows = [Row((first, *region_and_zoom(bench.id, on_bench=True), steer)), moves(bench.id, on_bench=True)]
    if len(together) > 1:
        rows.append(Row((_others(bench.id, together),)))
    return Reply(
        parts=(Text(f"### Remix\n{words}"), Gallery((Picture(FILE, alt),)), *rows),
        files=(Attachment(FILE, shown, alt),),
        accent=ACCENT,
    )


def _others(present: int, together: Sequence[int]) -> Menu:
    """The pictures of the message. Their ids are in the choices, so that the menu works after a restart."""
    choices = tuple(
        Choice(f"Picture {number}", ".".join(map(base36, (each, *together))), "shown now" if each == present else "")
        for number, each in enumerate(together, 1)
    )
    return Menu(
        custom_id=Ticket(Action.BENCH, present).custom_id, choices=choices, placeholder="Another picture of the message"
    )


async def show_other(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Another picture of the message, in place of the one that is shown."""
    del ticket
    carried = values[0].split(".") if values else []
    numbers = [int(each, BASE) for each in carried if each.isascii() and each.isalnum() and len(each) <= 12]
    if not numbers:
        raise NotFound("That is no picture of this message; choose one from the menu.")
    await interaction.response.defer()
    await replace(interaction, await card_of(desk, await bench_of(desk, numbers[0]), numbers[1:]))


async def ask_words(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form: what to make of the picture."""
    del values
    check_up(desk)
    subject = await subject_on(desk, await bench_of(desk, ticket.id))
    await interaction.response.send_modal(open_form(Ticket(Action.REMIX_FORM, ticket.id), await _before(desk, subject)))


async def paint(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: paint from the picture."""
    del values
    filled = filled_in(interaction)
    wish = remix_wish(desk, ticket.id, filled, person=interaction.user.id, guild=interaction.guild_id)
    await ask_or_offer_again(desk, interaction, ticket, filled, wish=wish)


async def remix_wish(desk: Desk, number: int, filled: Filled, *, person: int, guild: int | None) -> Wish:
    """What a form makes of the picture on bench `number`. Raises RequestRefused, NotFound, LimitReached."""
    subject = await subject_on(desk, await bench_of(desk, number))
    before = await _before(desk, subject)
    size = filled.texts.get(SIZE, "").strip()
    pixels, shape = read_canvas(size or before[SIZE])
    strength = read_number(filled.texts.get(STRENGTH, ""), "Strength", low=0, high=1)
    base = msgspec.structs.replace(
        subject.base, source=SourcePicture(subject.picture.sha, STRENGTH_USUAL), hires=None, redraw=None
    )
    changes = Edit(
        prompt=filled.texts.get(PROMPT, ""),
        negative=filled.texts.get(NEGATIVE),
        worn=filled.texts.get(WORN),
        size=pixels,
        aspect=shape,
        seed="random",
        count=desk.settings.generation.count,
        init_image=subject.picture.sha,
        strength=STRENGTH_USUAL if strength is None else strength,
    )
    request, _ = edited(base, changes, **await known_with(desk, await names_of(desk, person, guild)))
    return Wish(
        request=request,
        kind="remix",
        prompt=changes.prompt or subject.prompt,
        parent=subject.parent,
        sources={subject.picture.sha: subject.picture.data},
    )


async def _before(desk: Desk, subject: Subject) -> dict[str, str]:
    """What the form begins with."""
    clothes = undressed(subject.base.prompt.positive)
    canvas = kept_canvas(subject.size, native=await native_of(desk, subject.base), limits=desk.settings.limits)
    return {
        PROMPT: clothes.text[:TEXT_LIMIT],
        NEGATIVE: subject.base.prompt.negative[:TEXT_LIMIT],
        WORN: clothes.worn,
        STRENGTH: f"{STRENGTH_USUAL:g}",
        SIZE: f"{canvas.width}x{canvas.height}",
    }


HANDLERS: Mapping[Action, Handler] = {
    Action.REMIX: ask_words,
    Action.REMIX_FORM: paint,
    Action.BENCH: show_other,
}
