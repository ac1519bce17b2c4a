"""What stands on the desk of whoever answers a person: the memory, the queue, the painter's shelf, and the settings.

Owns nothing; it is handed to every command, button and reaction, so that none of them looks for anything elsewhere.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import discord

from bot.completion.tags import Tags, tag_folders
from bot.discord_ui.admin.chores import Chores
from bot.discord_ui.admin.policies import Policies
from bot.discord_ui.crowd import Crowd
from bot.discord_ui.debounce import Recent
from bot.discord_ui.gallery.exports import Exports
from bot.discord_ui.prompting import Prompts
from bot.downloads.adding import Ways, ways_of
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.maps import MapMaker
from bot.requests.wildcards import Wildcards, wildcard_folders
from bot.settings import Settings
from inference.api.backend import Backend, BackendUnavailable
from inference.api.request import SEED_LIMIT
from inference.api.result import Inventory
from storage.database import Database

if TYPE_CHECKING:
    from bot.discord_ui.gallery.showcase import Showcase
    from bot.discord_ui.posting.board import Board
    from bot.discord_ui.series.runs import Runs

Asked = discord.Interaction[Any]
LOOK_AGAIN: float = 30.0
"""Seconds between two looks into the models folders, whoever asks for them."""
WARM_UP: float = 120.0
"""Seconds that a question waits for a painter that is just starting."""


def random_seed() -> int:
    """A seed that nobody chose."""
    return secrets.randbelow(SEED_LIMIT)


@dataclass(slots=True)
class Desk:
    """`now` is seconds since 1970; `seed` gives a seed where none is asked for. `board` keeps the queue cards up to date,
    `series` those of many pictures at once.

    `policies` are the servers' rules; `wildcards` the operator's files of words, `prompts` what completes a prompt. `ways` is
    how models are added, `chores` what is being done to them. `maps`
    makes what controls are looked at with. `crowd` counts those whose wishes are being made and queued at this moment.
    """

    settings: Settings
    db: Database
    backend: Backend
    dispatcher: Dispatcher
    board: "Board"
    series: "Runs"
    now: Callable[[], float] = time.time
    seed: Callable[[], int] = random_seed
    crowd: Crowd = field(default_factory=Crowd)
    policies: Policies = field(init=False)
    wildcards: Wildcards = field(init=False)
    prompts: Prompts = field(init=False)
    ways: Ways = field(init=False)
    maps: MapMaker = field(init=False)
    reactions: Recent = field(default_factory=Recent)
    exports: Exports = field(default_factory=Exports)
    chores: Chores = field(default_factory=Chores)
    showcase: "Showcase | None" = None
    warm: asyncio.Event = field(default_factory=asyncio.Event)
    _shelf: Inventory = field(default_factory=Inventory)
    _looked: float | None = None
    _looking: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.ways = ways_of(self.settings)
        self.policies = Policies(self.db, self.settings, now=self.now)
        self.wildcards = Wildcards(wildcard_folders(self.settings.model_folders))
        self.maps = MapMaker(self.backend)
        self.prompts = Prompts(Tags(tag_folders(self.settings.model_folders)), self.wildcards, now=self.now)

    def shelf(self) -> Inventory:
        """Models as last seen, at once; empty before the painter is up for the first time."""
        if self.backend.ready is not None:
            self._shelf = self.backend.ready.inventory
        return self._shelf

    async def inventory(self) -> Inventory:
        """Models, once the painter has been up. Raises BackendUnavailable when it does not come up in time."""
        if self.backend.ready is None and not self._shelf.checkpoints:
            try:
                async with asyncio.timeout(WARM_UP):
                    await self.warm.wait()
            except TimeoutError as error:
                raise BackendUnavailable("The painter did not come up in time.") from error
        return self.shelf()

    async def found_more(self, *, again_after: float = LOOK_AGAIN) -> bool:
        """Have the painter look into its folders again, unless it did so just now; whether its shelf is another one then."""
        before = self.shelf()
        self.look(again_after=again_after)
        if self._looking is not None:
            await asyncio.shield(self._looking)
        return self.shelf() != before

    def look(self, *, again_after: float = LOOK_AGAIN) -> None:
        """The same without waiting: for suggestions, which cannot wait. Nothing while the painter is not up."""
        recent = self._looked is not None and 0 <= self.now() - self._looked < again_after
        if self.backend.ready is None or recent or (self._looking is not None and not self._looking.done()):
            return
        self._looked = self.now()
        self._looking = asyncio.create_task(self._look(), name="look into the models folders")

    async def _look(self) -> None:
        """Ends by itself when the painter is closed, at the latest after WARM_UP."""
        with suppress(BackendUnavailable, TimeoutError):
            async with asyncio.timeout(WARM_UP):
                await self.backend.refresh()
