"""The way in: settings in, a running Easel out, on Discord or in the sandbox. `bot.studio` joins the rooms.

With a token the client talks to Discord. Without one it talks to the sandbox, which runs in the same event loop.
"""

import asyncio
import contextlib
import logging
import signal
import webbrowser
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_ui.account import REFUSED, TROUBLE, UNREACHABLE
from bot.errors import SetupError
from bot.sandbox.page.page import mount
from bot.sandbox.server import HOST, Loopback
from bot.settings import Settings
from bot.studio import studio
from inference.api.backend import BackendUnavailable
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)


async def run_easel(settings: Settings, *, stop: asyncio.Event | None = None) -> int:
    """Run until `stop` is set or a signal asks for the end; returns the exit status. Raises SetupError."""
    stop = stop or asyncio.Event()
    _listen_for_signals(stop)
    if settings.token is not None:
        await _connect(settings, token=settings.token.get_secret_value(), stop=stop)
        return 0
    async with sandbox(settings) as loopback:
        log.info("Easel's sandbox is at %s", loopback.urls.page)
        if settings.sandbox.open_browser:
            await asyncio.to_thread(webbrowser.open, loopback.urls.page)
        await _connect(settings, token=loopback.token, stop=stop)
    return 0


@contextlib.asynccontextmanager
async def sandbox(settings: Settings) -> AsyncGenerator[Loopback]:
    """The loopback Discord with its page, and discord.py pointed at it until the end. Raises SetupError: the port is taken."""
    loopback = Loopback(folder=settings.data / "sandbox", mounts=[mount])
    try:
        urls = await loopback.start(settings.sandbox.port)
    except OSError as error:
        raise SetupError(
            f"Port {settings.sandbox.port} is taken; set another in [sandbox] of config.toml, or 0 for any free one."
        ) from error
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    try:
        point_discord_at(api=urls.api, gateway=urls.gateway)
        yield loopback
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
        await loopback.stop()


def point_discord_at(*, api: str, gateway: str) -> None:
    """Make discord.py talk to a stand-in. Raises SetupError unless both addresses are on this machine's loopback."""
    for address in (api, gateway):
        if urlsplit(address).hostname != HOST:
            raise SetupError(f"A stand-in for Discord must be at {HOST}, not at {address}.")
    Route.BASE = api
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


async def _connect(settings: Settings, *, token: str, stop: asyncio.Event) -> None:
    """Log in and serve until `stop`, or until the client or the painter's first start ends with an error."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    running: asyncio.Task[None] | None = None
    try:
        async with studio(settings) as easel:
            running = asyncio.create_task(easel.client.start(token), name="discord")
            await asyncio.wait({running, stopping, easel.failing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (running, easel.failing):
                if task.done():
                    task.result()
    except (discord.LoginFailure, ValueError) as error:
        raise SetupError(REFUSED) from error  # ValueError: aiohttp will not even send a header with a line break in it
    except (BackendUnavailable, DatabaseUnavailable) as error:
        raise SetupError(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise SetupError(UNREACHABLE.format(error)) from error
    except discord.HTTPException as error:
        raise SetupError(TROUBLE.format(error.status)) from error
    except discord.DiscordException as error:
        raise SetupError(f"Discord ended the connection: {error}") from error
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, *([running] if running else []), return_exceptions=True)


def _listen_for_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and a polite end set `stop`; where loops take no handlers (Windows) Ctrl-C ends `asyncio.run` itself."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
