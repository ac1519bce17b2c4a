"""From a picture, and how somebody wants it larger, to what shall be queued: one way for command, menu, buttons and forms.

Owns where a picture's own words come from when it is redrawn: from its row where it is ours, from its file where it is not.
"""

import asyncio

import discord
import msgspec

from bot.discord_ui.actions import ON_BENCH, Ticket
from bot.discord_ui.asking import Wish
from bot.discord_ui.brought import IMAGE, INFOTEXT, TEXT_KEPT, bench_of, pixels_on, read_text
from bot.discord_ui.desk import Desk
from bot.discord_ui.shown import picture_of, png_of
from bot.discord_ui.uploads import Upload, decode_still, fetch_file, upload_of
from bot.discord_ui.wishes import known_with, names_of, with_models, words_chosen
from bot.requests.drafts import shown
from bot.requests.edit import Edit, edited
from bot.requests.enlarging import EnlargeDraft, bare_base, enlargement, redrawing
from bot.requests.naming import checkpoint_named
from bot.requests.policy import limits_of
from inference.api.infotext import NoInfotext, infotext_in, read_infotext
from inference.api.lookup import find_checkpoint
from inference.api.request import GenerationRequest
from storage.values import Bench, Image, Said

MOVING = "moved"
"""Word on a bench: what was brought along moves."""
MOVED = "It moves; only its first frame was taken."


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to be made larger. `infotext` is its parameter text, "" where it has none; `image` its row where it is ours.

    `notes` are sentences for the card.
    """

    picture: Upload
    infotext: str = ""
    image: Image | None = None
    notes: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """What the card says that it is."""
        return said_in(self.infotext) if self.image is None else self.image.prompt


def said_in(infotext: str) -> str:
    """The prompt that a parameter text tells; "" for none."""
    return str(read_infotext(infotext).parameters.get("Prompt", "")) if infotext.strip() else ""


def words_in(image: Image) -> str:
    """The words that a picture of ours shows: its request's, or what an enlargement carries on."""
    return (
        image.request.prompt_of(0).positive if isinstance(image.request, GenerationRequest) else said_in(image.infotext)
    )


async def original_of(desk: Desk, ticket: Ticket) -> Original:
    """What a button's `ticket` is about. Raises NotFound when it is gone."""
    if ticket.argument.startswith(ON_BENCH):
        return await original_on(desk, await bench_of(desk, ticket.id))
    return await _own(desk, await picture_of(desk.db, ticket.id))


async def original_on(desk: Desk, bench: Bench) -> Original:
    """The picture on `bench`. Raises NotFound when it is gone."""
    if own := bench.said.get(IMAGE):
        return await _own(desk, await picture_of(desk.db, int(own)))
    notes = (MOVED,) if bench.said.get(MOVING) else ()
    return Original(picture=await pixels_on(desk, bench), infotext=bench.said.get(INFOTEXT, ""), notes=notes)


async def original_from(desk: Desk, attachment: discord.Attachment) -> Original:
    """What somebody attached. Raises RequestRefused: nothing is fetched that is announced as too large."""
    limits = desk.settings.limits
    data = await fetch_file(attachment, limits)
    png, moved = await asyncio.to_thread(decode_still, data, limit_megapixels=limits.upload_megapixels)
    return Original(picture=upload_of(png), infotext=text_of(data), notes=(MOVED,) if moved else ())


def text_of(data: bytes) -> str:
    """The parameter text of a file; "" where it carries none."""
    try:
        return infotext_in(data)[:TEXT_KEPT]
    except NoInfotext:
        return ""


async def _own(desk: Desk, image: Image) -> Original:
    picture = await asyncio.to_thread(upload_of, await png_of(desk.db, image))
    return Original(picture=picture, infotext=image.infotext, image=image)


async def enlarge_wish(
    desk: Desk, draft: EnlargeDraft, changes: Edit, original: Original, *, person: int, guild: int | None
) -> Wish:
    """`original` made larger as `draft` says; where it is redrawn, in its own words but for `changes`.

    Raises RequestRefused, LimitReached, NotFound.
    """
    megapixels = limits_of(await desk.policies.of(guild)).megapixels
    names = await names_of(desk, person, guild)
    picture, notes = original.picture, list(original.notes)
    if draft.method == "enlarge":
        request = await with_models(
            desk,
            names,
            lambda known: enlargement(
                draft,
                picture=picture.sha,
                size=picture.size,
                infotext=original.infotext,
                inventory=known["inventory"],
                megapixels=megapixels,
            ),
        )
        prompt = original.prompt
    else:
        base, told = await _base(desk, original)
        notes += told
        changed, _ = await with_models(desk, names, lambda known: edited(base, changes, **known))
        changed = await words_chosen(desk, changed)
        inventory = (await known_with(desk, names))["inventory"]
        model = find_checkpoint(inventory, changed.model.hash) or checkpoint_named(changed.model.name, inventory)
        request = redrawing(
            draft,
            changed,
            picture=picture.sha,
            size=picture.size,
            native=model.native,
            inventory=inventory,
            megapixels=megapixels,
        )
        prompt = changes.prompt or original.prompt or shown(changed.prompt.positive, limit=1000)
    return Wish(
        request=request,
        kind="upscale",
        prompt=prompt,
        parent=None if original.image is None else original.image.id,
        sources={picture.sha: picture.data},
        said=Said(notes=tuple(notes)),
    )


async def _base(desk: Desk, original: Original) -> tuple[GenerationRequest, tuple[str, ...]]:
    """The request in whose manner `original` is redrawn, and what of its text cannot be honoured."""
    image = original.image
    if image is not None and isinstance(image.request, GenerationRequest):
        return bare_base(image.request), ()
    found = await read_text(desk, original.infotext)
    return bare_base(found.request), found.notes
