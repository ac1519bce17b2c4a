"""The showcase: a picture that enough people star is posted in the channel that its server chose for that, once.

Owns when it is posted and trying again. Stars of who asked for the picture do not count; stars that are taken off do not take
a picture down. It is a row before it is posted (`storage.showcase`), so that a restart neither forgets it nor posts it twice.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

import discord

from bot.discord_ui.desk import Desk
from bot.discord_ui.gallery.gate import check_showing
from bot.discord_ui.gallery.sharing import shared_of
from bot.discord_ui.gallery.sharing_cards import shared_card
from bot.discord_ui.posting import places
from bot.discord_ui.posting.finding import find_card
from bot.discord_ui.shown import picture_of
from bot.errors import EaselError
from storage.errors import StorageError
from storage.gallery_values import Shown

log = logging.getLogger(__name__)

PAUSES: Final = (2.0, 10.0, 60.0, 300.0)
"""Seconds before each further try while Discord does not answer; the last is repeated."""


class Showcase:
    """`client` must be logging in; `ready` says when it is, `sleep` waits for seconds."""

    def __init__(
        self, client: discord.Client, desk: Desk, *, ready: asyncio.Event, sleep: Callable[[float], Any]
    ) -> None:
        self._client, self._desk, self._ready, self._sleep = client, desk, ready, sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Take up what the last run left to post."""
        self._spawn(self._resume())

    async def stop(self) -> None:
        """End what waits; it is taken up at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def starred(self, image: int, guild: int | None) -> None:
        """Somebody starred a picture that was painted in `guild`: post it where it has earned that."""
        if guild is None:
            return
        settings = await self._desk.db.guilds.settings(guild)
        if not settings.showcase_channel:
            return
        earned = await self._desk.db.showcase.earn(
            image,
            guild=guild,
            channel=settings.showcase_channel,
            threshold=settings.star_threshold,
            now=self._desk.now(),
        )
        if earned is not None:
            self._spawn(self._until_posted(earned))

    async def take_down(self, posts: Iterable[Shown]) -> None:
        """Remove the posts of pictures that are being deleted. One that is gone already is nobody's loss."""
        for shown in posts:
            message = self._client.get_partial_messageable(shown.channel).get_partial_message(shown.message)
            try:
                await message.delete()
            except (discord.HTTPException, *places.PASSING) as error:
                log.info("Picture %d could not be taken out of its showcase: %s", shown.image, error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work, name="showcase")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resume(self) -> None:
        for shown in await self._desk.db.showcase.pending():
            self._spawn(self._until_posted(shown))

    async def _until_posted(self, shown: Shown) -> None:
        await self._ready.wait()
        tries = 0
        while True:
            try:
                await self._post(shown)
                return
            except (EaselError, StorageError, *places.SHUT) as error:
                log.info("Picture %d does not come into its showcase: %s", shown.image, error)
                await self._desk.db.showcase.lost(shown.image)
                return
            except Exception as error:
                if not places.passes(error):
                    log.exception("Picture %d cannot be posted in its showcase", shown.image)
                    await self._desk.db.showcase.lost(shown.image)
                    return
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                tries += 1
                log.warning("Picture %d could not be shown (%s); another try in %.0f s", shown.image, error, pause)
                await self._sleep(pause)

    async def _post(self, shown: Shown) -> None:
        """Post unless an earlier try, before a crash or a lost answer, made the message already."""
        image = await picture_of(self._desk.db, shown.image)
        target = self._client.get_channel(shown.channel)
        if not isinstance(target, discord.TextChannel | discord.Thread):
            raise ChannelGone(f"the channel {shown.channel} is gone")
        await check_showing(self._desk, self._client, image, target)
        stars = await self._desk.db.showcase.stars(image.id)
        card = shared_card(await shared_of(self._desk, image, stars=stars))
        latest = await self._desk.db.showcase.get(image.id)
        if latest is not None and latest.tried is not None:
            since = dt.datetime.fromtimestamp(latest.tried, dt.UTC)
            found = await find_card(self._client, shown.channel, card, since=since)
            if found is not None:
                await self._desk.db.showcase.sent(image.id, found)
                return
        await self._desk.db.showcase.begin(image.id, now=self._desk.now())
        message = await places.post(self._client, shown.channel, card, nonce=f"easel-star-{image.id}")
        await self._desk.db.showcase.sent(image.id, message.id)


class ChannelGone(EaselError):
    """There is no channel of that id to post in."""
