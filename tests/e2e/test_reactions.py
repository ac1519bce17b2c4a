"""Reactions under cards: each does what its sign says, for whoever reacts."""

import asyncio
import io

import pytest
from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Person
from bot.sandbox.faults import on
from bot.sandbox.server import Loopback
from inference.client.gates import HeldGate
from storage.gallery_values import Query
from tests.e2e.easel import Studio, button_of, bytes_at, paint, pictures_of, result_in, words_of


async def test_the_letter(quick: Studio, ada: Person, ben: Person) -> None:
    """✉️ sends the four PNGs, parameters inside, with seeds and job, and the buttons to go on."""
    card = await paint(ada)
    ben.react(card, "✉️")
    letter = await ben.wait_for_message(ben.open_dm())
    assert len(pictures_of(letter)) == 4
    assert "job `1`" in words_of(letter)
    with Image.open(io.BytesIO(await bytes_at(pictures_of(letter)[0]))) as picture:
        assert picture.format == "PNG"
        assert picture.text["parameters"].startswith("a red apple")
    single = await (await ben.click(letter, "U1")).answered()
    assert len(pictures_of(single)) == 1


async def test_the_star(quick: Studio, ada: Person, ben: Person) -> None:
    """⭐ puts all pictures of the message among the favourites of who reacted."""
    card = await paint(ada)
    ben.react(card, "⭐")
    gallery = quick.easel.desk.db.gallery
    async with asyncio.timeout(20):
        while (await gallery.page(int(ben.id), Query(starred=True))).total < 4:  # noqa: ASYNC110 - storage tells nobody
            await asyncio.sleep(0)
    assert (await gallery.page(int(ada.id), Query(starred=True))).total == 0


@pytest.mark.parametrize(("emoji", "count"), [("🔁", 4), ("⬆️", 1), ("🔀", 4)])
async def test_more_pictures(quick: Studio, ada: Person, ben: Person, emoji: str, count: int) -> None:
    """🔁 again, ⬆️ upscale and 🔀 vary paint for who reacted, with a queue card of their own that goes away."""
    card = await paint(ada)
    ben.react(card, emoji)
    done = await result_in(ben, "#paint", after=card["id"])
    assert len(pictures_of(done)) == count
    assert f"<@{ben.id}>" in words_of(done)
    await ada.until(lambda: len(ada.messages("#paint")) == 2)


async def test_the_cross_cancels_and_deletes(held: Studio, gate: HeldGate, ada: Person, ben: Person) -> None:
    """❌ under a queue card cancels; under a result it deletes; only for the owner or a moderator."""
    waiting = await (await ben.slash("imagine", "#paint", prompt="never")).answered()
    await gate.reached(1)
    ben.react(waiting, "❌")
    await ben.until(lambda: (m := ben.message(waiting)) is not None and "Cancelled" in words_of(m))
    gate.open()
    card = await paint(ada)
    ben.react(card, "❌")
    refusal = await ben.wait_for_message(ben.open_dm())
    assert "Only who asked" in words_of(refusal)
    assert ada.message(card) is not None
    ada.react(card, "❌")
    await ada.until(lambda: ada.message(card) is None)
    assert (await held.easel.desk.db.gallery.page(int(ada.id), Query())).total == 0


async def test_closed_messages_say_so_nowhere_else(quick: Studio, ada: Person, ben: Person) -> None:
    """With closed direct messages ✉️ has nowhere to go; the channel is not told, and the bot goes on."""
    card = await paint(ada)
    ben.accept_direct_messages(accepted=False)
    ben.react(card, "✉️")
    ben.accept_direct_messages(accepted=True)
    ben.react(card, "⭐")
    assert await paint(ada)


async def test_a_message_that_cannot_be_read_is_nobodys(
    quick: Studio, loopback: Loopback, ada: Person, ben: Person
) -> None:
    """A sign under what we may not see is no question to us: nobody gets a letter about our own trouble."""
    card = await paint(ada)
    loopback.faults.server_error(on("GET", f"/messages/{card['id']}"), status=403)
    ben.react(card, "⭐")
    ben.react(card, "✉️")
    letter = await ben.wait_for_message(ben.open_dm())
    assert len(pictures_of(letter)) == 4
    assert len(ben.messages(ben.open_dm())) == 1


async def test_pressed_twice_deletes_once(quick: Studio, loopback: Loopback, ada: Person) -> None:
    """Two presses of 🗑 at once: the picture is gone, and neither of them hears of trouble on our side."""
    card = await paint(ada)
    loopback.faults.server_error(on("DELETE", "/messages/@original"), status=404)
    await ada.click(card, button_of(card, Action.DELETE))
    await ada.wait_for_message("#paint", lambda m: "gone" in words_of(m) or "went wrong" in words_of(m))
    assert not any("Something went wrong" in words_of(message) for message in ada.messages("#paint"))


async def test_on_and_off_and_on_again_in_a_hurry(quick: Studio, ada: Person, ben: Person) -> None:
    """🔁 put on twice within seconds paints once."""
    card = await paint(ada)
    ben.react(card, "🔁")
    ben.unreact(card, "🔁")
    ben.react(card, "🔁")
    await result_in(ben, "#paint", after=card["id"])
    ben.react(card, "✉️")
    await ben.wait_for_message(ben.open_dm())
    assert len(await quick.easel.desk.db.jobs.recent_of(int(ben.id), 10)) == 1
