"""From the database to the facts of the gallery's cards.

Owns what is read for each, who may look at a picture, and that pixels are handled in threads. Refuses to know words.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.discord_ui.desk import Desk
from bot.discord_ui.gallery.pages import HomeFacts, OpenedFacts, PageFacts, Thumb, UsageFacts
from bot.discord_ui.gallery.parting import Belongings
from bot.discord_ui.gallery.spots import PAGE, Shelf, Spot
from bot.discord_ui.pictures import contact_sheet, to_webp
from bot.errors import NotFound
from storage.errors import Missing
from storage.values import Image, JobState, Page

GONE: Final = "That picture has been deleted. Use Back or Home to see what is there now."
_OPEN: Final = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.RENDERED})
_DIRECTORY: Final = re.compile(r".*[\\/]")


async def home_of(desk: Desk, person: int, *, note: str = "") -> HomeFacts:
    """What `person`'s home says."""
    return HomeFacts(
        person=person,
        pictures=await _total(desk, person, Shelf.RECENT),
        starred=await _total(desk, person, Shelf.STARRED),
        note=note,
    )


async def usage_of(desk: Desk, person: int) -> UsageFacts:
    """What `person` has used since the month began (UTC)."""
    usage = await desk.db.people.usage(person, since=month_of(desk.now()))
    return UsageFacts(
        person=person, pictures=usage.pictures, starred=usage.starred, seconds=usage.seconds, since=usage.since
    )


async def page_of(desk: Desk, person: int, wanted: Spot) -> PageFacts:
    """The page of `person` that is meant, or the nearest that there is. Pictures without a file are counted, not shown."""
    spot = wanted.within(await _total(desk, person, wanted.shelf))
    page = await _page(desk, person, spot)
    found = [pair for pair in zip(page.images, await _files(desk, page.images), strict=True) if pair[1]]
    first = spot.offset + 1
    sheet = await asyncio.to_thread(contact_sheet, [data for _, data in found], first=first) if found else b""
    thumbs = tuple(
        Thumb(
            image=image.id,
            number=number,
            prompt=image.prompt,
            seed=image.seed,
            width=image.width,
            height=image.height,
        )
        for number, (image, _) in enumerate(found, first)
    )
    return PageFacts(
        person=person,
        spot=spot,
        total=page.total,
        thumbs=thumbs,
        sheet=sheet,
        lost=len(page.images) - len(thumbs),
    )


async def opened_of(desk: Desk, person: int, spot: Spot, *, image: int, limit: int) -> OpenedFacts:
    """One picture for `person`, as WebP of at most `limit` bytes.

    Raises NotFound when it is gone, or is neither theirs nor starred by them.
    """
    row = await desk.db.images.get(image)
    if row is None or not (row.person == person or await desk.db.images.is_starred(person, image)):
        raise NotFound(GONE)
    try:
        png = await desk.db.images.data(image)
    except Missing as error:
        raise NotFound(GONE) from error
    return OpenedFacts(
        person=person,
        spot=spot,
        image=image,
        prompt=row.prompt,
        model=_DIRECTORY.sub("", row.model),
        seed=row.seed,
        width=row.width,
        height=row.height,
        created=row.created,
        data=await asyncio.to_thread(to_webp, png, limit=limit),
        link=link_of(row),
    )


async def belongings_of(desk: Desk, person: int) -> Belongings:
    """Everything of `person`'s, counted."""
    styles = await desk.db.styles.of(person, None)
    return Belongings(
        person=person,
        pictures=await _total(desk, person, Shelf.RECENT),
        starred=await _total(desk, person, Shelf.STARRED),
        styles=sum(style.owner == person for style in styles),
        seeds=len(await desk.db.seeds.of(person)),
        jobs=len(await open_jobs(desk, person)),
    )


async def open_jobs(desk: Desk, person: int) -> tuple[int, ...]:
    """Jobs of `person` whose pictures are still to come, oldest first."""
    return tuple(
        job.id for job in await desk.db.jobs.unfinished() if job.address.person == person and job.state in _OPEN
    )


def month_of(now: float) -> float:
    """The beginning of the month (UTC) of `now`; both in seconds since 1970."""
    day = datetime.fromtimestamp(now, UTC)
    return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def link_of(image: Image) -> str:
    """Where Discord shows the card of `image`; empty while it has not been posted."""
    if not image.message:
        return ""
    in_server = image.guild is not None and image.message_channel == image.channel
    return message_link(image.guild if in_server else None, image.message_channel, image.message)


def message_link(guild: int | None, channel: int, message: int) -> str:
    """Discord's address of a message; `guild` is None in a conversation."""
    return f"https://discord.com/channels/{guild or '@me'}/{channel}/{message}"


async def _total(desk: Desk, person: int, shelf: Shelf) -> int:
    page = await desk.db.images.page(person, starred=shelf is Shelf.STARRED, offset=0, limit=1)
    return page.total


async def _page(desk: Desk, person: int, spot: Spot) -> Page:
    return await desk.db.images.page(person, starred=spot.shelf is Shelf.STARRED, offset=spot.offset, limit=PAGE)


async def _files(desk: Desk, images: Sequence[Image]) -> list[bytes]:
    """The PNG of each, empty where it is gone."""
    return await asyncio.gather(*(_file(desk, image.id) for image in images))


async def _file(desk: Desk, image: int) -> bytes:
    try:
        return await desk.db.images.data(image)
    except Missing:
        return b""
