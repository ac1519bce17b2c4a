"""The gallery's cards: home, usage, a page of nine, and one picture opened. Facts in, `Reply` out; pure.

Owns their words, and that every one of them leads on. Refuses to know where the facts come from.
"""

from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, PROMPT_SHOWN, ShownPicture, alt_text, single_rows
from bot.discord_ui.gallery.spots import Shelf, Spot, page_count
from bot.discord_ui.markup import ago, code, plain, shorten
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Part, Picture, Reply, Row, Text

USAGE: Final = "usage"
"""The argument of Home's ticket that asks for the figures instead."""
LABEL: Final = 100
"""Characters on a line of a menu, and in its second line."""
ALT_PROMPT: Final = 90
"""Characters of each prompt in the alt text of nine."""
WITHOUT_WORDS: Final = "Without words"
NOTHING_YET: Final = "Nothing is painted yet. Type `/imagine` and say what you would like to see; it will stand here."
_EMPTY: Final[dict[Shelf, str]] = {
    Shelf.RECENT: NOTHING_YET,
    Shelf.STARRED: "No stars yet. Press ⭐ under a picture that you would like to keep, and it will stand here.",
}


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


class OpenedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One picture, opened from `spot` by `person`, who asked for it where it is their `own`. Size in pixels; `created` in
    seconds since 1970; `link` leads to the card where it was first shown."""

    person: int
    spot: Spot
    picture: ShownPicture
    own: bool
    prompt: str
    model: str
    width: int
    height: int
    created: float
    link: str = ""


def home_card(facts: HomeFacts) -> Reply:
    """Where a gallery begins. Nothing is switched off: a home in a conversation stays while pictures come and go."""
    words = (
        f"{counted(facts.pictures, 'picture')} · {facts.starred} ⭐" if facts.pictures or facts.starred else NOTHING_YET
    )
    note = (Text(f"-# {facts.note}"),) if facts.note else ()
    row = Row(
        (
            _turn(facts.person, Spot(Shelf.RECENT), label="Recent", emoji="🖼️"),
            _turn(facts.person, Spot(Shelf.STARRED), label="Starred", emoji="⭐"),
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
    return Reply(parts=(Text("\n".join(lines)), Row((_home(facts.person),))), accent=ACCENT)


def page_card(facts: PageFacts) -> Reply:
    """Nine pictures with their numbers, a menu that opens one, and the way to the pages beside it."""
    spot, pages = facts.spot, page_count(facts.total)
    parts: list[Part] = [Text(_page_header(facts))]
    if facts.thumbs:
        name = f"{spot.argument}.webp"
        parts += [Gallery((Picture(name, _sheet_alt(facts)),)), Row((_menu(facts),))]
        files = (Attachment(name, facts.sheet, _sheet_alt(facts)),)
    else:
        files = ()
    back = _turn(facts.person, Spot(spot.shelf, spot.page - 1), emoji="◀️", disabled=spot.page <= 1)
    on = _turn(facts.person, Spot(spot.shelf, spot.page + 1), emoji="▶️", disabled=spot.page >= pages)
    turning = (back, on) if pages > 1 else ()
    return Reply(parts=(*parts, Row((*turning, _home(facts.person)))), files=files, accent=ACCENT)


def opened_card(facts: OpenedFacts) -> Reply:
    """One picture with the buttons that it has everywhere, and the way back to its page."""
    name, alt = facts.picture.name, alt_text(facts.prompt, index=0, count=1)
    link = f" · [first shown here]({facts.link})" if facts.link else ""
    words = (
        f"**{plain(facts.prompt, limit=PROMPT_SHOWN) or WITHOUT_WORDS}**\n"
        f"-# {code(facts.model, limit=60)} · seed {code(str(facts.picture.seed))} · {facts.width} × {facts.height} · "
        f"{ago(facts.created)}{link}"
    )
    back = _turn(facts.person, facts.spot, label="Back", emoji="↩️")
    return Reply(
        parts=(
            Text(words),
            Gallery((Picture(name, alt),)),
            *_rows(facts),
            Row((back, _home(facts.person))),
        ),
        files=(Attachment(name, facts.picture.data, alt),),
        accent=ACCENT,
    )


def moved_card(link: str) -> Reply:
    """The answer in a server to somebody whose gallery was sent to their direct messages."""
    return Reply(parts=(Text(f"Your gallery is [in our conversation]({link}), where only you see it."),), accent=ACCENT)


def removed_note(link: str) -> str:
    """What to say on the page that follows a deletion; `link` is the message that still shows the picture, if any."""
    stays = f" [Its message]({link}) stays until somebody deletes it." if link else ""
    return f"The picture is deleted.{stays}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 star`, `1,200 stars`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _page_header(facts: PageFacts) -> str:
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


def _rows(facts: OpenedFacts) -> tuple[Row, ...]:
    """The usual buttons; 🗑️ on one's own takes the picture away and leaves the gallery where it is."""
    image = facts.picture.image
    usual = Ticket(Action.DELETE, image).custom_id
    removing = Ticket(Action.REMOVE, image, facts.spot.argument).custom_id

    def own(item: Button | Menu) -> Button | Menu:
        return msgspec.structs.replace(item, custom_id=removing) if item.custom_id == usual else item

    return tuple(Row(tuple(own(item) for item in row.items)) for row in single_rows(image))


def _sheet_alt(facts: PageFacts) -> str:
    shown = "; ".join(f"{thumb.number}: {shorten(_words(thumb), limit=ALT_PROMPT)}" for thumb in facts.thumbs)
    return f"{counted(len(facts.thumbs), 'picture')} by number. {shown}"


def _words(thumb: Thumb) -> str:
    """A prompt on one line, as it was typed: menus and alt texts know no markdown."""
    return " ".join(thumb.prompt.split()) or WITHOUT_WORDS


def _turn(person: int, spot: Spot, *, label: str = "", emoji: str = "", disabled: bool = False) -> Button:
    ticket = Ticket(Action.PAGE, person, spot.argument)
    return Button(custom_id=ticket.custom_id, label=label, emoji=emoji, disabled=disabled)


def _home(person: int) -> Button:
    return Button(custom_id=Ticket(Action.HOME, person).custom_id, label="Home", emoji="🏠")
