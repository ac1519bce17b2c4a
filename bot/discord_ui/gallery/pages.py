"""A page of the gallery: nine pictures with numbers, a menu to open one, and the pages beside it. Facts in, `Reply` out; pure.

Owns its words, also where a shelf is empty. Refuses to know where the facts come from.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.gallery.home import NOTHING_YET
from bot.discord_ui.gallery.spots import Shelf, Spot, page_count
from bot.discord_ui.gallery.ways import home, turn
from bot.discord_ui.markup import counted, shorten
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Part, Picture, Reply, Row, Text
from storage.gallery_values import Order

LABEL: Final = 100
"""Characters on a line of a menu."""
ALT_PROMPT: Final = 90
"""Characters of each prompt in the alt text of nine."""
_EMPTY: Final[Mapping[Shelf, str]] = {
    Shelf.RECENT: NOTHING_YET,
    Shelf.STARRED: "No stars yet. Press ⭐ under a picture that you would like to keep, and it will stand here.",
    Shelf.FOUND: "Nothing of yours is like that. Press 🔎 and ask for less, or for other words.",
    Shelf.SET: "Nothing lies in it yet. Open a picture of yours and press 📁 to put it here.",
    Shelf.KIN: "It came from no other picture, and none was made from it yet. The buttons under a picture make some.",
}
ORDERS: Final[Mapping[Order, str]] = {
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
    Order.STARS: "most starred first",
}


class Thumb(msgspec.Struct, frozen=True, kw_only=True):
    """A picture on a page: its row's id, its number on the shelf (from 1), and what tells it from others. Size in pixels.

    `origin`: of the pictures of a family, the one that the others were made from.
    """

    image: int
    number: int
    prompt: str
    seed: int
    width: int
    height: int
    origin: bool = False


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A page. `total` counts the whole shelf; `sheet` shows `thumbs` as WebP; `lost` of its pictures cannot be shown
    any more, `hidden` of them are not for this person to see. `title` and `about` (what was looked for) are markdown, as is
    `note`, a sentence of ours."""

    person: int
    spot: Spot
    total: int
    thumbs: tuple[Thumb, ...]
    sheet: bytes = b""
    lost: int = 0
    hidden: int = 0
    note: str = ""
    title: str = ""
    about: str = ""
    order: Order = Order.NEWEST


def page_card(facts: PageFacts) -> Reply:
    """Nine pictures with their numbers, a menu that opens one, the pages beside it, and what can be done with the shelf."""
    parts: list[Part] = [Text(_header(facts))]
    files: tuple[Attachment, ...] = ()
    if facts.thumbs:
        name = f"{facts.spot.argument}.webp"
        parts += [Gallery((Picture(name, _sheet_alt(facts)),)), Row((_menu(facts),))]
        files = (Attachment(name, facts.sheet, _sheet_alt(facts)),)
    return Reply(parts=(*parts, *_rows(facts)), files=files, accent=ACCENT)


def _rows(facts: PageFacts) -> tuple[Row, ...]:
    spot, pages = facts.spot, page_count(facts.total)
    back = turn(facts.person, spot.at(spot.page - 1), emoji="◀️", disabled=spot.page <= 1)
    on = turn(facts.person, spot.at(spot.page + 1), emoji="▶️", disabled=spot.page >= pages)
    turning = (back, on) if pages > 1 else ()
    if spot.shelf is Shelf.KIN:
        return (Row((*turning, home(facts.person))),)
    find = _button(Action.FIND, facts, label="Find", emoji="🔎")
    export = (_button(Action.EXPORT, facts, label="Zip", emoji="📦"),) if facts.total else ()
    rows = [Row((*turning, home(facts.person), find, *export))]
    if spot.shelf is Shelf.SET:
        rename = Button(custom_id=Ticket(Action.SET_NAME, spot.number).custom_id, label="Rename", emoji="✏️")
        drop = Ticket(Action.SET_DELETE, spot.number)
        delete = Button(custom_id=drop.custom_id, label="Delete collection", emoji="🗑️", style="danger")
        rows.append(Row((rename, delete)))
    return (*rows, Row((_orders(facts),))) if facts.total > 1 else tuple(rows)


def _button(action: Action, facts: PageFacts, *, label: str, emoji: str) -> Button:
    ticket = Ticket(action, facts.person, facts.spot.argument)
    return Button(custom_id=ticket.custom_id, label=label, emoji=emoji)


def _orders(facts: PageFacts) -> Menu:
    choices = tuple(Choice(words.capitalize(), order.value) for order, words in ORDERS.items())
    ticket = Ticket(Action.SORT, facts.person, facts.spot.argument)
    return Menu(custom_id=ticket.custom_id, choices=choices, placeholder=f"Sorted {ORDERS[facts.order]}")


def _header(facts: PageFacts) -> str:
    note = f"-# {facts.note}\n" if facts.note else ""
    title = f"{note}### {facts.title or facts.spot.shelf.heading}"
    about = f"\n-# {facts.about}" if facts.about else ""
    if not facts.total:
        return f"{title}{about}\n{_EMPTY[facts.spot.shelf]}"
    pages = page_count(facts.total)
    place = f" · page {facts.spot.page} of {pages}" if pages > 1 else ""
    lost = f" · {counted(facts.lost, 'picture')} of this page cannot be shown any more" if facts.lost else ""
    hidden = f" · {counted(facts.hidden, 'picture')} of this page were shown where you are not" if facts.hidden else ""
    order = "" if facts.spot.shelf is Shelf.KIN else f", {ORDERS[facts.order]}"
    return f"{title}{place}{about}\n-# {counted(facts.total, 'picture')}{order}{lost}{hidden}"


def _menu(facts: PageFacts) -> Menu:
    choices = tuple(
        Choice(
            label=shorten(f"{thumb.number}. {_words(thumb)}", limit=LABEL),
            value=str(thumb.image),
            description=f"seed {thumb.seed} · {thumb.width} × {thumb.height}{' · came first' if thumb.origin else ''}",
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
