"""From the database to the facts of the gallery's cards: home, pages, and what somebody would leave behind.

Owns what is read for each. Refuses to know the cards' words; `pictures` knows one picture.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery.finding import about, query_of, title_of
from bot.discord_ui.gallery.home import HomeFacts, UsageFacts
from bot.discord_ui.gallery.pages import PageFacts, Thumb
from bot.discord_ui.gallery.parting import Belongings
from bot.discord_ui.gallery.pictures import is_for
from bot.discord_ui.gallery.spots import PAGE, Shelf, Spot
from bot.discord_ui.pictures import contact_sheet
from bot.discord_ui.shown import picture_of, png_of
from bot.errors import NotFound
from storage.gallery_values import Order, Query
from storage.values import Image, Job, JobState, Page

_OPEN: Final = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.RENDERED})


async def home_of(desk: Desk, person: int, *, note: str = "") -> HomeFacts:
    """What `person`'s home says."""
    return HomeFacts(
        person=person,
        pictures=await _total(desk, person, Query()),
        starred=await _total(desk, person, Query(starred=True)),
        note=note,
        kept=(await desk.db.people.get(person)).history,
    )


async def usage_of(desk: Desk, person: int) -> UsageFacts:
    """What `person` has used since the month began (UTC)."""
    usage = await desk.db.people.usage(person, since=month_of(desk.now()))
    return UsageFacts(
        person=person, pictures=usage.pictures, starred=usage.starred, seconds=usage.seconds, since=usage.since
    )


async def page_of(desk: Desk, person: int, wanted: Spot, *, asked: Asked | None = None, note: str = "") -> PageFacts:
    """The page of `person` that is meant, or the nearest that there is. What cannot be shown any more is counted.

    Of a family, `asked` tells what they may see. Raises NotFound for a shelf that is gone.
    """
    if wanted.shelf is Shelf.KIN:
        return await _family_page(desk, person, wanted, asked=asked, note=note)
    query = await query_of(desk, person, wanted)
    page = await desk.db.gallery.page(person, query, offset=max(0, wanted.offset), limit=PAGE)
    spot = wanted.within(page.total)
    if spot != wanted:
        page = await desk.db.gallery.page(person, query, offset=spot.offset, limit=PAGE)
    thumbs, sheet = await _sheet(desk, page.images, first=spot.offset + 1)
    return PageFacts(
        person=person,
        spot=spot,
        total=page.total,
        thumbs=thumbs,
        sheet=sheet,
        lost=_expected(page, spot) - len(thumbs),
        note=note,
        title=await title_of(desk, person, query),
        about=about(query),
        order=query.order,
    )


async def belongings_of(desk: Desk, person: int) -> Belongings:
    """Everything of `person`'s, counted."""
    return Belongings(
        person=person,
        pictures=await _total(desk, person, Query()),
        starred=await _total(desk, person, Query(starred=True)),
        styles=len(await desk.db.styles.of(person, None)),
        seeds=len(await desk.db.seeds.of(person)),
        jobs=len(await open_jobs(desk, person)),
        collections=len(await desk.db.collections.of(person)),
    )


async def open_jobs(desk: Desk, person: int) -> tuple[Job, ...]:
    """Jobs of `person` whose pictures are still to come, oldest first."""
    return tuple(job for job in await desk.db.jobs.unfinished() if job.address.person == person and job.state in _OPEN)


def month_of(now: float) -> float:
    """The beginning of the month (UTC) of `now`; both in seconds since 1970."""
    day = datetime.fromtimestamp(now, UTC)
    return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


async def _family_page(desk: Desk, person: int, wanted: Spot, *, asked: Asked | None, note: str) -> PageFacts:
    """What the picture of this number came from, and what was made from it, as far as this person may see them."""
    centre = await picture_of(desk.db, wanted.number)
    page = await desk.db.gallery.kin(centre.id, offset=max(0, wanted.offset), limit=PAGE)
    spot = wanted.within(page.total)
    if spot != wanted:
        page = await desk.db.gallery.kin(centre.id, offset=spot.offset, limit=PAGE)
    seen = [image for image in page.images if await is_for(desk, person, image, asked=asked)]
    thumbs, sheet = await _sheet(desk, seen, first=spot.offset + 1, origin=centre.parent)
    gone = "It came from a picture that is gone. " if centre.parent is None and centre.origin is not None else ""
    return PageFacts(
        person=person,
        spot=spot,
        total=page.total,
        thumbs=thumbs,
        sheet=sheet,
        lost=_expected(page, spot) - len(page.images) + len(seen) - len(thumbs),
        hidden=len(page.images) - len(seen),
        note=note,
        title="👪 Family",
        about=f"{gone}What picture {centre.id} came from, and what was made from it",
        order=Order.NEWEST,
    )


async def _total(desk: Desk, person: int, query: Query) -> int:
    return (await desk.db.gallery.page(person, query, limit=1)).total


def _expected(page: Page, spot: Spot) -> int:
    """How many pictures the page would have if all could be shown."""
    return max(0, min(PAGE, page.total - spot.offset))


async def _sheet(
    desk: Desk, images: Sequence[Image], *, first: int, origin: int | None = None
) -> tuple[tuple[Thumb, ...], bytes]:
    """Those whose files are there, and one picture of all of them."""
    data = await asyncio.gather(*(_file(desk, image) for image in images))
    found = [(image, png) for image, png in zip(images, data, strict=True) if png]
    sheet = await asyncio.to_thread(contact_sheet, [png for _, png in found], first=first) if found else b""
    return tuple(_thumb(image, number, origin) for number, (image, _) in enumerate(found, first)), sheet


async def _file(desk: Desk, image: Image) -> bytes:
    """Its PNG, empty where that is gone."""
    try:
        return await png_of(desk.db, image)
    except NotFound:
        return b""


def _thumb(image: Image, number: int, origin: int | None) -> Thumb:
    return Thumb(
        image=image.id,
        number=number,
        prompt=image.prompt,
        seed=image.seed,
        width=image.width,
        height=image.height,
        origin=image.id == origin,
    )
