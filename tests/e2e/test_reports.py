"""Reports with the real client and real SQLite: from a picture to the moderators' card, and what is decided there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from msgspec.structs import replace as with_

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Json, Person
from bot.sandbox.permissions import MANAGE_MESSAGES
from bot.sandbox.places import add_role, give_role
from bot.sandbox.server import Loopback
from storage.guilds import Deed
from tests.e2e.easel import Studio, button_of, is_result, paint, parts_of, pictures_of, settings_in, studio_at, words_of


@pytest.fixture
async def studio(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ada: Person
) -> AsyncIterator[Studio]:
    """A studio that paints at once; reports go to #off-topic."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    async with studio_at(settings_in(tmp_path, count=1), token=loopback.token) as running:
        await running.easel.desk.db.guilds.change(
            guild_of(ada),
            lambda own: with_(own, report_channel=int(ada.channel("#off-topic"))),
            Deed(by=int(ada.id), now=0.0, action="rooms", words="reports"),
        )
        yield running


def guild_of(person: Person) -> int:
    """The server."""
    return int(person.world.channel(person.channel("#paint")).guild_id or 0)


async def sent(person: Person, form: object, reason: str) -> str:
    """Send the form of a report; what the person reads."""
    answer = await (await person.submit(form, {"reason": reason})).answered()
    assert answer["flags"] & 64
    return words_of(answer)


async def reported(ada: Person, ben: Person) -> tuple[Json, Json]:
    """A picture of Ada's that Ben has reported: its card, and the moderators'."""
    done = await paint(ada)
    form = await ben.message_menu(done, "Report picture")
    assert "see it now" in await sent(ben, form, "not **nice**")
    return done, await ada.wait_for_message("#off-topic")


async def test_a_report_reaches_the_moderators(studio: Studio, ada: Person, ben: Person) -> None:
    """Their card has the job, the prompt, the reason, a link and the picture behind a spoiler; it pings nobody."""
    done, card = await reported(ada, ben)
    text = words_of(card)
    for part in ("Report 1", f"<@{ben.id}>", f"<@{ada.id}>", "job `1`", "a red apple", f"/{done['id']}"):
        assert part in text
    assert r"not \*\*nice\*\*" in text
    (item,) = next(part for part in parts_of(card) if part["type"] == 12)["items"]
    assert item["spoiler"]
    assert card["mentions"] == []
    log = await studio.easel.desk.db.guilds.log(guild_of(ada))
    assert "reported picture" in log.entries[0].words
    form = await ben.message_menu(done, "Report picture")
    assert "reported this picture already" in await sent(ben, form, "again")


async def test_the_picture_is_removed_once(studio: Studio, ada: Person, ben: Person) -> None:
    """Only a moderator may; the picture goes from the channel and from its owner's gallery; a second is told so."""
    done, card = await reported(ada, ben)
    denied = await (await ben.click(card, button_of(card, Action.JUDGE))).answered()
    assert "Only moderators can decide that" in words_of(denied)
    await ada.click(card, button_of(card, Action.JUDGE))
    settled = await ada.until(lambda: (now := ada.message(card)) and "removed it" in words_of(now) and now)
    assert not pictures_of(settled)
    await ada.until(lambda: ada.message(done) is None)
    assert await studio.easel.desk.db.images.get(1) is None


async def test_a_removed_picture_leaves_the_showcase(studio: Studio, ada: Person, ben: Person) -> None:
    """Its post goes too, whether a moderator removes the picture or its owner does."""
    await studio.easel.desk.db.guilds.change(
        guild_of(ada),
        lambda own: with_(own, showcase_channel=int(ada.channel("#gallery")), star_threshold=1),
        Deed(by=int(ada.id), now=0.0, action="rooms", words="showcase"),
    )
    done, card = await reported(ada, ben)
    await ben.click(done, "⭐")
    post = await ada.wait_for_message("#gallery")
    await ada.click(card, button_of(card, Action.JUDGE))
    await ada.until(lambda: ada.message(post) is None)
    again = await paint(ada)
    await ben.click(again, "⭐")
    post = await ada.wait_for_message("#gallery")
    await ada.click(again, button_of(again, Action.DELETE))
    await ada.until(lambda: ada.message(post) is None)


async def test_two_moderators_decide_once(studio: Studio, ada: Person, ben: Person) -> None:
    """Whoever is first has decided; the other is told so, and the log tells of one decision."""
    _, card = await reported(ada, ben)
    guild = str(guild_of(ada))
    give_role(ada.world, guild, ben.id, add_role(ada.world, guild, "Moderators", permissions=MANAGE_MESSAGES).id)
    remove, leave = button_of(card, Action.JUDGE), button_of(card, Action.JUDGE, 1)
    await asyncio.gather(ada.click(card, remove), ben.click(card, leave))

    def told() -> bool:
        return any(
            "Another moderator has" in words_of(each) for who in (ada, ben) for each in who.messages("#off-topic")
        )

    await ada.until(told)
    await ada.until(
        lambda: (now := ada.message(card)) and ("removed it" in words_of(now) or "left it" in words_of(now))
    )
    report = await studio.easel.desk.db.reports.get(1)
    assert report is not None
    assert report.state in {"removed", "dismissed"}
    log = await studio.easel.desk.db.guilds.log(int(guild))
    assert sum("what report 1 was about" in entry.words for entry in log.entries) == 1


async def test_a_picture_is_left_and_its_painter_blocked(studio: Studio, ada: Person, ben: Person) -> None:
    """Leaving it leaves it; who painted it can be blocked from the same card, and reads so when they ask again."""
    done = await paint(ben)
    form = await ada.click(await info(ada, done), "🚩")
    assert form.modal is not None
    await sent(ada, form, "too loud")
    card = await ada.wait_for_message("#off-topic")
    menu = next(part for part in parts_of(card) if part["type"] == 3)
    told = await (await ada.select(card, menu["custom_id"], ["hour"])).answered()
    assert f"<@{ben.id}> may not paint here until" in words_of(told)
    refused = await (await ben.slash("imagine", "#paint", prompt="x")).answered()
    assert "have blocked you" in words_of(refused)
    await ada.click(card, button_of(card, Action.JUDGE, 1))
    await ada.until(lambda: (now := ada.message(card)) and "left it where it is" in words_of(now))
    kept = ada.message(done)
    assert kept is not None
    assert is_result(kept)


async def info(person: Person, card: Json) -> Json:
    """The details of a picture."""
    return await (await person.click(card, button_of(card, Action.INFO))).answered()


async def test_what_cannot_be_reported_is_a_sentence(studio: Studio, ada: Person, ben: Person) -> None:
    """Messages without a picture, pictures that are gone, direct messages, and a server without moderators' channel."""
    spoken = ada.say("#paint", "hello")
    told = await (await ben.message_menu(spoken, "Report picture")).answered()
    assert "shows no picture of Easel" in words_of(told)
    done = await paint(ada)
    form = await ben.message_menu(done, "Report picture")
    await studio.easel.desk.db.images.remove(1)
    await ben.submit(form, {"reason": "x"})
    await ben.wait_for_message("#paint", lambda message: "is gone" in words_of(message))
    await studio.easel.desk.db.guilds.set(guild_of(ada), with_(await settings(studio, ada), report_channel=0))
    studio.easel.desk.policies.forget()
    done = await paint(ada)
    assert "no channel for reports yet" in await sent(ben, await ben.message_menu(done, "Report picture"), "x")


async def settings(studio: Studio, person: Person) -> object:
    """What the server chose."""
    return await studio.easel.desk.db.guilds.settings(guild_of(person))
