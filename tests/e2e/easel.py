"""Easel in the loopback Discord, for tests: a whole studio over a folder, with a painter that can be held, and what cards say."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.discord_ui.actions import Action, read_ticket
from bot.sandbox.driver import Json, Person
from bot.settings import GenerationSettings, LimitSettings, PathSettings, SandboxSettings, Settings
from bot.studio import Easel, studio
from inference.api.backend import Backend
from inference.client.clock import Clock, HandClock
from inference.client.fake import FakeBackend
from inference.client.gates import Gate

COMMANDS = {
    "imagine",
    "form",
    "queue",
    "gallery",
    "style",
    "seed",
    "wildcards",
    "plot",
    "matrix",
    "prompts",
    "lora",
    "model",
}


@dataclass(slots=True)
class Studio:
    """A running studio. `clock` is what its board waits on; `painter` its backend."""

    easel: Easel
    clock: Clock
    painter: Backend

    async def refresh_cards(self) -> None:
        """As if the board's five seconds had passed."""
        await self.easel.desk.board.refresh()


def settings_in(folder: Path, *, count: int = 4, limits: LimitSettings | None = None) -> Settings:
    """Settings whose memory lies in `folder`, with four pictures (or `count`) to a bare /imagine."""
    return Settings(
        paths=PathSettings(data=folder),
        generation=GenerationSettings(count=count, steps=4),
        limits=limits or LimitSettings(),
        sandbox=SandboxSettings(open_browser=False),
    )


@asynccontextmanager
async def studio_at(
    settings: Settings,
    *,
    token: str,
    gate: Gate | None = None,
    painter: Backend | None = None,
    clock: Clock | None = None,
    now: Callable[[], float] | None = None,
) -> AsyncGenerator[Studio]:
    """A studio that is logged in to the loopback Discord that discord.py points at."""
    clock = clock or HandClock()
    painter = painter or FakeBackend(gate=gate)
    extra: dict[str, Any] = {} if now is None else {"now": now}
    running: asyncio.Task[None] | None = None
    try:
        async with studio(settings, backend=painter, clock=clock, guild_ready_timeout=0.02, **extra) as easel:
            running = asyncio.create_task(easel.client.start(token))
            ready = asyncio.create_task(easel.delivery.ready.wait())
            done, _ = await asyncio.wait({running, ready}, timeout=15, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if running in done:
                await running
            assert ready in done, "the studio did not log in"
            yield Studio(easel, clock, painter)
    finally:
        if running is not None:
            await asyncio.gather(running, return_exceptions=True)


def parts_of(message: Json) -> Iterator[Json]:
    """Every component of a message."""

    def walk(parts: list[Json]) -> Iterator[Json]:
        for part in parts:
            yield part
            yield from walk(part.get("components") or [])

    return walk(message["components"])


def words_of(message: Json) -> str:
    """All text of a card, and of a plain message."""
    return "\n".join([message["content"], *(part["content"] for part in parts_of(message) if part["type"] == 10)])


def pictures_of(message: Json) -> list[str]:
    """Addresses of the pictures that a card shows."""
    return [item["media"]["url"] for part in parts_of(message) if part["type"] == 12 for item in part["items"]]


def button_of(message: Json, action: Action, number: int = 0) -> str:
    """The custom_id of the `number`-th button of that action."""
    ids = [part["custom_id"] for part in parts_of(message) if "custom_id" in part]
    found = [each for each in ids if (ticket := read_ticket(each)) is not None and ticket.action is action]
    return found[number]


def is_result(message: Json) -> bool:
    """Whether a message shows finished pictures."""
    actions = {ticket.action for part in parts_of(message) if (ticket := read_ticket(part.get("custom_id", "")))}
    return bool(pictures_of(message)) and Action.DELETE in actions


async def result_in(person: Person, channel: str, *, after: str = "0") -> Json:
    """The first card with finished pictures that this person sees there."""
    return await person.wait_for_message(channel, is_result, after=after)


def results_in(person: Person, channel: str) -> list[Json]:
    """All cards with finished pictures there."""
    return [message for message in person.messages(channel) if is_result(message)]


async def bytes_at(url: str) -> bytes:
    """What lies behind an address of the loopback's files."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.read()


async def paint(person: Person, **options: object) -> Json:
    """A finished card for `person` in #paint."""
    before = person.messages("#paint")
    newest = before[-1]["id"] if before else "0"
    asked = await (await person.slash("imagine", "#paint", **{"prompt": "a red apple", **options})).answered()
    done = await result_in(person, "#paint", after=newest)
    await person.until(lambda: person.message(asked) is None)
    return done
