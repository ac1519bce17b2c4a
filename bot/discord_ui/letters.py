"""✉️: pictures by direct message, as the PNGs that were painted, with what is needed to find them again.

Owns the letter: as many pictures a message as fit, seeds and job named, the usual buttons under them.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

import discord
import msgspec

from bot.discord_ui import view
from bot.discord_ui.cards import ACCENT, alt_text, picture_rows
from bot.discord_ui.desk import Desk
from bot.discord_ui.markup import code, plain
from bot.discord_ui.pictures import Fitted, fit_file
from bot.discord_ui.posting import places
from bot.discord_ui.reply import Attachment, Gallery, Picture, Reply, Text
from bot.discord_ui.shown import png_of
from bot.errors import NotAllowed
from storage.values import Image

CLOSED: Final = (
    "Your direct messages are closed to me. Open them in the server's privacy settings, and react with ✉️ again; the "
    "pictures are also in /gallery open."
)
FILE_LIMIT: Final = 10 * 2**20
"""Bytes of one file where no server's boosts help."""
MESSAGE_LIMIT: Final = 24 * 2**20
"""Bytes of the files of one message; Discord takes 25 MiB."""
TOGETHER: Final = 4
"""Pictures of one message at most."""


class Enclosed(msgspec.Struct, frozen=True):
    """A picture and its file."""

    image: Image
    file: Fitted


async def send_letter(desk: Desk, client: discord.Client, person: int, images: Sequence[Image]) -> None:
    """Send `images` to `person`. Raises NotAllowed with a sentence where their direct messages are closed."""
    enclosed = [
        Enclosed(image, await asyncio.to_thread(fit_file, await png_of(desk.db, image), limit=FILE_LIMIT))
        for image in images
    ]
    try:
        room = client.get_partial_messageable(await places.conversation(client, person))
        for part in _parts(enclosed):
            reply = letter(part)
            await room.send(view=view.layout(reply), files=view.files(reply), allowed_mentions=view.pings(reply))
    except places.SHUT as error:
        raise NotAllowed(CLOSED) from error


def letter(part: Sequence[Enclosed]) -> Reply:
    """One message: the pictures of one job, its id, their seeds, and the buttons for what follows."""
    first = part[0].image
    seeds = ", ".join(code(str(each.image.seed)) for each in part)
    notes = "".join(f"\n-# {each.file.note}" for each in part if each.file.note)
    words = (
        f"**{plain(first.prompt, limit=600) or 'Without words'}**\n-# job {code(str(first.job))} · seed {seeds}{notes}"
    )
    files = tuple(
        Attachment(
            f"easel-{each.image.id}.{each.file.ending}",
            each.file.data,
            alt_text(each.image.prompt, index=index, count=len(part)),
        )
        for index, each in enumerate(part)
    )
    shown = Gallery(tuple(Picture(file.name, file.description) for file in files))
    rows = picture_rows([each.image.id for each in part])
    return Reply(parts=(Text(words), shown, *rows), files=files, accent=ACCENT)


def _parts(enclosed: Sequence[Enclosed]) -> Iterator[list[Enclosed]]:
    """As many at a time as fit one message."""
    part: list[Enclosed] = []
    for each in enclosed:
        size = sum(len(other.file.data) for other in part) + len(each.file.data)
        if part and (size > MESSAGE_LIMIT or len(part) == TOGETHER):
            yield part
            part = []
        part.append(each)
    if part:
        yield part
