"""/admin model with the real client, the real tools' program and real SQLite: who may, what is shown, logged and found."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from msgspec.structs import replace

from bot.sandbox.driver import Json, Person
from bot.sandbox.permissions import MANAGE_GUILD
from bot.sandbox.places import add_role, give_role
from bot.sandbox.server import Loopback
from bot.settings import ModerationSettings, PathSettings, Settings
from inference.client.local import LocalBackend
from storage.guild_settings import EVERYWHERE
from tests.checkpoints import write_tiny_checkpoint
from tests.e2e.easel import Studio, parts_of, settings_in, studio_at, words_of
from tests.unit.bot.downloads.shelf_server import HERE, Shelf, lora_bytes, serving

LONG = 240.0
"""Seconds for a program of the engine's to start and end on a busy machine."""


@pytest.fixture
def here(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """discord.py talks to the loopback."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    return loopback


@pytest.fixture
def cleo(loopback: Loopback) -> Person:
    """An operator."""
    return loopback.person("Cleo")


def settings_with(folder: Path, operator: Person) -> Settings:
    """Settings with a models folder of the test's own."""
    changes = {
        "moderation": ModerationSettings(operators=(int(operator.id),)),
        "paths": PathSettings(data=folder / "data", models=folder / "models"),
    }
    (folder / "models").mkdir()
    return settings_in(folder, count=1).model_copy(update=changes)


@pytest.fixture
async def studio(here: Loopback, tmp_path: Path, cleo: Person) -> AsyncIterator[Studio]:
    """A studio whose operator is Cleo; Ada owns the server and the application."""
    async with studio_at(settings_with(tmp_path, cleo), token=here.token) as running:
        yield running


async def use(person: Person, command: str, where: str = "#paint", /, **options: object) -> Json:
    """The card that a command shows, to this person alone."""
    return await (await person.slash(command, where, **options)).answered()


async def said(person: Person, command: str, where: str = "#paint", /, **options: object) -> str:
    """What the answer to a command says."""
    return words_of(await use(person, command, where, **options)).replace("\\", "")


async def ended(person: Person, card: Json) -> str:
    """What a card says when it has no 🛑 any more."""

    def now() -> str:
        seen = person.message(card)
        assert seen is not None
        running = any("custom_id" in part for part in parts_of(seen))
        return "" if running else words_of(seen).replace("\\", "")

    return await person.until(now, timeout=LONG)


async def test_a_server_is_not_enough(studio: Studio, here: Loopback, ada: Person, ben: Person, cleo: Person) -> None:
    """Who manages a server may not change the operator's machine; operators and the application's owner may, also in private."""
    (guild,) = here.world.guilds
    give_role(here.world, guild, ben.id, add_role(here.world, guild, "Managers", permissions=MANAGE_GUILD).id)
    for command in ("admin model jobs", "admin model check"):
        assert "only this Easel's operators may" in await said(ben, command)
    assert "only this Easel's operators may" in await said(ben, "admin model add", source="ada/fox")
    assert "only this Easel's operators may" in await said(ben, "admin model jobs", ben.open_dm())
    for person in (ada, cleo):
        assert "Nothing is being done" in await said(person, "admin model jobs", person.open_dm())
    assert "Nothing is being done" in await said(ada, "admin model jobs")
    assert "does not run any more" in await said(ada, "admin model cancel", job=7)


async def test_adding_by_a_link_and_by_a_file(studio: Studio, ada: Person, tmp_path: Path) -> None:
    """A download comes to its shelf, is logged, and its card says what it is; a sent file too; a lie leaves nothing."""
    desk = studio.easel.desk
    lora = tmp_path / "models" / "Lora"
    async with serving(Shelf()) as shelf:
        desk.ways = replace(desk.ways, reach=HERE, pauses=())
        card = await use(ada, "admin model add", source=f"{shelf.url}files/fox.safetensors")
        assert card["flags"] & 64
        words = await ended(ada, card)
        assert "fox.safetensors` is a LoRA for Stable Diffusion 1" in words
        assert "models/Lora" in words
        assert (lora / "fox.safetensors").read_bytes() == shelf.data
        card = await use(ada, "admin model add", source=f"{shelf.url}files/bear.safetensors", sha256="0" * 64)
        assert "Nothing was kept" in await ended(ada, card)
    card = await use(ada, "admin model add", source="http://10.0.0.1/x.safetensors")
    assert "not a public address" in await ended(ada, card)
    assert "one of the two" in await said(ada, "admin model add")
    sent = ("wolf.safetensors", lora_bytes(fill=b"\x01"))
    assert "a LoRA" in await ended(ada, await use(ada, "admin model add", file=sent))
    assert sorted(path.name for path in lora.iterdir()) == ["fox.safetensors", "wolf.safetensors"]
    guild = int(ada.world.channel(ada.channel("#paint")).guild_id or 0)
    told = [entry.words for entry in (await desk.db.guilds.log(guild)).entries]
    assert [words.split(",")[0] for words in told] == ["Added `wolf.safetensors`", "Added `fox.safetensors`"]
    assert (await desk.db.guilds.log(EVERYWHERE)).total == 0


async def test_cancelling(studio: Studio, ada: Person, tmp_path: Path) -> None:
    """🛑 ends a download that hangs, and its card says that what arrived is kept; it is in the list while it runs."""
    desk = studio.easel.desk
    async with serving(Shelf(cut=[3000])) as shelf:
        desk.ways = replace(desk.ways, reach=HERE, pauses=(3600.0,))
        card = await use(ada, "admin model add", source=f"{shelf.url}files/fox.safetensors")
        async with asyncio.timeout(LONG):
            while not any(chore.done >= 3000 for chore in desk.chores.running):  # noqa: ASYNC110 - nothing tells of bytes
                await asyncio.sleep(0)
        listed = await use(ada, "admin model jobs")
        assert "**1.** Adding" in words_of(listed)
        stop = next(part["custom_id"] for part in parts_of(listed) if "custom_id" in part)
        await ada.click(listed, stop)
        assert "Cancelled. What arrived is kept" in await ended(ada, card)
        shelf.taken.set()
    assert desk.chores.running == ()
    assert [path.suffix for path in sorted((tmp_path / "models" / ".downloads").iterdir())] == [".json", ".part"]


async def test_converting_merging_and_checking(here: Loopback, tmp_path: Path, ada: Person, cleo: Person) -> None:
    """With the real painter: what is made is in the pickers when its card says so; a check finds a page."""
    settings = settings_with(tmp_path, cleo)
    shelf = tmp_path / "models" / "Stable-diffusion"
    ant, bee = (
        write_tiny_checkpoint(shelf / "ant.safetensors"),
        write_tiny_checkpoint(shelf / "bee.safetensors", seed=2),
    )
    write_tiny_checkpoint(shelf / "xl.safetensors", family="sdxl")
    before = ant.read_bytes(), bee.read_bytes()
    async with studio_at(settings, token=here.token, painter=LocalBackend(settings.engine())) as studio:
        desk = studio.easel.desk
        await desk.inventory()
        card = await use(ada, "admin model convert", model="ant", precision="bf16", fix_clip=True)
        words = await ended(ada, card)
        assert "`ant-bf16-clip-fix.safetensors`" in words
        assert "position ids were missing" in words
        assert "ant-bf16-clip-fix" in {info.name for info in desk.shelf().checkpoints}
        assert "did you mean “ant”" in await said(ada, "admin model convert", model="ants")
        assert "already a file" in await ended(
            ada, await use(ada, "admin model convert", model="ant", precision="bf16", fix_clip=True)
        )
        card = await use(ada, "admin model merge", a="ant", b="bee", multiplier=0.5)
        assert "`0.5(ant) + 0.5(bee).safetensors`" in await ended(ada, card)
        assert "0.5(ant) + 0.5(bee)" in {info.name for info in desk.shelf().checkpoints}
        for options, refused in (
            ({"b": "xl"}, "only checkpoints of one family"),
            ({"b": "bee", "multiplier": 7.0}, "from 0"),
        ):
            assert refused in await ended(ada, await use(ada, "admin model merge", a="ant", **options))
        (shelf / "page.safetensors").write_text("<html>" * 20, encoding="utf-8")
        words = await ended(ada, await use(ada, "admin model check"))
        assert "6 files" in words
        assert "page.safetensors is a text file" in words
    assert (ant.read_bytes(), bee.read_bytes()) == before
