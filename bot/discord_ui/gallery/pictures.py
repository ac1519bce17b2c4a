"""One picture of the gallery, from the database to the facts of its card; who may look at it and who may delete it.

Owns those rights. Refuses to know the card's words.
"""

import re
from typing import Final

import discord

from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery.opened import OpenedFacts
from bot.discord_ui.gallery.spots import Spot
from bot.discord_ui.removing import remove_picture
from bot.discord_ui.shown import GONE, controls_in, link_to, picture_of, shown_picture
from bot.errors import NotAllowed, NotFound
from storage.errors import Missing, RequestUnreadable
from storage.values import Image

_DIRECTORY: Final = re.compile(r".*[\\/]")
NOT_SHOWN_HERE: Final = (
    "That picture was not shown where you are, and is neither yours nor among your stars and collections."
)


async def opened_of(
    desk: Desk, person: int, spot: Spot, *, image: int, asked: Asked | None = None, note: str = ""
) -> OpenedFacts:
    """One picture for `person`. Raises NotFound when it is gone, NotAllowed when it is not for them to see."""
    row = await allowed_picture(desk, person, image, asked=asked)
    parent = await _parent(desk, row)
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
        parent=parent.id if parent else None,
        parent_link=link_to(parent) if parent else "",
        orphan=row.parent is None and row.origin is not None,
        children=await desk.db.gallery.children(row.id),
        note=note,
        controlled=bool(controls_in(row)),
    )


async def allowed_picture(desk: Desk, person: int, image: int, *, asked: Asked | None = None) -> Image:
    """A picture that `person` may see. Raises NotFound and NotAllowed."""
    row = await picture_of(desk.db, image)
    if not await is_for(desk, person, row, asked=asked):
        raise NotAllowed(NOT_SHOWN_HERE)
    return row


async def is_for(desk: Desk, person: int, image: Image, *, asked: Asked | None) -> bool:
    """Whether `person` may see a picture: their own, starred or collected, or shown to all where they are (`asked`)."""
    if image.person == person or await desk.db.gallery.may_open(person, image.id):
        return True
    if asked is None or asked.user.id != person or not image.message:
        return False
    if image.message_channel != asked.channel_id and not _sees(asked, image):
        return False
    try:
        job = await desk.db.jobs.get(image.job)
    except RequestUnreadable:
        return False
    return job is not None and not job.address.private  # an answer for one alone carries its channel's number too


async def remove(desk: Desk, person: int, image: int) -> Image:
    """Delete a picture of `person`'s; returns what it was. Raises NotFound, or NotAllowed where it is another's."""
    row = await picture_of(desk.db, image)
    if row.person != person:
        raise NotAllowed("Only who asked for this picture can delete it. ⭐ takes it out of your stars.")
    try:
        await remove_picture(desk, image)
    except Missing as error:
        raise NotFound(GONE) from error
    return row


def _sees(asked: Asked, image: Image) -> bool:
    """Whether who asks reads, in the same server, the channel where the picture was shown."""
    if asked.guild is None or asked.guild.id != image.guild or not isinstance(asked.user, discord.Member):
        return False
    channel = asked.guild.get_channel_or_thread(image.message_channel)
    if channel is None:
        return False
    rights = channel.permissions_for(asked.user)
    return rights.view_channel and rights.read_message_history


async def _parent(desk: Desk, image: Image) -> Image | None:
    if image.parent is None:
        return None
    try:
        return await desk.db.images.get(image.parent)
    except RequestUnreadable:
        return None
