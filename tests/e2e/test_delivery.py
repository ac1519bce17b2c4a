"""Pictures arrive, once, whatever has closed, expired or gone wrong between the asking and the end."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.discord_ui.actions import Action
from bot.discord_ui.posting.delivery import PAUSES
from bot.sandbox.clock import ShiftedClock
from bot.sandbox.driver import Person
from bot.sandbox.faults import on
from bot.sandbox.server import Loopback
from inference.api.errors import Failure, FailureCode
from inference.api.wire import Ready
from inference.client.clock import HandClock
from inference.client.fake import FakeBackend
from inference.client.gates import HeldGate
from storage.gallery_values import Query
from storage.values import JobState
from tests.e2e.easel import (
    Studio,
    button_of,
    paint,
    pictures_of,
    result_in,
    results_in,
    settings_in,
    studio_at,
    words_of,
)

POSTS = on("POST", "/channels/")


async def state_of(studio: Studio, job: int) -> JobState:
    """Where a job is in storage."""
    row = await studio.easel.desk.db.jobs.get(job)
    assert row is not None
    return row.state


async def test_later_than_fifteen_minutes(held: Studio, gate: HeldGate, ada: Person, clock: ShiftedClock) -> None:
    """The interaction's token has died: the pictures come to the channel all the same, and the card goes."""
    card = await (await ada.slash("imagine", "#paint", prompt="slow")).answered()
    await gate.reached(1)
    clock.advance(16 * 60)
    gate.open()
    await result_in(ada, "#paint")
    await ada.until(lambda: ada.message(card) is None)
    assert await state_of(held, 1) is JobState.DELIVERED


@pytest.mark.parametrize("status", [None, 502], ids=["connection lost", "502"])
async def test_an_answer_that_gets_lost_doubles_nothing(
    quick: Studio, loopback: Loopback, ada: Person, status: int | None
) -> None:
    """Discord made the message and we did not hear of it: it is there once, and the job is delivered."""
    loopback.faults.lose_answer(POSTS, status=status)
    exchange = await ada.slash("imagine", "#paint", prompt="once")
    await exchange.answered()
    await result_in(ada, "#paint")
    assert isinstance(quick.clock, HandClock)
    if status is None:  # discord.py tries again by itself after a 502
        await asyncio.wait_for(quick.clock.sleeper(PAUSES[0]), 20)
        quick.clock.advance(PAUSES[0])
    await ada.until(lambda: len(ada.messages("#paint")) == 1)
    assert len(results_in(ada, "#paint")) == 1
    assert await state_of(quick, 1) is JobState.DELIVERED


async def test_a_channel_that_was_deleted(held: Studio, gate: HeldGate, loopback: Loopback, ada: Person) -> None:
    """The pictures go to the person's direct messages."""
    await (await ada.slash("imagine", "#off-topic", prompt="homeless")).answered()
    await gate.reached(1)
    loopback.world.delete_channel(ada.channel("#off-topic"))
    gate.open()
    done = await result_in(ada, ada.open_dm())
    assert len(pictures_of(done)) == 4


async def test_closed_direct_messages(held: Studio, gate: HeldGate, ada: Person, ben: Person) -> None:
    """A private picture for somebody whose conversation is closed is shown to them alone, in the channel."""
    ada.accept_direct_messages(accepted=False)
    await (await ada.slash("imagine", "#paint", prompt="a secret", private=True)).answered()
    gate.open()
    done = await result_in(ada, "#paint")
    assert ben.message(done) is None
    assert await held.easel.desk.db.images.of_job(1)


async def test_closed_direct_messages_and_an_old_token(  # noqa: PLR0917 - fixtures
    discord_here: None, loopback: Loopback, tmp_path: Path, gate: HeldGate, ada: Person, ben: Person
) -> None:
    """With nowhere left the channel hears that they are ready, not what they show; the gallery has them."""
    now = [1_800_000_000.0]
    async with studio_at(settings_in(tmp_path), token=loopback.token, gate=gate, now=lambda: now[0]) as studio:
        ada.accept_direct_messages(accepted=False)
        await (await ada.slash("imagine", "#paint", prompt="a secret", private=True)).answered()
        await gate.reached(1)
        now[0] += 3600
        gate.open()
        note = await ben.wait_for_message("#paint")
        assert "direct messages are closed" in words_of(note)
        assert "secret" not in words_of(note)
        assert not results_in(ada, "#paint")
        assert (await studio.easel.desk.db.gallery.page(int(ada.id), Query())).total == 4


