"""The composition root: the sandbox with the bot in it, as one."""

import asyncio
import signal
from pathlib import Path

import discord
import pytest
from pydantic import SecretStr

from bot.app import point_discord_at, run_easel, sandbox
from bot.errors import SetupError
from bot.settings import PathSettings, SandboxSettings, Settings


def settings_in(folder: Path, *, token: str | None = None) -> Settings:
    """Settings whose data lies in `folder`."""
    return Settings(
        paths=PathSettings(data=folder),
        sandbox=SandboxSettings(open_browser=False),
        EASEL_DISCORD_TOKEN=None if token is None else SecretStr(token),
    )


async def test_a_signal_ends_everything_and_discord_is_itself_again(tmp_path: Path) -> None:
    """Asked to end while it connects, Easel returns with status 0 and leaves discord.py's addresses as they were."""
    before = discord.http.Route.BASE
    running = asyncio.create_task(run_easel(settings_in(tmp_path)))
    await asyncio.sleep(0)
    signal.raise_signal(signal.SIGTERM)
    assert await asyncio.wait_for(running, 20) == 0
    assert before == discord.http.Route.BASE


async def test_a_refused_token_is_a_sentence(tmp_path: Path) -> None:
    """A token that Discord does not know says where to get another."""
    settings = settings_in(tmp_path, token="not a token")
    async with sandbox(settings_in(tmp_path / "other")):
        with pytest.raises(SetupError, match="refuses the token"):
            await asyncio.wait_for(run_easel(settings), 20)


@pytest.mark.parametrize("address", ["http://example.com/api", "http://127.0.0.1.example.com/api", "http://10.0.0.1"])
def test_a_stand_in_is_on_this_machine(address: str) -> None:
    """A token is never sent to a stand-in that is not on the loopback."""
    before = discord.http.Route.BASE
    with pytest.raises(SetupError, match=r"must be at 127\.0\.0\.1"):
        point_discord_at(api=address, gateway="ws://127.0.0.1:1/gateway")
    assert before == discord.http.Route.BASE
