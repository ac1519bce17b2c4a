"""From what somebody typed or chose to a query, and from a query back to words. Owns their checks and phrases."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bot.discord_ui.desk import Desk
from bot.discord_ui.gallery.dates import dates_shown, read_dates
from bot.discord_ui.gallery.forms import NOUNS
from bot.discord_ui.gallery.spots import Shelf, Spot
from bot.discord_ui.markup import code, plain
from bot.errors import NotFound, RequestRefused
from bot.requests.drafts import shown
from bot.requests.naming import unknown
from storage.errors import Missing
from storage.gallery_values import LABELS, LabelKind, Query
from storage.words import words_in

WORDS: Final = 32
"""Words that one search takes."""
FORGOTTEN: Final = "That search is forgotten; `/gallery search` begins a new one."
NO_FAMILY: Final = "A family is small enough to look through; search in `/gallery open`."


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed or chosen, each as text and empty where nothing was said."""

    words: str = ""
    model: str = ""
    lora: str = ""
    style: str = ""
    when: str = ""


async def query_of(desk: Desk, person: int, spot: Spot) -> Query:
    """What stands on a shelf. Raises NotFound for a search that is forgotten, or another's."""
    match spot.shelf:
        case Shelf.RECENT:
            return Query()
        case Shelf.STARRED:
            return Query(starred=True)
        case Shelf.SET:
            return Query(collection=spot.number)
        case Shelf.FOUND:
            found = await desk.db.gallery.remembered(person, spot.number)
            if found is None:
                raise NotFound(FORGOTTEN)
            return found
        case Shelf.KIN:
            raise NotFound(NO_FAMILY)


async def spot_of(desk: Desk, person: int, query: Query) -> Spot:
    """The first page of what `query` finds; a search is remembered for its buttons."""
    plain_shelf = Query(starred=query.starred, collection=query.collection)
    if query != plain_shelf:
        return Spot(Shelf.FOUND, number=await desk.db.gallery.remember(person, query, now=desk.now()))
    if query.collection:
        return Spot(Shelf.SET, number=query.collection)
    return Spot(Shelf.STARRED if query.starred else Shelf.RECENT)


async def checked(desk: Desk, person: int, shelf: Query, typed: Typed) -> Query:
    """`typed` on the shelf and in the order of the query `shelf`. Raises RequestRefused and Unknown with what would be right."""
    since, until = read_dates(typed.when, now=desk.now())
    return Query(
        starred=shelf.starred,
        collection=shelf.collection,
        order=shelf.order,
        words=check_words(typed.words),
        since=since,
        until=until,
        **{kind: await _named(desk, person, shelf, kind=kind, text=getattr(typed, kind)) for kind in LABELS},
    )


def check_words(text: str) -> str:
    """The words of `text` that are looked for, as they are kept: none twice. Raises RequestRefused."""
    words = words_in(text)
    if text.strip() and not words:
        raise RequestRefused(f"“{shown(text)}” has no letters or digits to look for.")
    if len(words) > WORDS:
        raise RequestRefused(f"A search takes up to {WORDS} words; these are {len(words):,}.")
    return " ".join(words)


async def title_of(desk: Desk, person: int, query: Query) -> str:
    """The name of the shelf, as markdown. Raises NotFound for a collection that is gone."""
    if query.collection:
        try:
            return f"📁 {plain((await desk.db.collections.get(person, query.collection)).name)}"
        except Missing as error:
            raise NotFound(str(error)) from error
    return Shelf.STARRED.heading if query.starred else Shelf.RECENT.heading


def about(query: Query) -> str:
    """What is looked for, as markdown; empty for a whole shelf."""
    words = query.words.split()
    parts = [f"with {code(' '.join(words), limit=200)}"] if words else []
    named: Sequence[tuple[LabelKind, str]] = [(kind, getattr(query, kind)) for kind in LABELS]
    parts += [f"{NOUNS[kind]} {code(name, limit=60)}" for kind, name in named if name]
    when = dates_shown(query.since, query.until)
    return " · ".join([*parts, *([when] if when else [])])


async def _named(desk: Desk, person: int, shelf: Query, *, kind: LabelKind, text: str) -> str:
    """The model, LoRA or style of that name, or the only one that has it in it. Raises Unknown."""
    wanted = " ".join(text.split()).casefold()
    if not wanted:
        return ""
    names = await desk.db.gallery.names(person, kind, shelf)
    for alike in (
        [name for name in names if name.casefold() == wanted],
        [name for name in names if name.casefold().startswith(wanted)],
        [name for name in names if wanted in name.casefold()],
    ):
        if len(alike) == 1:
            return alike[0]
        if alike:
            break
    raise unknown(NOUNS[kind], text, names)
