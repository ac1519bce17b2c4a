"""The pictures of a message brought along: each on a bench of its own, so that nothing is lost when the message goes.

Owns how they come there, and a sentence for each that cannot. What is done with them is for whoever asked.
"""

import asyncio

import discord

from bot.discord_ui.brought import IMAGE, INFOTEXT, NAME
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.enlarging import MOVING, text_of
from bot.discord_ui.markup import shorten
from bot.discord_ui.menus.picking import own_images, pictures_in
from bot.discord_ui.presses.regions import PICTURE
from bot.discord_ui.uploads import check_announcement, decode_still, decode_upload, fetch_bytes
from bot.errors import RequestRefused
from storage.values import Bench

Said = dict[str, str]
"""What a bench says of its picture."""


async def bring(
    desk: Desk, interaction: Asked, message: discord.Message, *, nothing: str, moving: bool = False
) -> tuple[list[Bench], list[str]]:
    """A bench for each picture of `message` that can be used, and a sentence for each that cannot.

    `moving` takes the first frame of GIFs too, and keeps transparency. Raises RequestRefused where there is none: with the
    first sentence, or `nothing` where the message holds no picture at all.
    """
    lost: list[str] = []
    own = [await desk.db.images.get(number) for number in own_images(message, interaction.client)]
    said: list[tuple[Said, bytes | None]] = [
        ({IMAGE: str(image.id), NAME: shorten(image.prompt, limit=80)}, None) for image in own if image is not None
    ]
    for sent in () if said else pictures_in(message, moving=moving):
        limits = desk.settings.limits
        try:
            check_announcement(size=sent.size, content_type=None, limit_mib=limits.upload_mib, moving=moving)
            data = await fetch_bytes(sent.url, limit_mib=limits.upload_mib)
            words, png = await asyncio.to_thread(_read, data, moving=moving, limit_megapixels=limits.upload_megapixels)
        except RequestRefused as error:
            lost.append(str(error))
            continue
        said.append(({NAME: sent.name[:80], **words}, png))
    if not said:
        raise RequestRefused(lost[0] if lost else nothing)
    return [
        await desk.db.benches.add(person=interaction.user.id, kind=PICTURE, said=words, now=desk.now(), picture=png)
        for words, png in said
    ], lost


def _read(data: bytes, *, moving: bool, limit_megapixels: float) -> tuple[Said, bytes]:
    """The parameter text of a file and its picture as a fresh PNG. Raises RequestRefused."""
    if not moving:
        return {INFOTEXT: text_of(data)}, decode_upload(data, limit_megapixels=limit_megapixels)
    png, moved = decode_still(data, limit_megapixels=limit_megapixels)
    return {INFOTEXT: text_of(data)} | ({MOVING: "yes"} if moved else {}), png
