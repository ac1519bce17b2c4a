"""Collections as cards: the list of them, the question before one is deleted, and which of them a picture lies in. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, FAILURE_ACCENT
from bot.discord_ui.gallery.spots import Shelf, Spot
from bot.discord_ui.gallery.ways import home, sets, show, turn
from bot.discord_ui.markup import counted, plain, shorten
from bot.discord_ui.reply import Button, Choice, Menu, Part, Reply, Row, Text
from storage.gallery_values import Collection

LIST: Final = 25
"""Collections on one card: what one menu offers."""
MOST: Final = 200
"""Collections that one person may have."""
EMPTY: Final = "No collections yet. Press **New** and give one a name, or open a picture and press 📁."


class SetsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All collections of `person`, and the page of the list. `note` is a sentence of ours (markdown)."""

    person: int
    collections: tuple[Collection, ...]
    page: int = 1
    note: str = ""


def sets_card(facts: SetsFacts) -> Reply:
    """The list, with a menu to open one."""
    page, shown, pages = _part(facts.collections, facts.page)
    note = f"-# {facts.note}\n" if facts.note else ""
    place = f" · page {page} of {pages}" if pages > 1 else ""
    lines = [f"- **{plain(each.name)}** · {counted(each.size, 'picture')}" for each in shown]
    parts: list[Part] = [Text("\n".join([f"{note}### 📁 Collections{place}", *(lines or [EMPTY])]))]
    if shown:
        choices = tuple(
            Choice(shorten(each.name, limit=100), str(each.id), counted(each.size, "picture")) for each in shown
        )
        ticket = Ticket(Action.SET_OPEN, facts.person)
        parts.append(Row((Menu(custom_id=ticket.custom_id, choices=choices, placeholder="Open a collection"),)))
    back = sets(facts.person, page=page - 1, emoji="◀️", disabled=page <= 1)
    on = sets(facts.person, page=page + 1, emoji="▶️", disabled=page >= pages)
    new = Button(custom_id=Ticket(Action.SET_NAME, 0).custom_id, label="New", emoji="➕")
    turning = (back, on) if pages > 1 else ()
    return Reply(parts=(*parts, Row((*turning, new, home(facts.person)))), accent=ACCENT)


def drop_card(collection: Collection) -> Reply:
    """What goes with a collection, and the button that deletes it."""
    words = (
        f"Delete the collection **{plain(collection.name)}**? Its {counted(collection.size, 'picture')} "
        "stay where they are in your gallery."
    )
    drop = Button(custom_id=Ticket(Action.SET_DROP, collection.id).custom_id, label="Delete", emoji="🗑️", style="danger")
    keep = turn(collection.person, Spot(Shelf.SET, number=collection.id), label="Keep it", emoji="↩️")
    return Reply(parts=(Text(words), Row((drop, keep))), accent=FAILURE_ACCENT)


class KeepFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One picture that was opened from `spot`, and all collections of its looker, each saying whether it holds it."""

    image: int
    spot: Spot
    collections: tuple[Collection, ...]
    page: int = 1
    note: str = ""


def keep_card(facts: KeepFacts) -> Reply:
    """In which collections the picture lies; choosing one puts it in or takes it out."""
    page, shown, pages = _part(facts.collections, facts.page)
    note = f"-# {facts.note}\n" if facts.note else ""
    inside = [each.name for each in facts.collections if each.holds]
    names = ", ".join(f"**{plain(name)}**" for name in inside[:LIST]) or "none"
    more = f" and {len(inside) - LIST} more" if len(inside) > LIST else ""
    parts: list[Part] = [Text(f"{note}Picture {facts.image} lies in: {names}{more}")]
    if shown:
        choices = tuple(
            Choice(
                shorten(each.name, limit=100),
                str(each.id),
                "Take it out" if each.holds else "Put it in",
                "✅" if each.holds else "▫️",
            )
            for each in shown
        )
        ticket = Ticket(Action.KEEP_SET, facts.image, _argument(facts.spot, page))
        words = f"Put it in or take it out · page {page} of {pages}" if pages > 1 else "Put it in or take it out"
        parts.append(Row((Menu(custom_id=ticket.custom_id, choices=choices, placeholder=words),)))
    new = Ticket(Action.KEEP_NEW, facts.image, facts.spot.argument)
    turning = (
        (
            _keep(facts, page - 1, emoji="◀️", disabled=page <= 1),
            _keep(facts, page + 1, emoji="▶️", disabled=page >= pages),
        )
        if pages > 1
        else ()
    )
    buttons = (
        *turning,
        Button(custom_id=new.custom_id, label="New", emoji="➕"),
        show(facts.image, facts.spot, label="Back"),
    )
    return Reply(parts=(*parts, Row(buttons)), accent=ACCENT)


def _keep(facts: KeepFacts, page: int, *, emoji: str, disabled: bool) -> Button:
    ticket = Ticket(Action.KEEP_IN, facts.image, _argument(facts.spot, page))
    return Button(custom_id=ticket.custom_id, emoji=emoji, disabled=disabled)


def _argument(spot: Spot, page: int) -> str:
    """A spot and the page of a list beside it, as one argument."""
    return f"{spot.argument},{page}"


def _part(collections: Sequence[Collection], wanted: int) -> tuple[int, Sequence[Collection], int]:
    """The page that there is, what stands on it, and how many pages there are."""
    pages = max(1, -(-len(collections) // LIST))
    page = max(1, min(wanted, pages))
    return page, collections[(page - 1) * LIST : page * LIST], pages