async def test_a_failure_is_told_and_can_be_tried_again(held: Studio, gate: HeldGate, ada: Person, ben: Person) -> None:
    """The sentence pings who asked, costs nothing, and its button asks for the same once more."""
    card = await (await ada.slash("imagine", "#paint", prompt="too much")).answered()
    await gate.reached(1)
    assert isinstance(held.painter, FakeBackend)
    held.painter.fail(1, Failure(FailureCode.OUT_OF_MEMORY, "The card's memory is too small for this."))
    told = await ada.wait_for_message("#paint", lambda m: "could not be painted" in words_of(m))
    assert "too small" in words_of(told)
    assert [user["id"] for user in told["mentions"]] == [ada.id]
    await ada.until(lambda: ada.message(card) is None)
    gate.open()
    await (await ben.click(told, button_of(told, Action.RETRY))).answered()
    done = await result_in(ben, "#paint")
    assert f"<@{ben.id}>" in words_of(done)


async def test_the_painter_dies_once_and_twice(held: Studio, gate: HeldGate, ada: Person) -> None:
    """The first death is nobody's business; after the second the person is told."""
    assert isinstance(held.painter, FakeBackend)
    await (await ada.slash("imagine", "#paint", prompt="heavy")).answered()
    await gate.reached(1)
    held.painter.die()
    while gate.held:  # noqa: ASYNC110 - one turn of the event loop at a time
        await asyncio.sleep(0)
    await gate.reached(1)
    held.painter.die()
    told = await ada.wait_for_message("#paint", lambda m: "could not be painted" in words_of(m))
    assert "broke down" in words_of(told)


@pytest.fixture
async def restarts(tmp_path: Path) -> AsyncIterator[Path]:
    """One memory for several studios after each other."""
    return tmp_path


async def test_stopped_in_the_middle_and_started_again(
    discord_here: None, loopback: Loopback, restarts: Path, ada: Person
) -> None:
    """Ctrl-C in the middle of a job, another start: the job is delivered, once, and buttons of before still work."""
    first = HeldGate()
    async with studio_at(settings_in(restarts), token=loopback.token) as studio:
        earlier = await paint(ada)
    async with studio_at(settings_in(restarts), token=loopback.token, gate=first) as studio:
        await (await ada.slash("imagine", "#paint", prompt="interrupted")).answered()
        await first.reached(2)
    async with studio_at(settings_in(restarts), token=loopback.token) as studio:
        await result_in(ada, "#paint", after=earlier["id"])
        await ada.until(lambda: len(ada.messages("#paint")) == 2)
        assert await state_of(studio, 2) is JobState.DELIVERED
        single = await (await ada.click(earlier, "U1")).answered()
        assert pictures_of(single)


async def test_a_form_that_was_open_during_a_restart(
    discord_here: None, loopback: Loopback, restarts: Path, ada: Person
) -> None:
    """It is painted all the same: its ticket says what it is about."""
    async with studio_at(settings_in(restarts), token=loopback.token):
        card = await paint(ada)
        form = await ada.click(card, button_of(card, Action.EDIT))
    async with studio_at(settings_in(restarts), token=loopback.token):
        await (await ada.submit(form, {"prompt": "after the restart"})).answered()
        done = await result_in(ada, "#paint", after=card["id"])
        assert "after the restart" in words_of(done)


class LatePainter(FakeBackend):
    """A painter that comes up when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def start(self) -> Ready:
        """Be up, once told."""
        await self.go.wait()
        return await super().start()


async def test_what_takes_longer_than_discord_waits(
    discord_here: None, loopback: Loopback, tmp_path: Path, ada: Person, ben: Person
) -> None:
    """While the painter comes up Easel is thinking; a wish becomes its card then, and a mistake is told to the person alone."""
    painter = LatePainter()
    async with studio_at(settings_in(tmp_path), token=loopback.token, painter=painter):
        wish = await ada.slash("imagine", "#paint", prompt="early")
        mistake = await ada.slash("imagine", "#paint", prompt="early", model="nothing like it")
        assert (wish.state, mistake.state) == ("deferred", "deferred")
        thinking = mistake.message
        assert thinking is not None
        painter.go.set()
        await result_in(ada, "#paint")
        told = await ada.wait_for_message("#paint", lambda m: "nothing like it" in words_of(m))
        assert ben.message(told) is None
        await ben.until(lambda: ben.message(thinking) is None)


async def test_a_ban_of_some_seconds_is_waited_for(quick: Studio, loopback: Loopback, ada: Person) -> None:
    """Cloudflare answers 429 without Discord's own headers: the pictures come later, and nobody is told that they failed."""
    loopback.faults.rate_limit(POSTS, via=False)
    await ada.slash("imagine", "#paint", prompt="patience")
    assert isinstance(quick.clock, HandClock)
    await asyncio.wait_for(quick.clock.sleeper(PAUSES[0]), 20)
    quick.clock.advance(PAUSES[0])
    await result_in(ada, "#paint")
    assert await state_of(quick, 1) is not JobState.FAILED


