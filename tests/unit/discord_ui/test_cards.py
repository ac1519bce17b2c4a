"""Cards: what they say, and that Discord would take them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui import cards, view
from bot.discord_ui.actions import Action, read_ticket
from bot.discord_ui.markup import plain
from bot.discord_ui.reply import Button, Gallery, Reply, Row, Text


def result(count: int = 4, prompt: str = "an apple", *, notes: tuple[str, ...] = ()) -> cards.ResultFacts:
    """A finished job of `count` pictures."""
    pictures = tuple(cards.ShownPicture(image=40 + i, name=f"{i}.webp", data=b"webp", seed=7 + i) for i in range(count))
    return cards.ResultFacts(job=5, person=99, prompt=prompt, model="easel-painter", pictures=pictures, notes=notes)


def buttons(reply: Reply) -> list[list[Button]]:
    """The buttons of a card, row by row."""
    return [[b for b in part.items if isinstance(b, Button)] for part in reply.parts if isinstance(part, Row)]


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


def test_four_pictures_have_four_rows() -> None:
    """A grid has U1 to U4, V1 to V4, what opens a form, and the five common buttons, each about the right picture."""
    rows = buttons(cards.result_card(result()))
    assert [[b.label or b.emoji for b in row] for row in rows] == [
        ["U1", "U2", "U3", "U4"],
        ["V1", "V2", "V3", "V4"],
        ["Settings", "Save as style", "Family"],
        ["🔄", "✏️", "⭐", "ℹ️", "🗑️"],
    ]
    third = read_ticket(rows[0][2].custom_id)
    assert third is not None
    assert (third.action, third.id) == (Action.SINGLE, 42)


def test_one_picture_has_its_own_buttons() -> None:
    """A single picture can be enlarged, varied two ways, sent as PNG, painted over and around; no U or V is there."""
    rows = buttons(cards.result_card(result(1)))
    assert [b.label for b in rows[0]] == ["Upscale", "Vary subtle", "Vary strong", "Send PNG", "Family"]
    assert [b.label for b in rows[1]] == ["Settings", "Save as style", "Region", "Zoom out 1.5×", "Zoom out 2×"]
    assert [b.emoji for b in rows[2]] == ["⬅️", "⬆️", "⬇️", "➡️", "🩹"]
    assert len(rows) == 4


async def test_an_edited_picture_says_what_changed() -> None:
    """On the card that everybody sees, as plain words however strange they are."""
    facts = msgspec.structs.replace(result(1), changed=("prompt", "model a → @everyone **b**", "x" * 900))
    said = words(cards.result_card(facts))
    assert "Changed: prompt · model a → \\@\u200beveryone \\*\\*b\\*\\*" in said
    assert "Changed" not in words(cards.result_card(result(1)))
    view.layout(cards.result_card(facts))


def test_every_picture_has_an_alt_text() -> None:
    """Each picture of a card says what it shows, on the gallery and on the file."""
    card = cards.result_card(result())
    gallery = next(part for part in card.parts if isinstance(part, Gallery))
    assert gallery.pictures[1].description == "an apple, picture 2 of 4"
    assert [file.description for file in card.files] == [picture.description for picture in gallery.pictures]


def test_only_the_requester_is_pinged() -> None:
    """A prompt that mentions everybody notifies nobody; the allowed mentions name one person."""
    card = cards.result_card(result(prompt="@everyone <@123> look https://example.com **now**"))
    assert card.pings == (99,)
    assert view.pings(card).to_dict() == {"parse": [], "users": [99]}
    assert "@everyone" not in words(card)
    assert "<@123>" not in words(card)
    assert "https://" not in words(card)


@given(prompt=st.text(max_size=3000), count=st.integers(1, 4), notes=st.lists(st.text(max_size=500), max_size=8))
def test_no_prompt_makes_a_card_too_long(prompt: str, count: int, notes: list[str]) -> None:
    """Whatever people write and whatever the engine notes, a card's text stays below Discord's 4,000 characters."""
    card = cards.result_card(result(count, prompt, notes=tuple(notes)))
    assert len(words(card)) <= 4000
    assert all(len(file.description) <= 1024 for file in card.files)


async def test_discord_would_take_a_result_card() -> None:
    """The largest card passes our own check of Discord's limits as discord.py would send it."""
    card = cards.result_card(result(4, "[({<@*_~`" * 400, notes=("note " * 100,) * 5))
    assert view.layout(card).content_length() <= 4000
    assert [file.filename for file in view.files(card)] == ["0.webp", "1.webp", "2.webp", "3.webp"]


async def test_a_queue_card_says_where_the_job_stands() -> None:
    """Waiting shows place, time and cost; painting shows progress and the picture as it stands; both can be stopped."""
    waiting = cards.queue_card(cards.QueueFacts(job=5, prompt="an apple", position=3, ready_at=1800.5, cost=12.2))
    assert "**3.** in the queue · ready <t:1800:R> · about 12 s of painting" in words(waiting)
    running = cards.queue_card(cards.QueueFacts(job=5, prompt="x", position=0, done=5, total=20, preview=b"jpeg"))
    assert "**25 %**" in words(running)
    assert running.files[0].data == b"jpeg"
    assert {b.custom_id for row in buttons(waiting) + buttons(running) for b in row} == {"easel:stop:5"}
    view.layout(running)


@pytest.mark.parametrize(
    "card", [cards.failure_card(job=1, person=9, prompt="p", sentence="The worker died."), cards.cancelled_card("p")]
)
async def test_an_end_without_a_picture_is_a_card_too(card: Reply) -> None:
    """A failed and a cancelled job say so in words that Discord takes."""
    assert view.layout(card).content_length() > 0


@given(st.text(max_size=400))
def test_escaped_words_cannot_ping_or_link(text: str) -> None:
    """No text leaves a live mention, timestamp, emoji or link behind."""
    shown = plain(text)
    for index, sign in enumerate(shown):
        if sign in "<@`*":
            assert shown[index - 1] == "\\"
    assert "\n" not in shown
