"""The gallery's cards: what they say, where they lead, and that Discord would take them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui import view
from bot.discord_ui.actions import Action, Ticket, read_ticket
from bot.discord_ui.cards import ShownPicture, single_rows
from bot.discord_ui.gallery import home, pages, parting
from bot.discord_ui.gallery import opened as openings
from bot.discord_ui.gallery.shelves import month_of
from bot.discord_ui.gallery.spots import Shelf, Spot, page_count, read_spot
from bot.discord_ui.reply import Button, Gallery, Menu, Reply, Row, Text
from bot.errors import NotFound

ADA = 2**62 + 7


def page(count: int = 9, *, number: int = 1, total: int = 21, prompt: str = "an apple") -> pages.PageFacts:
    """A page of `count` pictures; ids begin at 100."""
    first = (number - 1) * 9 + 1
    thumbs = tuple(
        pages.Thumb(image=100 + n, number=n, prompt=prompt, seed=2**32 - 1, width=128, height=96)
        for n in range(first, first + count)
    )
    return pages.PageFacts(
        person=ADA, spot=Spot(Shelf.RECENT, number), total=total, thumbs=thumbs, sheet=b"webp" if count else b""
    )


def opened(prompt: str = "an apple", *, link: str = "") -> openings.OpenedFacts:
    """A picture that was opened from the second page of stars."""
    return openings.OpenedFacts(
        person=ADA,
        spot=Spot(Shelf.STARRED, 2),
        picture=ShownPicture(image=117, name="easel-117.webp", data=b"webp", seed=7),
        prompt=prompt,
        model="painter",
        width=128,
        height=96,
        created=1800.5,
        link=link,
    )


def buttons(reply: Reply) -> dict[str, Button]:
    """The buttons of a card, by label or emoji."""
    rows = [part for part in reply.parts if isinstance(part, Row)]
    return {item.label or item.emoji: item for row in rows for item in row.items if isinstance(item, Button)}


def menu(reply: Reply) -> Menu:
    """The first menu of a card."""
    return next(i for part in reply.parts if isinstance(part, Row) for i in part.items if isinstance(i, Menu))


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


@given(st.sampled_from(Shelf), st.integers(0, 999_999_999), st.integers(0, 2**53))
def test_a_spot_comes_back_from_a_button(shelf: Shelf, page: int, number: int) -> None:
    """Any page of any shelf travels in a ticket, together with the largest id that Discord gives, and reads back equal."""
    spot = Spot(shelf, page, number)
    ticket = read_ticket(Ticket(Action.PAGE, 2**63, spot.argument).custom_id)
    assert ticket is not None
    assert read_spot(ticket.argument) == spot


@pytest.mark.parametrize(
    "argument",
    ["", "recent", "recent-", "recent--1", "other-1", "recent-1-2", "recent-1234567890", "set.-1", "found.A-1"],
)
def test_what_is_no_spot_is_a_sentence(argument: str) -> None:
    """A page that this version does not know names the command that makes a new one."""
    with pytest.raises(NotFound, match="/gallery open"):
        read_spot(argument)


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_there_is_no_way_off_the_shelf(number: int, total: int) -> None:
    """Whatever page is asked for, one that exists is shown, however many pictures have gone meanwhile."""
    spot = Spot(Shelf.RECENT, number).within(total)
    assert 1 <= spot.page <= page_count(total)
    assert spot.offset < max(total, 1)


def test_home_leads_everywhere() -> None:
    """Home says how much there is, and leads to both shelves and the figures; each button knows whose it is."""
    card = home.home_card(home.HomeFacts(person=ADA, pictures=1200, starred=1))
    assert "1,200 pictures · 1 ⭐" in words(card)
    tickets = {label: read_ticket(button.custom_id) for label, button in buttons(card).items()}
    assert tickets == {
        "Recent": Ticket(Action.PAGE, ADA, "recent-1"),
        "Starred": Ticket(Action.PAGE, ADA, "starred-1"),
        "Collections": Ticket(Action.SETS, ADA, "1"),
        "Find": Ticket(Action.FIND, ADA, "recent-1"),
        "Usage": Ticket(Action.HOME, ADA, "usage"),
    }


def test_an_empty_home_says_what_to_do() -> None:
    """Before the first picture the way to one is named, and no button is switched off that will be needed later."""
    card = home.home_card(home.HomeFacts(person=ADA, pictures=0, starred=0, note="For you alone."))
    assert "`/imagine`" in words(card)
    assert "-# For you alone." in words(card)
    assert not any(button.disabled for button in buttons(card).values())


async def test_usage_is_in_words() -> None:
    """The figures of the month are on one card, with a way home."""
    card = home.usage_card(home.UsageFacts(person=ADA, pictures=1, starred=3, seconds=1234.4, since=86400.0))
    assert words(card).splitlines() == [
        "### Your usage since <t:86400:D>",
        "1 picture made",
        "1,234 s of painting",
        "3 stars in all",
    ]
    assert read_ticket(buttons(card)["Home"].custom_id) == Ticket(Action.HOME, ADA)
    view.layout(card)


@pytest.mark.parametrize(("number", "back", "on"), [(1, False, True), (2, True, True), (3, True, False)])
async def test_pages_end_where_they_end(number: int, back: bool, on: bool) -> None:
    """◀ is switched off on the first page and ▶ on the last; between them they lead to the page beside."""
    card = pages.page_card(page(3 if number == 3 else 9, number=number))
    found = buttons(card)
    assert (found["◀️"].disabled, found["▶️"].disabled) == (not back, not on)
    assert read_ticket(found["◀️"].custom_id) == Ticket(Action.PAGE, ADA, f"recent-{number - 1}")
    assert read_ticket(found["▶️"].custom_id) == Ticket(Action.PAGE, ADA, f"recent-{number + 1}")
    assert f"page {number} of 3" in words(card)
    view.layout(card)


async def test_a_page_opens_each_of_its_pictures() -> None:
    """The menu names the numbers of the sheet with their prompts, sends the pictures' ids, and knows its page."""
    card = pages.page_card(page(3, number=3))
    assert [(c.label, c.value) for c in menu(card).choices] == [
        ("19. an apple", "119"),
        ("20. an apple", "120"),
        ("21. an apple", "121"),
    ]
    assert read_ticket(menu(card).custom_id) == Ticket(Action.OPEN, ADA, "recent-3")
    assert card.files[0].description == "3 pictures by number. 19: an apple; 20: an apple; 21: an apple"
    shown = next(part for part in card.parts if isinstance(part, Gallery)).pictures[0]
    assert (shown.file, shown.description) == (card.files[0].name, card.files[0].description)