@pytest.mark.parametrize(("lost", "shown"), [(1, 3), (4, 0)])
async def test_pictures_whose_files_are_gone(  # noqa: PLR0917 - fixtures
    quick: Studio, clock: ShiftedClock, tmp_path: Path, ada: Person, lost: int, shown: int
) -> None:
    """What is left is shown; where nothing is, the person hears it instead of waiting for good."""
    db, delivery = quick.easel.desk.db, quick.easel.delivery
    card = await paint(ada)
    images = await db.images.of_job(1)
    await db.pictures.drop([image.sha256 for image in images[:lost]])
    with contextlib.closing(sqlite3.connect(tmp_path / "easel.sqlite3")) as file, file:
        file.execute("UPDATE jobs SET state = 'rendered', told = 0")
        file.execute("DELETE FROM posts")
    clock.advance(3600)  # Discord has forgotten the first message's nonce
    job = await db.jobs.get(1)
    assert job is not None
    await delivery.rendered(job, images)
    told = [message for message in ada.messages("#paint") if message["id"] > card["id"]]
    assert [len(pictures_of(message)) for message in told] == [shown]
    assert shown or "deleted" in words_of(told[0])
    assert await state_of(quick, 1) is (JobState.DELIVERED if shown else JobState.FAILED)


async def test_a_failure_in_private_is_not_called_ready(
    discord_here: None, loopback: Loopback, tmp_path: Path, gate: HeldGate, ada: Person
) -> None:
    """With nowhere left to say it the channel hears that it failed, and not what was asked."""
    now = [1_800_000_000.0]
    async with studio_at(settings_in(tmp_path), token=loopback.token, gate=gate, now=lambda: now[0]) as studio:
        ada.accept_direct_messages(accepted=False)
        await (await ada.slash("imagine", "#paint", prompt="a secret", private=True)).answered()
        await gate.reached(1)
        now[0] += 3600
        assert isinstance(studio.painter, FakeBackend)
        studio.painter.fail(1, Failure(FailureCode.OUT_OF_MEMORY, "Too small."))
        note = await ada.wait_for_message("#paint", lambda m: "direct messages are closed" in words_of(m))
        assert "could not be painted" in words_of(note)
        assert "secret" not in words_of(note)


async def test_a_hidden_history_doubles_nothing(quick: Studio, loopback: Loopback, ada: Person) -> None:
    """The answer gets lost and the history may not be read: the nonce finds the message, and no copy goes elsewhere."""
    loopback.faults.lose_answer(POSTS)
    loopback.faults.server_error(on("GET", "/messages"), times=9, status=403)
    await ada.slash("imagine", "#paint", prompt="once")
    assert isinstance(quick.clock, HandClock)
    async with asyncio.timeout(20):
        while await state_of(quick, 1) is not JobState.DELIVERED:
            quick.clock.advance(5)
            await asyncio.sleep(0)
    assert len(results_in(ada, "#paint")) == 1
    assert not results_in(ada, ada.open_dm())


async def test_a_job_of_an_earlier_easel_is_told(
    discord_here: None, loopback: Loopback, restarts: Path, gate: HeldGate, ada: Person
) -> None:
    """Its request cannot be read any more: the person hears it once, its card goes, and nothing offers the same again."""
    async with studio_at(settings_in(restarts), token=loopback.token, gate=gate):
        card = await (await ada.slash("imagine", "#paint", prompt="an old wish")).answered()
        await gate.reached(1)
    with contextlib.closing(sqlite3.connect(restarts / "easel.sqlite3")) as file, file:
        file.execute("UPDATE jobs SET request = '{}'")
    for _ in range(2):
        async with studio_at(settings_in(restarts), token=loopback.token):
            told = await ada.wait_for_message("#paint", lambda m: "does not understand" in words_of(m))
            assert "an old wish" in words_of(told)
            with pytest.raises(IndexError):
                button_of(told, Action.RETRY)
            await ada.until(lambda: ada.message(card) is None)
    assert len(ada.messages("#paint")) == 1
