"""The doctor with a token: the real discord.py asks the loopback Discord, as it would ask Discord."""

import socket
from pathlib import Path

import discord
import pytest
from pydantic import SecretStr

from bot.commands.checks.account import account_findings
from bot.commands.checks.finding import Level
from bot.commands.doctor import examine
from bot.discord_ui.account import look_up
from bot.errors import SetupError
from bot.sandbox.faults import on
from bot.sandbox.model import Overwrite
from bot.sandbox.permissions import ATTACH_FILES, VIEW_CHANNEL
from bot.sandbox.server import Loopback
from bot.settings import DiscordSettings, InferenceSettings, PathSettings, Settings


@pytest.fixture(autouse=True)
def stand_in(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py talks to the loopback Discord."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)


def settings_in(folder: Path, token: str, *, guild: int = 0) -> Settings:
    """Settings with the painter of gradients, a token, and everything else in `folder`."""
    (folder / "models").mkdir()
    return Settings(
        paths=PathSettings(data=folder / "data", models=folder / "models"),
        inference=InferenceSettings(backend="fake"),
        discord=DiscordSettings(guild=guild),
        EASEL_DISCORD_TOKEN=SecretStr(token),
    )


async def test_an_account_and_what_it_may(loopback: Loopback) -> None:
    """Name, server and channels as they are; the invitation asks for the bot, its commands and its rights."""
    account = await look_up(loopback.token)
    (place,) = account.places
    assert (place.name, place.missing, place.usable, place.channels) == ("Easel Studio", (), 4, 4)
    assert account.endpoint is False
    assert f"client_id={loopback.world.bot_id}" in account.invitation
    assert "applications.commands" in account.invitation


async def test_what_a_channel_and_a_server_take_away(loopback: Loopback) -> None:
    """A channel that hides itself from the bot counts against it; a right that the server withholds is named."""
    world = loopback.world
    (guild,) = world.guilds.values()
    (paint,) = (channel for channel in world.channels.values() if channel.name == "paint")
    world.change_channel(paint.id, overwrites=[Overwrite(id=world.bot_id, kind=1, allow=0, deny=VIEW_CHANNEL)])
    (place,) = (await look_up(loopback.token)).places
    assert (place.missing, place.usable, place.channels) == ((), 3, 4)
    guild.roles[guild.id].permissions &= ~ATTACH_FILES
    (place,) = (await look_up(loopback.token)).places
    assert (place.missing, place.usable) == (("attach_files",), 0)


@pytest.mark.parametrize("token", ["not a token", "not a\ntoken"])
async def test_a_refused_token_says_where_to_get_another(tmp_path: Path, token: str) -> None:
    """Discord's refusal is a fault with the address of the page that gives tokens; the token itself is not printed."""
    (finding,) = await account_findings(settings_in(tmp_path, token))
    assert finding.level is Level.FAULT
    assert finding.found == "Discord refuses the token in EASEL_DISCORD_TOKEN"
    assert "discord.com/developers" in finding.advice


async def test_no_network_is_told_apart_from_a_bad_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, the token is not blamed."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{port}/api/v10")
    with pytest.raises(SetupError, match="Discord cannot be reached"):
        await look_up("any token")


async def test_discords_own_trouble_is_told_apart_as_well(loopback: Loopback) -> None:
    """A ban for too many requests is Discord's word, not the token's or the network's."""
    loopback.faults.rate_limit(on("GET", "/users/@me"), via=False)
    with pytest.raises(SetupError, match="status 429"):
        await look_up(loopback.token)


async def test_a_healthy_easel_has_status_0(
    tmp_path: Path, loopback: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    """Machine, painter, models, database, token, server and invitation are all in the report, and Easel can work."""
    assert await examine(settings_in(tmp_path, loopback.token)) == 0
    printed = capsys.readouterr().out
    topics = [line[7:20].strip() for line in printed.splitlines() if line[:7].strip()]
    assert [topic for topic in topics if topic != "Model"][:-1] == [
        "Python",
        "Disk",
        "Card",
        "Painter",
        "Default",
        "Database",
        "Token",
        "Server",
        "Invitation",
    ]
    assert "Easel can paint and answer" in printed.splitlines()[-1]
    assert loopback.token not in printed


async def test_a_fault_has_status_1(tmp_path: Path, loopback: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    """One fault among many good lines is enough for status 1, and the last line counts it."""
    assert await examine(settings_in(tmp_path, loopback.token, guild=5)) == 1
    printed = capsys.readouterr().out
    assert "fault  Servers" in printed
    assert printed.splitlines()[-1].startswith("Easel cannot work like this: mend the 1 marked")
