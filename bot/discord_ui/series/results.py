"""What came of a series, posted: the grids, the menu of cells, and what is blank.

Owns where it goes and that it goes there once. Refuses to know when a series is over.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import discord
from PIL import Image

from bot.discord_ui.cards import unshown_card
from bot.discord_ui.posting import places
from bot.discord_ui.posting.nonces import custom_ids, is_card_of
from bot.discord_ui.reply import Attachment, Reply
from bot.discord_ui.series.cards import Named, ResultFacts, menu_card, more_card, result_card
from bot.discord_ui.series.composing import FILE_LIMIT, cell_picture, grids
from bot.discord_ui.view import layout as view_of
from bot.requests.plots.infotext import grid_text
from bot.requests.plots.layout import Layout, from_text
from inference.client.clock import Clock
from storage.database import Database
from storage.errors import Missing, RequestUnreadable
from storage.series_values import Cell, Series
from storage.values import Address, JobState

log = logging.getLogger(__name__)

PAUSES: Final = (2.0, 10.0, 60.0, 300.0)
"""Seconds before each further try while Discord does not answer; the last is repeated."""
SEARCHED: Final = 200
"""Messages of a channel that are looked through for a card that is there already."""
MESSAGE_LIMIT: Final = 22 * 2**20
"""Bytes of the files of one message; Discord takes 25 MiB."""
FILES: Final = 10
SMALLEST: Final = 2**19
"""Bytes of a grid below which nothing smaller is tried when Discord refuses it."""
PIXELS: Final = 100_000_000
"""Pixels of all cells together that are kept while grids are drawn; more are drawn smaller: no message could carry them."""
_LARGE: Final = frozenset({413, 400})
"""Answers of Discord that smaller files may change."""


class Results:
    """Posts results with `client`. `now` is seconds since 1970."""

    def __init__(self, client: discord.Client, *, db: Database, clock: Clock, now: Callable[[], float]) -> None:
        self._client, self._db, self._clock, self._now = client, db, clock, now
        self.may_post: places.MayPost | None = None
        """Asked where grids may be shown; where nobody is, everywhere."""

    async def show(self, series: Series, layout: Layout) -> None:
        """Post the grids of `series`, mark it as done and take its card away. Raises DatabaseUnavailable."""
        limit = FILE_LIMIT
        while True:
            cards = await self._cards(series, layout, limit=limit)
            try:
                message, channel = await self._post_all(series, cards)
                break
            except discord.HTTPException as error:
                if error.status not in _LARGE or limit <= SMALLEST:
                    log.exception("The grids of series %d cannot be sent", series.id)
                    message, channel = 0, series.address.channel
                    break
                limit //= 2
        await self._db.series.finish(series.id, message=message, channel=channel, now=self._now())
        await self._take_card_away(series)

    async def menu_of(self, series: Series, *, page: int) -> Reply:
        """A page of the menu of a finished series, for one person alone."""
        facts = await self._facts(series, from_text(series.layout))
        return menu_card(series.id, facts.painted, page=page)

    async def _cards(self, series: Series, layout: Layout, *, limit: int) -> list[Reply]:
        facts = await self._facts(series, layout)
        pictures, text = await self._pictures(await self._db.series.cells(series.id))
        made: Sequence[Attachment] = ()
        if pictures:
            made = await asyncio.to_thread(
                grids,
                layout,
                pictures,
                name=f"easel-{series.kind}-{series.id}",
                title=series.title,
                infotext=grid_text(text, layout.facts) if text else "",
                limit=limit,
            )
        first, *rest = parcels(made) or [()]
        return [result_card(facts, first), *(more_card(each) for each in rest)]

    async def _pictures(self, cells: Sequence[Cell]) -> tuple[dict[int, Image.Image], str]:
        """The pictures of the painted cells, and the parameter text of the first."""
        pictures: dict[int, Image.Image] = {}
        text, side = "", None
        for cell in cells:
            files: list[bytes] = []
            for number in cell.images:
                with contextlib.suppress(Missing, RequestUnreadable):
                    files.append(await self._db.images.data(number))
                    image = None if text else await self._db.images.get(number)
                    text = text or (image.infotext if image else "")
            if files:
                picture = await asyncio.to_thread(cell_picture, files, side=side)
                if not pictures and picture.width * picture.height * len(cells) > PIXELS:
                    side = int((PIXELS / len(cells)) ** 0.5)
                pictures[cell.ordinal] = picture
        return pictures, text

    async def _facts(self, series: Series, layout: Layout) -> ResultFacts:
        cells = await self._db.series.cells(series.id)
        ordered = sorted(cells, key=lambda cell: layout.places[cell.ordinal])
        return ResultFacts(
            series=series.id,
            person=series.address.person,
            kind=series.kind,
            title=series.title,
            words=layout.words,
            painted=tuple(Named(cell.ordinal, cell.label) for cell in ordered if cell.images),
            failed=tuple(
                Named(cell.ordinal, cell.label, cell.reason) for cell in ordered if cell.state is JobState.FAILED
            ),
            left=sum(cell.state in {None, JobState.CANCELLED} and not cell.images for cell in cells),
            seconds=await self._seconds(cells),
        )

    async def _seconds(self, cells: Sequence[Cell]) -> float:
        total = 0.0
        for cell in cells:
            with contextlib.suppress(RequestUnreadable):
                job = None if cell.job is None else await self._db.jobs.get(cell.job)
                total += 0.0 if job is None else job.seconds
        return total

    # -- posting ------------------------------------------------------------------------------------------------------

    async def _post_all(self, series: Series, cards: Sequence[Reply]) -> tuple[int, int]:
        """The first card where the series was asked for, else in direct messages, else nowhere; the others after it."""
        channels: list[Callable[[], Any]] = []
        if not series.address.private and await self._may_show(series, directly=False):
            channels.append(self._channel_of(series))
        if await self._may_show(series, directly=True):
            channels.append(self._conversation_of(series))
        if not channels:
            return await self._say_unshown(series)
        for channel_of in channels:
            try:
                channel = await self._patiently(series, channel_of)
                message = await self._patiently(series, lambda c=channel: self._once(series, c, cards[0]))
            except places.SHUT as error:
                log.info("Series %d cannot be shown there: %s", series.id, error)
                continue
            for number, card in enumerate(cards[1:], 1):
                with contextlib.suppress(*places.SHUT):
                    await self._patiently(
                        series, lambda c=channel, n=number, r=card: self._post(series, c, r, number=n)
                    )
            return message, channel
        return 0, series.address.channel

    async def _may_show(self, series: Series, *, directly: bool) -> bool:
        if self.may_post is None:
            return True
        return await self.may_post(await self._db.series.requests(series.id), series.address, directly=directly)

    async def _say_unshown(self, series: Series) -> tuple[int, int]:
        """In the channel, without a picture: where the pictures are."""
        channel = series.address.channel
        with contextlib.suppress(*places.SHUT):
            await self._patiently(
                series, lambda: self._post(series, channel, unshown_card(series.address.person), number=0)
            )
        return 0, channel

    def _channel_of(self, series: Series) -> Callable[[], Any]:
        async def channel() -> int:
            return series.address.channel

        return channel

    def _conversation_of(self, series: Series) -> Callable[[], Any]:
        async def channel() -> int:
            return await places.conversation(self._client, series.address.person)

        return channel

    async def _patiently(self, series: Series, act: Callable[[], Any]) -> int:
        tries = 0
        while True:
            try:
                return await act()
            except Exception as error:
                if not places.passes(error):
                    raise
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                log.warning("Series %d could not be posted (%s); another try in %.0f s", series.id, error, pause)
                tries += 1
                await self._clock.sleep(pause)

    async def _once(self, series: Series, channel: int, card: Reply) -> int:
        """Post unless a try before a crash made the message already: the nonce for minutes, then the channel's history."""
        found = await self._find(series, channel, card)
        return found or await self._post(series, channel, card, number=0)

    async def _post(self, series: Series, channel: int, card: Reply, *, number: int) -> int:
        message = await places.post(self._client, channel, card, nonce=f"easel-s{series.id}-{number}")
        return message.id

    async def _find(self, series: Series, channel: int, card: Reply) -> int | None:
        wanted = set(custom_ids(view_of(card).to_components()))
        after = discord.Object(series.card_message) if series.card_channel == channel and series.card_message else None
        if after is None:
            return None
        room = self._client.get_partial_messageable(channel)
        with contextlib.suppress(discord.Forbidden):
            async for message in room.history(limit=SEARCHED, after=after):
                mine = self._client.user is not None and message.author.id == self._client.user.id
                parts: list[Any] = [part.to_dict() for part in message.components]
                if mine and is_card_of(parts, wanted):
                    return message.id
        return None

    async def _take_card_away(self, series: Series) -> None:
        if not series.card_message:
            return
        address = series.address
        if series.card_channel != address.channel:
            address = Address(channel=series.card_channel, guild=None, person=address.person)
        try:
            await places.take_away(self._client, address, series.card_message, now=self._now())
        except (discord.HTTPException, *places.PASSING) as error:
            log.info("The card of series %d could not be taken down: %s", series.id, error)


def parcels(made: Sequence[Attachment]) -> list[tuple[Attachment, ...]]:
    """Files in messages of at most ten, and of no more bytes than Discord takes."""
    parcels: list[tuple[Attachment, ...]] = []
    for file in made:
        last = parcels[-1] if parcels else ()
        size = sum(len(each.data) for each in last) + len(file.data)
        if parcels and len(last) < FILES and size <= MESSAGE_LIMIT:
            parcels[-1] = (*last, file)
        else:
            parcels.append((file,))
    return parcels
