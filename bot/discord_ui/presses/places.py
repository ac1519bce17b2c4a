"""Words for places before they are painted: the card with its map, nine cells to mark, forms for the words, and the brush.

What was said lies on a bench, so that presses in a hurry all count and a restart forgets nothing. Owns that card; what words
in places mean is `bot.requests.places`' to say, and how a prompt becomes jobs is `imagining`'s.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import replace
from bot.discord_ui.brought import REGIONS, bench_of
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import PLACES, TEXT_LIMIT, WORDS, open_form
from bot.discord_ui.imagining import imagine
from bot.discord_ui.markup import plain
from bot.discord_ui.place_map import draw_map
from bot.discord_ui.presses.editing import filled_in
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Attachment, Button, Gallery, Picture, Reply, Row, Text
from bot.errors import EaselError, NotFound, RequestRefused
from bot.requests.drafts import ImagineDraft
from bot.requests.places import CELLS, SOFT, Placed, laid_out, put, read_places
from bot.requests.regions import ACROSS
from bot.requests.regions import REGIONS as NAMES
from inference.api.catalog import ASPECTS
from storage.errors import Missing
from storage.values import Bench

BENCH: Final = "places"
"""Kind of a bench that holds words for places."""
DRAFT: Final = "draft"
"""What was said beside the words, as JSON."""
MAP: Final = "places.webp"
LINES: Final = 12
"""Places that the card names."""
_draft: Final = msgspec.json.Decoder(ImagineDraft)
_NOTHING: Final = (
    "Mark cells and say what goes there, or write all of it as text: `left: a red cat | right: a blue dog`."
)


async def card_of(bench: Bench) -> Reply:
    """The card of `bench`, drawn in a thread."""
    draft, placed = draft_on(bench), read_places(bench.said.get(PLACES, ""))
    marked = tuple(CELLS[int(mark)] for mark in bench.said.get(REGIONS, "").split(",") if mark in _MARKS)
    places = [each for each in placed if each.boxes]
    boxes = [box for each in read_places(f"{'+'.join(marked)}: x") for box in each.boxes] if marked else []
    shape = shape_of(draft)
    feather = 1 / SOFT if draft.feather is None else draft.feather / 512
    drawn = await asyncio.to_thread(draw_map, places, shape=shape, feather=feather, marked=boxes)
    return places_card(bench.id, placed, drawn, marked=marked, refusal=_refusal(bench))


def places_card(
    bench: int, placed: tuple[Placed, ...], drawn: bytes, *, marked: tuple[str, ...], refusal: str
) -> Reply:
    """The map, who guides where, nine cells, and on to words or picture. `refusal` says why it cannot be painted. Pure."""
    places = [each for each in placed if each.boxes]
    lines = [
        f"**{number}** {_named(each)}: {plain(each.words, limit=120)}" for number, each in enumerate(places[:LINES], 1)
    ]
    lines += [f"-# and {len(places) - LINES} more"] if len(places) > LINES else []
    lines += [f"Everywhere: {plain(each.words, limit=120)}" for each in placed if not each.boxes]
    if places and refusal:
        lines.append(f"-# {plain(refusal, limit=300)}")
    words = "### Words for places\n" + ("\n".join(lines) or f"-# {_NOTHING}")
    alt = f"A map of the picture: {', '.join(f'{_named(each)} {each.words}' for each in places) or 'no places yet'}"[
        :900
    ]
    onward = (
        _button(Action.PLACE_WORDS, bench, label="Say what goes there", emoji="🖌️", disabled=not marked),
        _button(Action.PLACES_TEXT, bench, label="Write as text", emoji="✏️"),
        Button(
            custom_id=Ticket(Action.PLACES_PAINT, bench).custom_id,
            label="Paint",
            emoji="🎨",
            style="success",
            disabled=bool(refusal),
        ),
    )
    return Reply(
        parts=(Text(words), Gallery((Picture(MAP, alt),)), *_cells(bench, marked), Row(onward)),
        files=(Attachment(MAP, drawn, alt),),
        accent=ACCENT,
    )


def draft_on(bench: Bench) -> ImagineDraft:
    """What was said beside the words. Raises NotFound where another version of Easel wrote it."""
    try:
        return _draft.decode(bench.said.get(DRAFT, "{}"))
    except msgspec.DecodeError as error:
        raise NotFound("This card is from another version of Easel; begin anew with /regions.") from error


def shape_of(draft: ImagineDraft) -> tuple[float, float]:
    """The proportions that the picture will have, as far as the draft says."""
    row = next((row for row in ASPECTS if draft.aspect in (row.id, row.label)), None)
    return draft.size or ((row.width, row.height) if row is not None else (1, 1))


async def toggle(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """A cell more, or one less."""
    del values
    if ticket.argument not in _MARKS:
        raise NotFound("This button is from a version of Easel that knew other places; use /regions again.")
    await interaction.response.defer()
    try:
        bench = await desk.db.benches.toggle(ticket.id, REGIONS, ticket.argument)
    except Missing:
        bench = await bench_of(desk, ticket.id)  # says that it was put away
    await replace(interaction, await card_of(bench))


async def ask_words(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form: what goes into the marked cells."""
    del values
    bench = await bench_of(desk, ticket.id)
    if not bench.said.get(REGIONS):
        raise RequestRefused("Mark a cell first: press the buttons that lie where the words belong.")
    await interaction.response.send_modal(open_form(Ticket(Action.PLACE_FORM, bench.id), {WORDS: ""}))


