"""Queue cards that Discord is slow about, or that somebody took away: the job goes on, and so do the others' cards."""

import asyncio

from bot.sandbox.driver import Person
from bot.sandbox.faults import on
from bot.sandbox.server import Loopback
from inference.client.gates import HeldGate
from tests.e2e.easel import Studio, result_in, words_of


async def test_a_card_that_was_taken_away_is_given_up(held: Studio, gate: HeldGate, ada: Person, ben: Person) -> None:
    """A moderator deletes a queue card: nothing is written in its place, and the pictures come all the same."""
    card = await (await ben.slash("imagine", "#paint", prompt="a red apple", count=1)).answered()
    await gate.reached(1, "painting")
    ada.delete(card)
    await held.refresh_cards()
    assert ben.message(card) is None
    assert not [message for message in ben.messages("#paint") if message["author"]["bot"]]
    gate.open()
    assert "a red apple" in words_of(await result_in(ben, "#paint"))


async def test_a_slow_card_holds_up_no_other(
    held: Studio, gate: HeldGate, loopback: Loopback, ada: Person, ben: Person
) -> None:
    """While Discord refuses one card's edits again and again, another's goes on at the next round."""
    slow = await (await ada.slash("imagine", "#paint", prompt="a slow snail", count=1)).answered()
    card = await (await ben.slash("imagine", "#paint", prompt="a quick fox", count=1)).answered()
    await gate.reached(1, "painting")
    await gate.reached(2, "painting")
    order = loopback.faults.server_error(on("PATCH", f"/messages/{slow['id']}"), times=1_000)
    async with asyncio.timeout(20):
        first = asyncio.create_task(held.refresh_cards())
        while order.times == 1_000:  # noqa: ASYNC110 - an order tells nobody that it was carried out
            await asyncio.sleep(0)
        while (await gate.reached(2)).done < 3:
            gate.release(2)
            await asyncio.sleep(0)
        before = words_of(card)
        while words_of(ben.message(card) or card) == before or "%" not in words_of(ben.message(card) or card):
            await asyncio.sleep(0)
            await held.refresh_cards()
    assert not first.done(), "the slow one is still being tried"
    order.times = 0
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    gate.open()
    assert "a quick fox" in words_of(await result_in(ben, "#paint"))
