"""Posting a picture somewhere else: the question where, and what is posted. Facts in, `Reply` out; pure."""

from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, PROMPT_SHOWN, ShownPicture, alt_text, single_rows
from bot.discord_ui.gallery.spots import Spot
from bot.discord_ui.gallery.ways import show
from bot.discord_ui.markup import code, mention, plain, shorten
from bot.discord_ui.reply import Attachment, Button, ChannelMenu, Choice, Gallery, Menu, Part, Picture, Reply, Row, Text

LIST: Final = 25
"""Channels that one menu offers."""
NOWHERE: Final = (
    "There is no channel that I can offer here: I look in the servers where you have painted, for channels where both of us may "
    "write and attach files. In a server, open your gallery with `/gallery open` there."
)


class Place(msgspec.Struct, frozen=True):
    """A channel in which both the person and Easel may post pictures."""

    channel: int
    name: str
    server: str


class WhereFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The picture that was opened from `spot`. In a server Discord lists its channels by itself; elsewhere `places` do."""

    image: int
    spot: Spot
    in_server: bool
    places: tuple[Place, ...] = ()
    page: int = 1


class SharedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of `person`'s that is posted; `stars` of others earned it a place in a showcase, 0 where they posted it."""

    person: int
    picture: ShownPicture
    prompt: str
    model: str
    stars: int = 0
    link: str = ""


def where_card(facts: WhereFacts) -> Reply:
    """Where shall it go?"""
    back = show(facts.image, facts.spot, label="Back")
    ticket = Ticket(Action.POST_TO, facts.image, facts.spot.argument)
    if facts.in_server:
        menu = ChannelMenu(custom_id=ticket.custom_id, placeholder="Choose a channel")
        return Reply(parts=(Text("Where shall this picture be posted?"), Row((menu,)), Row((back,))), accent=ACCENT)
    if not facts.places:
        return Reply(parts=(Text(NOWHERE), Row((back,))), accent=ACCENT)
    pages = -(-len(facts.places) // LIST)
    page = max(1, min(facts.page, pages))
    shown = facts.places[(page - 1) * LIST : page * LIST]
    choices = tuple(
        Choice(shorten(f"#{each.name}", limit=100), str(each.channel), shorten(each.server, limit=100))
        for each in shown
    )
    place = f" (page {page} of {pages})" if pages > 1 else ""
    parts: list[Part] = [
        Text(f"Where shall this picture be posted?{place}"),
        Row((Menu(custom_id=ticket.custom_id, choices=choices, placeholder="Choose a channel"),)),
    ]
    turning = (
        (
            _turn(facts, page - 1, emoji="◀️", disabled=page <= 1),
            _turn(facts, page + 1, emoji="▶️", disabled=page >= pages),
        )
        if pages > 1
        else ()
    )
    return Reply(parts=(*parts, Row((*turning, back))), accent=ACCENT)


def shared_card(facts: SharedFacts) -> Reply:
    """The picture with the buttons that it has everywhere; nobody is notified."""
    name, alt = facts.picture.name, alt_text(facts.prompt, index=0, count=1)
    by = f"⭐ **{facts.stars}** · by {mention(facts.person)}" if facts.stars else f"shared by {mention(facts.person)}"
    link = f" · [first shown here]({facts.link})" if facts.link else ""
    words = (
        f"**{plain(facts.prompt, limit=PROMPT_SHOWN) or 'Without words'}** {by}\n"
        f"-# {code(facts.model, limit=60)} · seed {code(str(facts.picture.seed))}{link}"
    )
    return Reply(
        parts=(Text(words), Gallery((Picture(name, alt),)), *single_rows(facts.picture.image)),
        files=(Attachment(name, facts.picture.data, alt),),
        accent=ACCENT,
    )


def _turn(facts: WhereFacts, page: int, *, emoji: str, disabled: bool) -> Button:
    ticket = Ticket(Action.POST, facts.image, f"{facts.spot.argument},{page}")
    return Button(custom_id=ticket.custom_id, emoji=emoji, disabled=disabled)
