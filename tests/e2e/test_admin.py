"""/admin with the real client and real SQLite: who may, what holds at once, and what people read who run into it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot.sandbox.driver import Json, Person
from bot.sandbox.forms import Refused
from bot.sandbox.model import Overwrite
from bot.sandbox.permissions import ATTACH_FILES, MANAGE_GUILD
from bot.sandbox.places import add_role, add_thread, give_role
from bot.sandbox.server import Loopback
from bot.settings import ModerationSettings, Settings
from inference.client.gates import HeldGate
from storage.database import Database
from tests.e2e.easel import Studio, parts_of, settings_in, studio_at, words_of

TAKEN = "ready <t:"
"""What stands on the card of a job, and in no refusal."""


def settings_with(folder: Path, *, operators: tuple[int, ...] = (), nsfw: bool = True) -> Settings:
    """Settings of an operator who allows pictures for adults where servers do."""
    moderation = ModerationSettings(operators=operators, nsfw=nsfw)
    return settings_in(folder, count=1).model_copy(update={"moderation": moderation})


@pytest.fixture
def here(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """discord.py talks to the loopback."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    return loopback


@pytest.fixture
def cleo(loopback: Loopback) -> Person:
    """A member with the role Artists, and an operator."""
    return loopback.person("Cleo")


@pytest.fixture
def gate() -> HeldGate:
    """Holds every job."""
    return HeldGate()


@pytest.fixture
async def studio(here: Loopback, tmp_path: Path, gate: HeldGate, cleo: Person) -> AsyncIterator[Studio]:
    """A studio whose painter stands still; Cleo is an operator."""
    settings = settings_with(tmp_path, operators=(int(cleo.id),))
    async with studio_at(settings, token=here.token, gate=gate) as running:
        yield running


def db(studio: Studio) -> Database:
    """Its memory."""
    return studio.easel.desk.db


def guild_of(person: Person) -> int:
    """The server."""
    return int(person.world.channel(person.channel("#paint")).guild_id or 0)


async def said(person: Person, command: str, where: str = "#paint", /, **options: object) -> str:
    """What the answer to a command says."""
    answer = await (await person.slash(command, where, **options)).answered()
    return words_of(answer).replace("\\", "")


async def asked(person: Person, where: str = "#paint", /, **options: object) -> str:
    """What somebody reads who asks for a picture."""
    return await said(person, "imagine", where, **{"prompt": "a red apple", **options})


def control(message: Json, *, placeholder: str = "", label: str = "") -> Json:
    """The menu with that placeholder, or the button with that label."""
    return next(
        part
        for part in parts_of(message)
        if (placeholder and str(part.get("placeholder") or "").startswith(placeholder))
        or (label and part.get("label") == label)
    )


async def chosen(person: Person, message: Json, placeholder: str, values: list[str]) -> Json:
    """Choose in a menu, and return the card as it is then."""
    before = person.message(message)
    await person.select(message, control(message, placeholder=placeholder)["custom_id"], values)
    return await person.until(lambda: _changed(person, message, before))


async def pressed(person: Person, message: Json, label: str) -> Json:
    """Press, and return the card as it is then."""
    before = person.message(message)
    await person.click(message, control(message, label=label)["custom_id"])
    return await person.until(lambda: _changed(person, message, before))


def _changed(person: Person, message: Json, before: Json | None) -> Json | None:
    now = person.message(message)
    return now if now is not None and before is not None and now["components"] != before["components"] else None


async def card(person: Person, command: str, where: str = "#paint", /, **options: object) -> Json:
    """The card that a command shows, to this person alone."""
    answer = await (await person.slash(command, where, **options)).answered()
    assert answer["flags"] & 64
    return answer


def option(message: Json, placeholder: str, label: str) -> str:
    """The value of a line of a menu."""
    menu = control(message, placeholder=placeholder)
    return next(row["value"] for row in menu["options"] if label in row["label"])


async def test_only_those_who_may_manage_find_it(studio: Studio, ada: Person, ben: Person, cleo: Person) -> None:
    """Discord hides /admin from others; a control that reached them anyway, and direct messages, are refused in words."""
    assert "admin" in {command["name"] for command in ada.commands("#paint")}
    assert "admin" not in {command["name"] for command in ben.commands("#paint")}
    with pytest.raises(Refused):
        await ben.slash("admin show", "#paint")
    assert "administered in the server itself" in await said(ben, "admin show", ben.open_dm())
    assert "no channels and roles" in await said(cleo, "admin models", cleo.open_dm())
    shown = await said(ada, "admin show")
    for line in (
        "Open to everybody",
        "Models:",
        "Limits:",
        "nobody is slowed down",
        "Showcase:",
    ):
        assert line in shown