async def ask_text(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form with all of it as text."""
    del values
    bench = await bench_of(desk, ticket.id)
    text = bench.said.get(PLACES, "").replace(" | ", "\n")[:TEXT_LIMIT]
    await interaction.response.send_modal(open_form(Ticket(Action.PLACES_FORM, bench.id), {PLACES: text}))


async def say(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Either form was sent: the card shows what it says now."""
    del values
    filled = filled_in(interaction)
    await interaction.response.defer()
    bench = await bench_of(desk, ticket.id)
    if ticket.action is Action.PLACE_FORM:
        marked = (CELLS[int(mark)] for mark in bench.said.get(REGIONS, "").split(",") if mark in _MARKS)
        text = put(bench.said.get(PLACES, ""), marked, filled.texts.get(WORDS, ""))
    else:
        text = filled.texts.get(PLACES, "").strip()
    bench = await desk.db.benches.say(bench.id, {PLACES: text, REGIONS: ""})
    await replace(interaction, await card_of(bench))


async def paint(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """As /imagine, with words in places."""
    del values
    bench = await bench_of(desk, ticket.id)
    draft = msgspec.structs.replace(draft_on(bench), prompt=bench.said.get(PLACES, ""), places=True)
    await imagine(desk, interaction, draft, private=draft.private)


def _refusal(bench: Bench) -> str:
    """Why the words on `bench` cannot be laid out; empty where they can."""
    try:
        laid_out(bench.said.get(PLACES, ""))
    except EaselError as error:
        return error.sentence
    return ""


def _cells(bench: int, marked: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple(
        Row(
            tuple(
                Button(
                    custom_id=Ticket(Action.PLACE, bench, str(cell)).custom_id,
                    label=NAMES[cell],
                    style="primary" if CELLS[cell] in marked else "secondary",
                )
                for cell in range(first, first + ACROSS)
            )
        )
        for first in range(0, len(CELLS), ACROSS)
    )


def _named(place: Placed) -> str:
    """The place in words: cells by the names of their buttons."""
    told = [NAMES[CELLS.index(name)].lower() if name in CELLS else name.replace(" ", "-", 1) if name[1:2].isdigit() else name
            for name in place.names]  # fmt: skip
    return " and ".join(told)


def _button(action: Action, bench: int, *, label: str, emoji: str, disabled: bool = False) -> Button:
    return Button(custom_id=Ticket(action, bench).custom_id, label=label, emoji=emoji, disabled=disabled)


_MARKS: Final = frozenset(str(cell) for cell in range(len(CELLS)))
HANDLERS: Mapping[Action, Handler] = {
    Action.PLACE: toggle,
    Action.PLACE_WORDS: ask_words,
    Action.PLACE_FORM: say,
    Action.PLACES_TEXT: ask_text,
    Action.PLACES_FORM: say,
    Action.PLACES_PAINT: paint,
}
