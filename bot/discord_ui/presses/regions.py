"""🖌️: nine regions of a picture are chosen by buttons, and painted anew in the words of a form.

Owns the card with the preview and the form behind it. The chosen regions lie on a bench, so that presses in a hurry all count
and a restart forgets none.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from bot.discord_ui.actions import ON_BENCH, Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.asides import aside
from bot.discord_ui.asking import Wish
from bot.discord_ui.brought import IMAGE, REGIONS, SAID_PROMPT, bench_of, check_up, native_of, pixels_on, subject_on
from bot.discord_ui.brushwork import region_mask, region_preview
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import (
    AREA,
    CONTENT,
    NEGATIVE,
    ONLY_MASKED,
    PROMPT,
    STRENGTH,
    TEXT_LIMIT,
    WHOLE,
    Filled,
    open_form,
)
from bot.discord_ui.presses.editing import ask_or_offer_again, filled_in
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Attachment, Button, Gallery, Picture, Reply, Row, Text
from bot.discord_ui.shown import picture_of
from bot.discord_ui.uploads import upload_of
from bot.discord_ui.wishes import known_with, names_of
from bot.errors import NotFound, RequestRefused
from bot.requests.edit import Edit, edited
from bot.requests.regions import ACROSS, Content, Repaint, read_regions, repainted
from bot.requests.regions import REGIONS as NAMES
from bot.requests.typed import read_number
from inference.api.request import SEED_LIMIT
from inference.api.sampling import Seeds
from storage.errors import Missing
from storage.values import Bench

PICTURE: Final = "picture"
"""Kind of a bench that holds a picture."""
PREVIEW: Final = "regions.webp"
_NONE: Final = "Choose at least one region first: press the buttons that lie where the picture shall change."
_ALL: Final = "That is the whole picture: use ✏️ or Remix, or leave a region out."


async def open_picker(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The card with nine buttons, for the person alone."""
    del values
    async with aside(interaction):
        if ticket.argument.startswith(ON_BENCH):
            bench = await bench_of(desk, ticket.id)
        else:
            image = await picture_of(desk.db, ticket.id)
            bench = await desk.db.benches.add(
                person=interaction.user.id, kind=PICTURE, said={IMAGE: str(image.id)}, now=desk.now()
            )
        await answer(interaction, await picker_of(desk, bench))


async def toggle(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """A region more, or one less."""
    del values
    if not ticket.argument or read_regions(ticket.argument) == ():
        raise NotFound("This button is from a version of Easel that knew other regions; open them again.")
    await interaction.response.defer()
    try:
        bench = await desk.db.benches.toggle(ticket.id, REGIONS, ticket.argument)
    except Missing:
        bench = await bench_of(desk, ticket.id)  # says that it was put away
    await replace(interaction, await picker_of(desk, bench))


async def picker_of(desk: Desk, bench: Bench) -> Reply:
    """The card of `bench`. Raises NotFound when its picture is gone."""
    picture = await pixels_on(desk, bench)
    chosen = read_regions(bench.said.get(REGIONS, ""))
    preview = await asyncio.to_thread(region_preview, picture.data, chosen)
    return picker_card(bench.id, chosen, preview)


def picker_card(bench: int, chosen: tuple[int, ...], preview: bytes) -> Reply:
    """What is chosen, shown and named; nine buttons in their places; and on to the words. Pure."""
    named = ", ".join(NAMES[region].lower() for region in chosen)
    alt = f"The picture ruled into nine; chosen: {named or 'none'}"
    rows = [
        Row(
            tuple(
                Button(
                    custom_id=Ticket(Action.CELL, bench, str(region)).custom_id,
                    label=NAMES[region],
                    style="primary" if region in chosen else "secondary",
                )
                for region in range(first, first + ACROSS)
            )
        )
        for first in range(0, len(NAMES), ACROSS)
    ]
    words = "### What shall be painted anew?\n" + (f"-# {named}" if named else "-# Nothing yet.")
    onward = Button(
        custom_id=Ticket(Action.REGION_WORDS, bench).custom_id,
        label="Say what goes there",
        emoji="🖌️",
        style="success",
        disabled=not chosen,
    )
    return Reply(
        parts=(Text(words), Gallery((Picture(PREVIEW, alt),)), *rows, Row((onward,))),
        files=(Attachment(PREVIEW, preview, alt),),
        accent=ACCENT,
    )


async def ask_words(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form: what goes into the region."""
    del values
    check_up(desk)
    bench = await bench_of(desk, ticket.id)
    _chosen(bench)
    subject = await subject_on(desk, bench)
    prompt = bench.said.get(SAID_PROMPT) or subject.base.prompt.positive
    before = {
        PROMPT: prompt[:TEXT_LIMIT],
        NEGATIVE: subject.base.prompt.negative[:TEXT_LIMIT],
        CONTENT: "original",
        AREA: WHOLE,
        STRENGTH: "0.75",
    }
    await interaction.response.send_modal(open_form(Ticket(Action.REGION_FORM, bench.id), before))


async def paint(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: paint the region."""
    del values
    filled = filled_in(interaction)
    wish = region_wish(desk, ticket.id, filled, person=interaction.user.id, guild=interaction.guild_id)
    await ask_or_offer_again(desk, interaction, ticket, filled, wish=wish)


async def region_wish(desk: Desk, number: int, filled: Filled, *, person: int, guild: int | None) -> Wish:
    """The chosen regions of bench `number` in the words of a form. Raises RequestRefused, NotFound, LimitReached."""
    bench = await bench_of(desk, number)
    chosen = _chosen(bench)
    subject = await subject_on(desk, bench)
    mask = upload_of(await asyncio.to_thread(region_mask, subject.size, chosen))
    how = Repaint(
        content=_content(filled),
        only_masked=filled.choice(AREA) == ONLY_MASKED,
        strength=_or(read_number(filled.texts.get(STRENGTH, ""), "Strength", low=0, high=1), Repaint().strength),
    )
    words = Edit(prompt=filled.texts.get(PROMPT, ""), negative=filled.texts.get(NEGATIVE))
    known = await known_with(desk, await names_of(desk, person, guild))
    base, _ = edited(subject.base, words, **known)
    count = desk.settings.generation.count
    seeds = Seeds(min(desk.seed(), SEED_LIMIT - count), source=base.seeds.source)
    request = repainted(
        msgspec.structs.replace(base, seeds=seeds, count=count),
        how,
        picture=subject.picture.sha,
        size=subject.size,
        mask=mask.sha,
        native=await native_of(desk, base),
        limits=desk.settings.limits,
    )
    return Wish(
        request=request,
        kind="inpaint",
        prompt=words.prompt or subject.prompt,
        parent=subject.parent,
        sources={subject.picture.sha: subject.picture.data, mask.sha: mask.data},
    )


def _chosen(bench: Bench) -> tuple[int, ...]:
    """The regions on `bench`. Raises RequestRefused where there is none, or nothing but them."""
    chosen = read_regions(bench.said.get(REGIONS, ""))
    if not chosen:
        raise RequestRefused(_NONE)
    if len(chosen) == len(NAMES):
        raise RequestRefused(_ALL)
    return chosen


def _content(filled: Filled) -> Content:
    return next((each for each in get_args(Content) if each == filled.choice(CONTENT)), "original")


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


HANDLERS: Mapping[Action, Handler] = {
    Action.REGION: open_picker,
    Action.CELL: toggle,
    Action.REGION_WORDS: ask_words,
    Action.REGION_FORM: paint,
}