async def test_a_model_is_allowed_by_channel_and_role(studio: Studio, ada: Person, ben: Person, cleo: Person) -> None:
    """A rule holds at once, in threads as in their channel, for its roles only, and is told in words."""
    listing = await card(ada, "admin models")
    rule = await chosen(ada, listing, "Choose", [option(listing, "Choose", "sunset")])
    rule = await chosen(ada, rule, "In which channels", [ada.channel("#gallery")])
    assert "not allowed in this channel" in await asked(ben, model="sunset")
    assert TAKEN in await asked(ben, "#gallery", model="sunset")
    thread = add_thread(ada.world, ada.channel("#gallery"), "sunsets", owner_id=ada.id)
    assert TAKEN in await asked(ben, thread.id, model="sunset")
    artists = next(role.id for role in ada.world.guilds[str(guild_of(ada))].roles.values() if role.name == "Artists")
    rule = await chosen(ada, rule, "For which roles", [artists])
    assert "for some roles of this server only" in await asked(ben, "#gallery", model="sunset")
    assert TAKEN in await asked(cleo, "#gallery", model="sunset")
    give_role(ada.world, str(guild_of(ada)), ben.id, artists)
    assert TAKEN in await asked(ben, "#gallery", model="sunset")
    rule = await pressed(ada, rule, "Switch it off")
    assert "switched off in this server" in await asked(cleo, "#gallery", model="sunset")
    assert TAKEN in await asked(cleo, model="gradient")
    rule = await pressed(ada, rule, "No rule")
    listing = await pressed(ada, rule, "Back")
    await pressed(ada, listing, "Allow only models with a rule")
    assert "not one of those that this server allows" in await asked(cleo)


async def test_commands_and_painting_are_allowed_by_channel(studio: Studio, ada: Person, ben: Person) -> None:
    """A command that is not allowed somewhere is refused before it does anything, and so is painting by whatever way."""
    rule = await card(ada, "admin commands", command="gallery")
    await chosen(ada, rule, "In which channels", [ada.channel("#gallery")])
    assert "“gallery” is not allowed in this channel" in await said(ben, "gallery open")
    rule = await card(ada, "admin commands", command="painting")
    await pressed(ada, rule, "Switch it off")
    assert "Painting is switched off" in await asked(ben)
    names = [choice["value"] for choice in await ada.autocomplete("admin commands", "#paint", "command", "")]
    assert {"painting", "imagine", "vary"} <= set(names)
    assert "admin" not in names


async def test_limits_are_numbers_in_a_form(studio: Studio, ada: Person, ben: Person) -> None:
    """The form takes numbers within the operator's, refuses others with a sentence, and holds at once."""
    form = await ada.slash("admin limits", "#paint")
    assert form.modal is not None
    told = await (await ada.submit(form, {"steps": "10", "count": "2", "megapixels": "0,5", "cells": ""})).answered()
    assert "0.5 megapixels, 10 steps, 2 pictures at once" in words_of(told)
    assert "At most 10 steps are allowed here, not 20" in await asked(ben, steps=20)
    assert "At most 2 pictures at once" in await asked(ben, count=3)
    form = await ada.slash("admin limits", "#paint")
    refused = await (await ada.submit(form, {"steps": "1000"})).answered()
    assert "a whole number from 1 to 60" in words_of(refused)


async def test_a_quota_leads_into_the_slow_lane(studio: Studio, ada: Person, ben: Person, cleo: Person) -> None:
    """After their seconds people wait in the slow lane, are told so on the card and under /queue, and nobody is refused."""
    everyone = str(guild_of(ada))
    assert "everyone: 0 s of painting a day" in await said(ada, "admin quota", who=everyone, seconds=0.0)
    for manager in (ada, cleo):
        assert "as much as they like" in await said(ada, "admin quota", who=manager.id)
        for _ in range(4):  # the painter takes eight at once
            assert TAKEN in await asked(manager)
    slow = await asked(ben)
    assert "🐢 Slow lane: your 0 s of painting a day in this server are used up" in slow
    assert "Slow lane" in await said(ben, "queue")
    assert "Slow lane" not in await asked(ada)
    listing = await card(ada, "admin quota")
    await chosen(ada, listing, "Remove one", ["everyone-0"])
    assert "Slow lane" not in await asked(ben)


