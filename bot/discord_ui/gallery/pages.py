"""A page of the gallery: nine pictures with numbers, a menu to open one, and the pages beside it. Facts in, `Reply` out; pure.

Owns its words, also where a shelf is empty. Refuses to know where the facts come from.
"""

from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.gallery.home import NOTHING_YET
from bot.discord_ui.gallery.spots import Shelf, Spot, page_count
from bot.discord_ui.gallery.ways import home, turn
from bot.discord_ui.markup import counted, shorten
from bot.discord_ui.reply import Attachment, Choice, Gallery, Menu, Part, Picture, Reply, Row, Text

LABEL: Final = 100
"""Characters on a line of a menu."""
ALT_PROMPT: Final = 90
"""Characters of each prompt in the alt text of nine."""
_EMPTY: Final[dict[Shelf, str]] = {
    Shelf.RECENT: NOTHING_YET,
    Shelf.STARRED: "No stars yet. Press ⭐ under a picture that you would like to keep, and it will stand here.",
}


class Thumb(msgspec.Struct, frozen=True, kw_only=True):
    """A picture on a page: its row's id, its number on the shelf (from 1), and what tells it from others. Size in pixels."""

    image: int
    number: int
    prompt: str
    seed: int
    width: int
    height: int


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A page. `total` counts the whole shelf; `sheet` shows `thumbs` as WebP; `lost` of its pictures cannot be shown
    any more, `note` is a sentence of ours (markdown)."""

    person: int
    spot: Spot
    total: int
    thumbs: tuple[Thumb, ...]
    sheet: bytes = b""
    lost: int = 0
    note: str = ""


def page_card(facts: PageFacts) -> Reply:
    """Nine pictures with their numbers, a menu that opens one, and the way to the pages beside it."""
    spot, pages = facts.spot, page_count(facts.total)
    parts: list[Part] = [Text(_header(facts))]
    if facts.thumbs:
        name = f"{spot.argument}.webp"
        parts += [Gallery((Picture(name, _sheet_alt(facts)),)), Row((_menu(facts),))]
        files = (Attachment(name, facts.sheet, _sheet_alt(facts)),)
    else:
        files = ()
    back = turn(facts.person, Spot(spot.shelf, spot.page - 1), emoji="◀️", disabled=spot.page <= 1)
    on = turn(facts.person, Spot(spot.shelf, spot.page + 1), emoji="▶️", disabled=spot.page >= pages)
    turning = (back, on) if pages > 1 else ()
    return Reply(parts=(*parts, Row((*turning, home(facts.person)))), files=files, accent=ACCENT)


def _header(facts: PageFacts) -> str:
    note = f"-# {facts.note}\n" if facts.note else ""
    title = f"{note}### {facts.spot.shelf.heading}"
    if not facts.total:
        return f"{title}\n{_EMPTY[facts.spot.shelf]}"
    pages = page_count(facts.total)
    place = f" · page {facts.spot.page} of {pages}" if pages > 1 else ""
    lost = f" · {counted(facts.lost, 'picture')} of this page cannot be shown any more" if facts.lost else ""
    return f"{title}{place}\n-# {counted(facts.total, 'picture')}, newest first{lost}"


def _menu(facts: PageFacts) -> Menu:
    choices = tuple(
        Choice(
            label=shorten(f"{thumb.number}. {_words(thumb)}", limit=LABEL),
            value=str(thumb.image),
            description=f"seed {thumb.seed} · {thumb.width} × {thumb.height}",
        )
        for thumb in facts.thumbs
    )
    ticket = Ticket(Action.OPEN, facts.person, facts.spot.argument)
    return Menu(custom_id=ticket.custom_id, choices=choices, placeholder="Open a picture by its number")


def _sheet_alt(facts: PageFacts) -> str:
    shown = "; ".join(f"{thumb.number}: {shorten(_words(thumb), limit=ALT_PROMPT)}" for thumb in facts.thumbs)
    return f"{counted(len(facts.thumbs), 'picture')} by number. {shown}"


def _words(thumb: Thumb) -> str:
    """A prompt on one line, as it was typed: menus and alt texts know no markdown."""
    return " ".join(thumb.prompt.split()) or "Without words"
