"""Fixtures of the end-to-end tests: a loopback Discord whose traffic is judged by Discord's own description, and people."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot.sandbox.clock import ShiftedClock
from bot.sandbox.conformance import Conformance
from bot.sandbox.driver import Person
from bot.sandbox.page.page import mount
from bot.sandbox.server import Loopback
from bot.settings import PROJECT, SandboxSettings
from inference.client.gates import HeldGate
from tests.e2e.browser import PACKAGE, find_browser
from tests.e2e.easel import Studio, settings_in, studio_at
from tests.e2e.surface import USED

OPENAPI = PROJECT / SandboxSettings().openapi
"""Discord's OpenAPI description; where a clone does not have it, the traffic is not compared with it."""

Connect = Callable[[discord.Client], Awaitable[None]]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the look back at what was used last; it says something of a run with all of these tests only."""
    _leave_out_the_page(config, items)
    here = Path(__file__).parent
    files = {item.path for item in items if item.path.is_relative_to(here)}
    looks_back = [item for item in items if item.path.name == "test_surface.py"]
    whole = files >= set(here.glob("test_*.py")) and not config.option.keyword
    items[:] = [item for item in items if item not in looks_back]
    if whole:
        items += looks_back
    elif looks_back:
        config.hook.pytest_deselected(items=looks_back)


def _leave_out_the_page(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the page's tests out where no browser is, and say which package to install; EASEL_NEEDS_BROWSER forbids that."""
    left_out = [item for item in items if item.get_closest_marker("page")]
    if not left_out or find_browser() or os.environ.get("EASEL_NEEDS_BROWSER"):
        return
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    print(f"\nNo browser: {len(left_out)} tests of the page are left out. Install the package {PACKAGE} to run them.")  # noqa: T201


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once that the comparison with Discord's description did not take place, where it did not."""
    if not OPENAPI.exists():
        terminalreporter.write_line(f"No {OPENAPI}: requests were not compared with Discord's OpenAPI description.")


@pytest.fixture(scope="session")
def openapi() -> Conformance | None:
    """Discord's description, read once a run."""
    return Conformance.load(OPENAPI)


@pytest.fixture
def clock() -> ShiftedClock:
    """The loopback's clock: it runs, and `clock.advance(900)` makes every token fifteen minutes old."""
    return ShiftedClock()


@pytest.fixture
async def loopback(openapi: Conformance | None, clock: ShiftedClock) -> AsyncIterator[Loopback]:
    """A loopback Discord with the default server and its page; anything that breaks Discord's description fails the test."""
    if openapi is not None:
        openapi.violations.clear()
    server = Loopback(conformance=openapi, clock=clock, mounts=[mount])
    await server.start()
    yield server
    USED.note(server)
    await server.stop()
    assert not server.violations, "\n".join(server.violations)


@pytest.fixture
def ada(loopback: Loopback) -> Person:
    """The owner of the server."""
    return loopback.person("Ada")


@pytest.fixture
def ben(loopback: Loopback) -> Person:
    """A member without rights of his own."""
    return loopback.person("Ben")


@pytest.fixture
async def connect(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connect]:
    """Logs a discord.py client in to the loopback Discord and waits until it is ready; closes it afterwards."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    running: list[tuple[discord.Client, asyncio.Task[None]]] = []

    async def log_in(client: discord.Client) -> None:
        task = asyncio.create_task(client.start(loopback.token))
        running.append((client, task))
        ready = asyncio.create_task(_until_ready(client))
        done, _ = await asyncio.wait({task, ready}, timeout=15, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if task in done:
            await task
        assert ready in done, "the client did not become ready"

    yield log_in
    for client, task in running:
        await client.close()
        await asyncio.gather(task, return_exceptions=True)


async def _until_ready(client: discord.Client) -> None:
    """`Client.wait_until_ready` refuses before the login has begun; the event is dispatched either way."""
    ready = asyncio.Event()
    own: Callable[[], Awaitable[None]] | None = getattr(client, "on_ready", None)

    async def on_ready() -> None:
        if own is not None:
            await own()
        ready.set()

    client.on_ready = on_ready  # type: ignore[attr-defined]
    await ready.wait()


@pytest.fixture
def gate() -> HeldGate:
    """Holds every job at every point."""
    return HeldGate()


@pytest.fixture
def discord_here(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py talks to the loopback."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))


@pytest.fixture
async def held(discord_here: None, loopback: Loopback, tmp_path: Path, gate: HeldGate) -> AsyncIterator[Studio]:
    """A studio whose painter stands still until the gate lets it go."""
    async with studio_at(settings_in(tmp_path), token=loopback.token, gate=gate) as studio:
        yield studio


@pytest.fixture
async def quick(discord_here: None, loopback: Loopback, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio whose painter is done at once."""
    async with studio_at(settings_in(tmp_path), token=loopback.token) as studio:
        yield studio
