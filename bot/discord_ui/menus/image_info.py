"""Image info: what the pictures of any message tell of how they were painted, and painting them here.

Owns the card and its button. Which programs' texts are read, and what they mean, is `inference.api.infotext`'s to know.
"""

from collections.abc import Mapping
from typing import Final

import discord
import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer
from bot.discord_ui.asides import aside
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.brought import IMAGE, INFOTEXT, TEXT_KEPT, bench_of, read_text
from bot.discord_ui.cards import ACCENT, note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import code, plain, shorten
from bot.discord_ui.menus.picking import own_images, pictures_in
from bot.discord_ui.presses.pictures import send_files
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Attachment, Button, Part, Reply, Row, Rule, Text
from bot.discord_ui.uploads import check_announcement, fetch_bytes
from bot.errors import NotFound, RequestRefused
from inference.api.infotext import NoInfotext, infotext_in

TEXT: Final = "text"
"""Kind of a bench that holds a parameter text."""
SHOWN: Final = 2800
"""Characters of parameter texts on the card, all together."""
READ: Final = (
    "I read the texts of the AUTOMATIC1111 and Forge webuis, of Easel, Civitai and NovelAI, in PNG, JPEG and WebP files. Many "
    "sites and apps take them out: send the original file."
)
NO_PICTURE: Final = f"There is no picture in that message that I can read. {READ}"
_FENCE: Final = "```"
_ROW: Final = 5


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one picture tells: its file's name, its text, or the sentence why there is none; `bench` keeps the text."""

    name: str
    text: str = ""
    sentence: str = ""
    bench: int = 0


async def image_info(desk: Desk, interaction: Asked, message: discord.Message) -> None:
    """Read every picture of the message."""
    async with aside(interaction):
        told = [await _kept(desk, interaction, each) for each in await tell(desk, interaction, message)]
        if not told:
            raise RequestRefused(NO_PICTURE)
        await answer(interaction, info_card(told))
        await _send_whole(interaction, told)


async def _send_whole(interaction: Asked, told: list[Told]) -> None:
    """The texts for which the card has no room, as files."""
    room = SHOWN // len(told)
    whole = [
        Attachment(f"{number}-{_stem(each.name)}.txt", each.text.encode(), "All parameters of the picture")
        for number, each in enumerate(told, 1)
        if len(each.text) > room
    ]
    if whole:
        await send_files(interaction, "The whole text:" if len(whole) == 1 else "The whole texts:", *whole)


async def tell(desk: Desk, interaction: Asked, message: discord.Message) -> list[Told]:
    """What each picture of `message` tells: ours by their rows, others by their files."""
    own = [await desk.db.images.get(number) for number in own_images(message, interaction.client)]
    known = [Told(name=f"easel-{image.id}", text=image.infotext) for image in own if image is not None]
    if known:
        return known
    told: list[Told] = []
    for sent in pictures_in(message):
        try:
            check_announcement(size=sent.size, content_type=None, limit_mib=desk.settings.limits.upload_mib)
            data = await fetch_bytes(sent.url, limit_mib=desk.settings.limits.upload_mib)
            told.append(Told(name=sent.name, text=infotext_in(data)[:TEXT_KEPT]))
        except (RequestRefused, NoInfotext) as error:
            told.append(Told(name=sent.name, sentence=str(error)))
    return told


async def _kept(desk: Desk, interaction: Asked, told: Told) -> Told:
    """`told` with its text on a bench, from which it is painted."""
    if not told.text:
        return told
    bench = await desk.db.benches.add(person=interaction.user.id, kind=TEXT, said={INFOTEXT: told.text}, now=desk.now())
    return msgspec.structs.replace(told, bench=bench.id)


def info_card(told: list[Told]) -> Reply:
    """Each picture's text or why there is none, and a button for each text. Pure."""
    room = SHOWN // len(told)
    parts: list[Part] = []
    for number, each in enumerate(told, 1):
        heading = code(each.name, limit=60) if len(told) == 1 else f"{number}. {code(each.name, limit=60)}"
        body = _block(each.text, room) if each.text else plain(each.sentence, limit=min(300, room))
        parts.append(Text(f"{heading}\n{body}"))
    buttons = [
        Button(
            custom_id=Ticket(Action.PAINT_HERE, each.bench).custom_id,
            label="Paint it here" if len(told) == 1 else f"Paint {number} here",
            emoji="🎨",
            style="success",
        )
        for number, each in enumerate(told, 1)
        if each.text
    ]
    if not buttons:
        parts.append(Text(f"-# {READ}"))
    rows = [Row(tuple(buttons[at : at + _ROW])) for at in range(0, len(buttons), _ROW)]
    return Reply(parts=(*parts, *((Rule(),) if rows else ()), *rows), accent=ACCENT)


def _block(text: str, room: int) -> str:
    return f"{_FENCE}\n{shorten(text, limit=room).replace(_FENCE, 'ˋˋˋ')}\n{_FENCE}"


def _stem(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in name.rpartition(".")[0] or name)[:60]


async def paint_here(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Paint what the text says, and say to who pressed what of it could not be honoured."""
    del values
    notes: list[str] = []

    async def wish() -> Wish:
        bench = await bench_of(desk, ticket.id)
        if not (text := bench.said.get(INFOTEXT, "")):
            raise NotFound("That text was put away; use Image info on the message again.")
        found = await read_text(desk, text)
        notes.extend(found.notes)
        own = bench.said.get(IMAGE)
        return Wish(
            request=found.request, kind="info", prompt=found.request.prompt.positive, parent=int(own) if own else None
        )

    await ask(desk, interaction, wish())
    if notes:
        words = "\n".join(f"- {plain(note, limit=300)}" for note in notes[:10])
        await answer(interaction, note_card(f"Not everything in its text can be done here:\n{words}"))


HANDLERS: Mapping[Action, Handler] = {Action.PAINT_HERE: paint_here}