def test_one_page_needs_no_turning() -> None:
    """Up to nine pictures have no ◀ ▶."""
    assert set(buttons(pages.page_card(page(4, total=4)))) == {"Home", "Find", "Zip"}


@pytest.mark.parametrize(("shelf", "says"), [(Shelf.RECENT, "`/imagine`"), (Shelf.STARRED, "Press ⭐")])
async def test_an_empty_shelf_says_what_to_do(shelf: Shelf, says: str) -> None:
    """An empty page is a card with a hint and a way home, and no empty menu or sheet."""
    card = pages.page_card(pages.PageFacts(person=ADA, spot=Spot(shelf), total=0, thumbs=()))
    assert says in words(card)
    assert set(buttons(card)) == {"Home", "Find"}
    assert not card.files
    view.layout(card)


async def test_lost_files_are_said() -> None:
    """A page whose files are gone from the disk says how many, even when none is left to show."""
    card = pages.page_card(pages.PageFacts(person=ADA, spot=Spot(Shelf.RECENT), total=2, thumbs=(), lost=2))
    assert "2 pictures of this page cannot be shown any more" in words(card)
    view.layout(card)


@given(prompt=st.text(max_size=3000))
def test_no_prompt_makes_a_page_too_much(prompt: str) -> None:
    """Nine pictures of any prompt stay within Discord's lengths, and every line of the menu has a label."""
    card = pages.page_card(page(prompt=prompt))
    assert all(0 < len(choice.label) <= 100 for choice in menu(card).choices)
    assert 0 < len(card.files[0].description) <= 1024
    assert len(words(openings.opened_card(opened(prompt)))) < 4000


async def test_an_opened_picture_has_its_usual_buttons() -> None:
    """An opened picture can do what it can anywhere else, leads back to its page and home, and to where it was posted."""
    card = openings.opened_card(opened(link="https://discord.com/channels/1/2/3"))
    usual = [item.label or item.emoji for row in single_rows(117) for item in row.items if isinstance(item, Button)]
    assert list(buttons(card)) == [
        *(label for label in usual if label != "Family"),
        *("Back", "Home", "Collections", "Post"),
    ]
    assert read_ticket(buttons(card)["Back"].custom_id) == Ticket(Action.PAGE, ADA, "starred-2")
    assert read_ticket(buttons(card)["Upscale"].custom_id) == Ticket(Action.UPSCALE, 117)
    assert "`painter` · seed `7` · 128 × 96 · <t:1800:R> · [first shown here](https://discord.com/channels/1/2/3)" in (
        words(card)
    )
    view.layout(card)


def test_deleting_from_the_gallery_stays_in_it() -> None:
    """🗑️ on an opened picture names the picture and the page to go back to, which says what became of it."""
    assert read_ticket(buttons(openings.opened_card(opened()))["🗑️"].custom_id) == Ticket(
        Action.REMOVE, 117, "starred-2"
    )
    left = page(3, total=3)
    card = pages.page_card(
        msgspec.structs.replace(left, note=openings.removed_note("https://discord.com/channels/1/2/3"))
    )
    assert words(card).startswith("-# The picture is deleted. [Its message](https://discord.com/channels/1/2/3) stays")
    assert openings.removed_note("") == "The picture is deleted."


async def test_forgetting_is_asked_once_more() -> None:
    """The question counts what would go, says what would stay, and its button is dangerous and the person's own."""
    facts = parting.Belongings(person=ADA, pictures=1, starred=2, styles=3, seeds=1, jobs=0)
    card = parting.forget_card(facts)
    for phrase in (
        "1 picture of yours",
        "2 stars",
        "3 saved styles",
        "1 saved seed,",
        "0 unfinished jobs",
        "posted stay",
    ):
        assert phrase in words(card)
    forget = buttons(card)["Forget me"]
    assert forget.style == "danger"
    assert read_ticket(forget.custom_id) == Ticket(Action.FORGET, ADA)
    view.layout(card)
    assert "1 picture removed" in words(parting.forgotten_card(1))


def test_the_month_begins_at_its_first() -> None:
    """Usage counts from midnight UTC of the first; a month's first second belongs to it."""
    first = 1793491200.0  # 2026-11-01 00:00 UTC
    assert month_of(first) == month_of(first + 86400 * 29.99) == first
    assert month_of(first - 1) == first - 86400 * 31
