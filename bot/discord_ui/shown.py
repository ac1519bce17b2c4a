"""A stored picture on its way to Discord: its file made for the channel, its name, its link.

Owns what a picture looks like outside; the PNG with its parameters stays in storage as it was painted.
"""

import asyncio
import contextlib
from typing import Final

from bot.discord_ui.cards import MAPS_SHOWN, ShownMap, ShownPicture
from bot.discord_ui.pictures import to_webp
from bot.errors import NotFound
from bot.requests.control_lines import map_alt
from inference.api.control import ControlUnit
from inference.api.request import GenerationRequest
from storage.database import Database
from storage.errors import Missing
from storage.values import Image

PICTURE_LIMIT: Final = 6 * 2**20
"""Bytes of one picture in a channel; Discord takes 10 MiB a file and 25 MiB a message."""
MAP_LIMIT: Final = 2**18
"""Bytes of one map beside a job's pictures: four of each are what Discord takes in a message."""
GONE: Final = "That picture is gone: somebody deleted it. What is left is in `/gallery open`."
UNKEPT: Final = (
    "That picture was shown and not kept: who asked for it keeps no history, so its buttons have nothing to work with. What is "
    "yours to keep is chosen with `/gallery history`."
)


async def picture_of(db: Database, number: int) -> Image:
    """The picture with this id. Raises NotFound with a sentence when it has been deleted, or was never kept."""
    image = await db.images.get(number)
    if image is None:
        raise NotFound(GONE if await db.images.unkept_by(number) is None else UNKEPT)
    return image


async def png_of(db: Database, image: Image) -> bytes:
    """Its PNG. Raises NotFound when the file is not there any more."""
    try:
        return await db.images.data(image.id)
    except Missing as error:
        raise NotFound(GONE) from error


async def shown_picture(db: Database, image: Image) -> ShownPicture:
    """As the channel gets it: WebP, small enough for every server. Raises NotFound when the file is gone."""
    png = await png_of(db, image)
    webp = await asyncio.to_thread(to_webp, png, limit=PICTURE_LIMIT)
    return ShownPicture(image=image.id, name=f"easel-{image.id}.webp", data=webp, seed=image.seed)


def controls_in(image: Image) -> tuple[ControlUnit, ...]:
    """The controls that a picture followed."""
    return image.request.control if isinstance(image.request, GenerationRequest) else ()


async def shown_maps(db: Database, image: Image) -> tuple[ShownMap, ...]:
    """The maps that a picture followed, as the channel gets them; one that is gone is left out."""
    units, found = controls_in(image), list[ShownMap]()
    maps = await db.jobs.maps(image.job) if units else {}
    for unit, sha256 in list(maps.items())[:MAPS_SHOWN]:
        with contextlib.suppress(Missing, IndexError):
            alt = map_alt(units[unit], number=unit + 1)
            webp = await asyncio.to_thread(to_webp, await db.pictures.get(sha256), limit=MAP_LIMIT)
            found.append(ShownMap(unit=unit, name=f"map-{unit + 1}.webp", data=webp, alt=alt))
    return tuple(found)


def link_to(image: Image) -> str:
    """The message that shows it, as a link; empty where it was never shown."""
    if not image.message or not image.message_channel:
        return ""
    server = image.guild if image.guild and image.message_channel == image.channel else "@me"
    return f"https://discord.com/channels/{server}/{image.message_channel}/{image.message}"
