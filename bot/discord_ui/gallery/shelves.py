"""From the database to the facts of the gallery's cards.

Owns what is read for each, who may look at a picture and who may delete it. Refuses to know the cards' words.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.discord_ui.desk import Desk
from bot.discord_ui.gallery.home import HomeFacts, UsageFacts
from bot.discord_ui.gallery.opened import OpenedFacts
from bot.discord_ui.gallery.pages import PageFacts, Thumb
from bot.discord_ui.gallery.parting import Belongings
from bot.discord_ui.gallery.spots import PAGE, Shelf, Spot
from bot.discord_ui.pictures import contact_sheet
from bot.discord_ui.shown import GONE, link_to, picture_of, png_of, shown_picture
from bot.errors import NotAllowed, NotFound
from storage.errors import Missing
from storage.values import Image, Job, JobState, Page

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


async def page_of(desk: Desk, person: int, wanted: Spot, *, note: str = "") -> PageFacts:
    """The page of `person` that is meant, or the nearest that there is. What cannot be shown any more is counted."""
    spot = wanted.within(await _total(desk, person, wanted.shelf))
    page = await _page(desk, person, spot)
    found = [pair for pair in zip(page.images, await _files(desk, page.images), strict=True) if pair[1]]
    first = spot.offset + 1
    sheet = await asyncio.to_thread(contact_sheet, [data for _, data in found], first=first) if found else b""
    return PageFacts(
        person=person,
        spot=spot,
        total=page.total,
        thumbs=tuple(_thumb(image, number) for number, (image, _) in enumerate(found, first)),
        sheet=sheet,
        lost=max(0, min(PAGE, page.total - spot.offset) - len(found)),
        note=note,
    )


async def opened_of(desk: Desk, person: int, spot: Spot, *, image: int) -> OpenedFacts:
    """One picture for `person`. Raises NotFound when it is gone, or is neither theirs nor starred by them."""
    row = await picture_of(desk.db, image)
    if row.person != person and not await desk.db.images.is_starred(person, image):
        raise NotFound(GONE)
    return OpenedFacts(
        person=person,
        spot=spot,
        picture=await shown_picture(desk.db, row),
        prompt=row.prompt,
        model=_DIRECTORY.sub("", row.model),
        width=row.width,
        height=row.height,
        created=row.created,
        link=link_to(row),
    )


async def remove(desk: Desk, person: int, image: int) -> Image:
    """Delete a picture of `person`'s; returns what it was. Raises NotFound, or NotAllowed where it is another's."""
    row = await picture_of(desk.db, image)
    if row.person != person:
        raise NotAllowed("Only who asked for this picture can delete it. ⭐ takes it out of your stars.")
    try:
        await desk.db.images.remove(image)
    except Missing as error:
        raise NotFound(GONE) from error
    return row


async def belongings_of(desk: Desk, person: int) -> Belongings:
    """Everything of `person`'s, counted."""
    return Belongings(
        person=person,
        pictures=await _total(desk, person, Shelf.RECENT),
        starred=await _total(desk, person, Shelf.STARRED),
        styles=len(await desk.db.styles.of(person, None)),
        seeds=len(await desk.db.seeds.of(person)),
        jobs=len(await open_jobs(desk, person)),
    )


async def open_jobs(desk: Desk, person: int) -> tuple[Job, ...]:
    """Jobs of `person` whose pictures are still to come, oldest first."""
    return tuple(job for job in await desk.db.jobs.unfinished() if job.address.person == person and job.state in _OPEN)


def month_of(now: float) -> float:
    """The beginning of the month (UTC) of `now`; both in seconds since 1970."""
    day = datetime.fromtimestamp(now, UTC)
    return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


async def _total(desk: Desk, person: int, shelf: Shelf) -> int:
    page = await desk.db.images.page(person, starred=shelf is Shelf.STARRED, offset=0, limit=1)
    return page.total


async def _page(desk: Desk, person: int, spot: Spot) -> Page:
    return await desk.db.images.page(person, starred=spot.shelf is Shelf.STARRED, offset=spot.offset, limit=PAGE)


async def _files(desk: Desk, images: Sequence[Image]) -> list[bytes]:
    """The PNG of each, empty where it is gone."""
    return await asyncio.gather(*(_file(desk, image) for image in images))


async def _file(desk: Desk, image: Image) -> bytes:
    try:
        return await png_of(desk.db, image)
    except NotFound:
        return b""


def _thumb(image: Image, number: int) -> Thumb:
    return Thumb(
        image=image.id, number=number, prompt=image.prompt, seed=image.seed, width=image.width, height=image.height
    )
