"""Where a gallery begins, and the figures of the month. Facts in, `Reply` out; pure.

Owns their words, and where a gallery sends somebody who has nothing yet. Refuses to know where the facts come from.
"""

from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.gallery.spots import Shelf, Spot
from bot.discord_ui.gallery.ways import home, sets, turn
from bot.discord_ui.markup import counted
from bot.discord_ui.reply import Button, Reply, Row, Text

USAGE: Final = "usage"
"""The argument of Home's ticket that asks for the figures instead."""
NOTHING_YET: Final = "Nothing is painted yet. Type `/imagine` and say what you would like to see; it will stand here."
NOT_KEPT: Final = "No history is kept of what you paint, as you chose; `/gallery history` changes that."


class HomeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Whose home, how much is there, and a sentence of ours where something needs saying. `kept`: whether history is."""

    person: int
    pictures: int
    starred: int
    note: str = ""
    kept: bool = True


class UsageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody used since `since` (seconds since 1970); `seconds` are of painting, `starred` counts all stars."""

    person: int
    pictures: int
    starred: int
    seconds: float
    since: float


def home_card(facts: HomeFacts) -> Reply:
    """Where a gallery begins. Nothing is switched off: a home in a conversation stays while pictures come and go."""
    words = (
        f"{counted(facts.pictures, 'picture')} · {facts.starred} ⭐" if facts.pictures or facts.starred else NOTHING_YET
    )
    lines = (*((facts.note,) if facts.note else ()), *(() if facts.kept else (NOT_KEPT,)))
    find = Ticket(Action.FIND, facts.person, Spot(Shelf.RECENT).argument)
    row = Row(
        (
            turn(facts.person, Spot(Shelf.RECENT), label="Recent", emoji="🖼️"),
            turn(facts.person, Spot(Shelf.STARRED), label="Starred", emoji="⭐"),
            sets(facts.person, label="Collections"),
            Button(custom_id=find.custom_id, label="Find", emoji="🔎"),
            Button(custom_id=Ticket(Action.HOME, facts.person, USAGE).custom_id, label="Usage", emoji="📊"),
        )
    )
    notes = tuple(Text(f"-# {line}") for line in lines)
    return Reply(parts=(Text(f"### Your gallery\n{words}"), *notes, row), accent=ACCENT)


def usage_card(facts: UsageFacts) -> Reply:
    """What somebody used this month."""
    lines = (
        f"### Your usage since <t:{int(facts.since)}:D>",
        f"{counted(facts.pictures, 'picture')} made",
        f"{facts.seconds:,.0f} s of painting",
        f"{counted(facts.starred, 'star')} in all",
    )
    return Reply(parts=(Text("\n".join(lines)), Row((home(facts.person),))), accent=ACCENT)


def moved_card(link: str) -> Reply:
    """The answer in a server to somebody whose gallery was sent to their direct messages."""
    return Reply(parts=(Text(f"Your gallery is [in our conversation]({link}), where only you see it."),), accent=ACCENT)