async def test_words_that_are_not_painted(studio: Studio, ada: Person, ben: Person) -> None:
    """An entry refuses prompts in every spelling; the test says which entry and how it was read, and paints nothing."""
    assert "refused from now on" in await said(ada, "admin blocklist add", entry="Spider*")
    assert "in the list already" in await said(ada, "admin blocklist add", entry="spider*")
    assert "nearly everything" in await said(ada, "admin blocklist add", entry="a*")
    assert "`Spider*`" in await said(ada, "admin blocklist list")
    assert "on the list of what is not painted here" in await asked(ben, prompt="a big sp1d3rs web")
    tried = await said(ada, "admin blocklist test", prompt="SPIDERMAN on a wall")
    assert "Refused by `Spider*` of this server's list, which reads `spiderman`" in tried
    assert "It would be painted" in await said(ada, "admin blocklist test", prompt="a cat")
    assert "Refused always and everywhere" in await said(ada, "admin blocklist test", prompt="n4ked ch1ld")
    assert [row["value"] for row in await ada.autocomplete("admin blocklist remove", "#paint", "entry", "sp")] == [
        "Spider*"
    ]
    assert "no longer in the list" in await said(ada, "admin blocklist remove", entry="spider*")
    assert TAKEN in await asked(ben, prompt="a big spider")


async def test_pictures_for_adults_need_three_words(studio: Studio, ada: Person, ben: Person) -> None:
    """The operator, the server and the channel must all allow them, at the moment of asking."""
    assert "This server has not allowed" in await asked(ben, "#after-dark", prompt="nude woman")
    nsfw = await card(ada, "admin nsfw")
    nsfw = await pressed(ada, nsfw, "All age-restricted channels")
    assert "age-restricted channels only" in await asked(ben, prompt="nude woman")
    assert TAKEN in await asked(ben, "#after-dark", prompt="nude woman")
    assert "not sent in direct messages" in await asked(ben, "#after-dark", prompt="nude woman", private=True)
    assert "not sent in direct messages" in await asked(ben, ben.open_dm(), prompt="nude woman")
    nsfw = await pressed(ada, nsfw, "Chosen channels")
    assert "in some of its age-restricted channels" in await asked(ben, "#after-dark", prompt="nude woman")
    nsfw = await chosen(ada, nsfw, "Which age-restricted", [ada.channel("#after-dark")])
    assert TAKEN in await asked(ben, "#after-dark", prompt="nude woman")
    ada.world.change_channel(ada.channel("#after-dark"), nsfw=False)
    assert "this channel is none" in await asked(ben, "#after-dark", prompt="nude woman")


async def test_what_is_never_painted_is_refused_by_every_way(
    studio: Studio, gate: HeldGate, ada: Person, ben: Person
) -> None:
    """Where everything else is allowed, a style, a form or the dispatcher itself still refuses before there is a job."""
    await pressed(ada, await card(ada, "admin nsfw"), "All age-restricted channels")
    assert "never paints" in await asked(ben, "#after-dark", prompt="nude toddler")
    assert "never paints" in await asked(ben, "#after-dark", prompt="nude woman", negative="adult, grown-up")
    await said(ben, "style save", name="dark", prompt="{prompt}, nude")
    assert "never paints" in await asked(ben, "#after-dark", prompt="a k1d", style="dark")
    assert await db(studio).jobs.count_open() == 0


async def test_pause_keeps_what_waits_and_drain_paints_it(
    studio: Studio, gate: HeldGate, ada: Person, ben: Person, cleo: Person
) -> None:
    """Paused, nothing begins and nothing is taken; draining, what waits goes on; the operator does so everywhere."""
    assert "Paused" in await said(ada, "admin pause", why="moving house")
    assert "takes nothing new right now (moving house); what waits is kept" in await asked(ben)
    assert TAKEN in await asked(ben, ben.open_dm())
    await gate.reached(1)
    await said(ada, "admin drain")
    assert "what waits is still painted" in await asked(ben)
    await said(ada, "admin resume")
    assert TAKEN in await asked(ben)
    assert "Everywhere" in await said(cleo, "admin pause", cleo.open_dm())
    assert "Easel takes nothing new right now" in await asked(ben)
    assert "Paused" in await said(ben, "queue") or "painted" in await said(ben, "queue")
    await said(cleo, "admin resume", cleo.open_dm())
    assert TAKEN in await asked(ben)


