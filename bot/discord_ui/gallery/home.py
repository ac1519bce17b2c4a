"""Where a gallery begins, and the figures of the month. Facts in, `Reply` out; pure.

Owns their words, and where a gallery sends somebody who has nothing yet. Refuses to know where the facts come from.
"""

from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.gallery.spots import Shelf, Spot
from bot.discord_ui.gallery.ways import home, turn
from bot.discord_ui.markup import counted
from bot.discord_ui.reply import Button, Reply, Row, Text

USAGE: Final = "usage"
"""The argument of Home's ticket that asks for the figures instead."""
NOTHING_YET: Final = "Nothing is painted yet. Type `/imagine` and say what you would like to see; it will stand here."


class HomeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Whose home, how much is there, and a sentence of ours where something needs saying."""

    person: int
    pictures: int
    starred: int
    note: str = ""


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
    note = (Text(f"-# {facts.note}"),) if facts.note else ()
    row = Row(
        (
            turn(facts.person, Spot(Shelf.RECENT), label="Recent", emoji="🖼️"),
            turn(facts.person, Spot(Shelf.STARRED), label="Starred", emoji="⭐"),
            Button(custom_id=Ticket(Action.HOME, facts.person, USAGE).custom_id, label="Usage", emoji="📊"),
        )
    )
    return Reply(parts=(Text(f"### Your gallery\n{words}"), *note, row), accent=ACCENT)


def usage_card(facts: UsageFacts) -> Reply:
    """What somebody used this month."""
    lines = (
        f"### Your usage since <t:{int(facts.since)}:D>",
        f"{counted(facts.pictures, 'picture')} made and kept",
        f"{facts.seconds:,.0f} s of painting",
        f"{counted(facts.starred, 'star')} in all",
    )
    return Reply(parts=(Text("\n".join(lines)), Row((home(facts.person),))), accent=ACCENT)


def moved_card(link: str) -> Reply:
    """The answer in a server to somebody whose gallery was sent to their direct messages."""
    return Reply(parts=(Text(f"Your gallery is [in our conversation]({link}), where only you see it."),), accent=ACCENT)