async def test_somebody_is_blocked_and_let_go(studio: Studio, ada: Person, ben: Person) -> None:
    """What they have waiting is cancelled, they read until when, and may paint again when they are let go."""
    await asked(ben)
    assert "may not paint" in await said(ada, "admin block", person=ben.id, duration="day")
    await ada.until(lambda: not studio.easel.desk.dispatcher.queue())
    assert "have blocked you from painting here until" in await asked(ben)
    assert "cannot block yourself" in await said(ada, "admin block", person=ada.id)
    listing = await card(ada, "admin blocks")
    await chosen(ada, listing, "Let somebody", [ben.id])
    assert TAKEN in await asked(ben)
    assert "was not blocked" in await said(ada, "admin unblock", person=ben.id)


async def test_everything_is_in_the_log(studio: Studio, ada: Person) -> None:
    """Every change has its line with who and what, newest first, ten a page."""
    for number in range(12):
        await said(ada, "admin blocklist add", entry=f"word{number}x")
    page = await card(ada, "admin log")
    assert f"<@{ada.id}>: `word11x` is not painted any more" in words_of(page)
    assert "page 1 of 2" in words_of(page)
    page = await turned(ada, page)
    assert "`word0x`" in words_of(page)


async def turned(person: Person, page: Json) -> Json:
    """The next page."""
    before = person.message(page)
    await person.click(page, "▶️")
    return await person.until(lambda: _changed(person, page, before))


async def test_two_who_change_at_once_both_get_it(studio: Studio, ada: Person, ben: Person) -> None:
    """Neither change overwrites the other; who is given Manage Server finds /admin."""
    guild = str(guild_of(ada))
    give_role(ada.world, guild, ben.id, add_role(ada.world, guild, "Managers", permissions=MANAGE_GUILD).id)
    entries = [f"entry{number}x" for number in range(8)]
    await asyncio.gather(
        *(said(who, "admin blocklist add", entry=entry) for entry, who in zip(entries, [ada, ben] * 4, strict=True)),
        said(ada, "admin quota", seconds=60.0),
    )
    own = await db(studio).guilds.settings(guild_of(ada))
    assert set(own.refused) == set(entries)
    assert [quota.seconds for quota in own.quotas] == [60.0]


async def test_rules_outlive_a_restart(here: Loopback, tmp_path: Path, ada: Person, ben: Person) -> None:
    """After a restart a paused server is still paused, what waited still waits, and /admin resume lets it go."""
    gate = HeldGate()
    settings = settings_with(tmp_path)
    async with studio_at(settings, token=here.token, gate=gate) as studio:
        await asked(ben)
        await gate.reached(1)
        await said(ada, "admin pause")
    gate = HeldGate()
    async with studio_at(settings, token=here.token, gate=gate) as studio:
        assert "takes nothing new" in await asked(ben)
        (standing,) = studio.easel.desk.dispatcher.queue()
        assert standing.held
        assert not gate.held
        await said(ada, "admin resume")
        await gate.reached(1)


async def test_statistics_and_rights(studio: Studio, ada: Person, ben: Person) -> None:
    """Numbers of today and this week; every right that lacks is named with its channel and what to do."""
    await asked(ben)
    numbers = await said(ada, "admin stats")
    assert "Last 24 hours" in numbers
    assert "1 job" in numbers
    assert "Everything that Easel needs is allowed" in await said(ada, "admin check")
    rooms = await card(ada, "admin rooms")
    rooms = await chosen(ada, rooms, "Where do reports go", [ada.channel("#gallery")])
    await shut(ada, studio, "#gallery")
    check = await said(ada, "admin check")
    assert "(reports): **Attach Files** is missing" in check
    assert "Edit Channel" in check


async def shut(person: Person, studio: Studio, name: str) -> None:
    """Take the right to attach files away in a channel, and wait until Easel knows."""
    channel, guild = person.channel(name), studio.easel.client.get_guild(guild_of(person))
    assert guild is not None
    heard = asyncio.create_task(studio.easel.client.wait_for("guild_channel_update", timeout=10))
    await asyncio.sleep(0)  # the task begins to listen
    person.world.change_channel(channel, overwrites=[Overwrite(id=str(guild.id), kind=0, deny=ATTACH_FILES)])
    await heard
