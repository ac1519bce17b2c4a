"""From a sheet to its card, and to the wish that it stands for.

Owns the meeting of draft, controls and shelf. How a draft is resolved and what a control may be is `bot.requests`' to say.
"""

import asyncio
import hashlib
from typing import Final

import msgspec

from bot.discord_ui.asking import Wish
from bot.discord_ui.control.cards import SheetFacts, Shown, sheet_card
from bot.discord_ui.control.mapping import Mapped, mapped
from bot.discord_ui.control.sheets import Held, Sheet, picture_of
from bot.discord_ui.desk import Desk
from bot.discord_ui.pictures import to_webp
from bot.discord_ui.place_map import place_mask
from bot.discord_ui.reply import Reply
from bot.discord_ui.shown import picture_of as image_of
from bot.discord_ui.wishes import edited_wish, names_of, wish_for, with_models
from bot.errors import NotFound, RequestRefused
from bot.requests.control_lines import shape_note
from bot.requests.controls import check_units
from bot.requests.drafts import ImagineDraft
from bot.requests.edit import Edit
from bot.requests.naming import checkpoint_named
from bot.requests.places import SOFT, boxes_named
from bot.requests.resolve import resolve
from bot.requests.variations import paintable
from bot.requests.worn import parted
from inference.api.control import ControlUnit
from inference.api.errors import RequestInvalid
from inference.api.lookup import find_checkpoint
from inference.api.request import GenerationRequest
from inference.api.result import ModelFile

MAP_LIMIT: Final = 2 * 2**20
"""Bytes of one map on a card, of which there may be ten; Discord takes 25 MiB a message."""
MASK_SIDE: Final = 384
"""Pixels of a mask of places, whatever the canvas is."""
_ANYTHING: Final = "anything"
"""Stands for words that are not said yet, while only the canvas is asked for."""


async def outlined(desk: Desk, sheet: Sheet, *, guild: int | None) -> GenerationRequest:
    """What a sheet would have painted, without its controls. Raises RequestRefused, LimitReached, NotFound."""
    if sheet.base is not None:
        return paintable((await image_of(desk.db, sheet.base)).request)
    draft = await _shaped(desk, sheet)
    if not draft.prompt.strip():
        draft = msgspec.structs.replace(draft, prompt=_ANYTHING)
    names = await names_of(desk, sheet.person, guild)
    return await with_models(desk, names, lambda known: resolve(draft, **known))


async def checkpoint_of(desk: Desk, request: GenerationRequest) -> ModelFile:
    """The checkpoint that paints `request`. Raises Unknown where it is not here any more."""
    inventory = await desk.inventory()
    return find_checkpoint(inventory, request.model.hash) or checkpoint_named(request.model.name, inventory)


async def card_of(desk: Desk, sheet: Sheet, *, guild: int | None) -> Reply:
    """The card of a sheet as it is now; what is missing of its maps is made first."""
    request = await outlined(desk, sheet, guild=guild)
    canvas = request.canvas
    maps = await mapped(desk, sheet, canvas, guild=guild)
    shown = [await _shown(each, request) for each in maps]
    last = sheet.held[-1] if sheet.held else None
    prompt = sheet.draft.prompt
    if sheet.base is not None and not prompt:
        prompt = request.prompt.positive
    return sheet_card(
        SheetFacts(
            number=sheet.number,
            prompt=prompt,
            model=request.model.name,
            canvas=(canvas.width, canvas.height),
            shown=tuple(shown),
            together=() if last is None else last.together,
            most=desk.settings.limits.controls,
        )
    )


async def sheet_wish(desk: Desk, sheet: Sheet, changes: Edit, *, guild: int | None) -> Wish:
    """The wish that a sheet stands for, with what a form says besides.

    Raises RequestRefused and LimitReached for what cannot be painted, NotFound where a picture is gone.
    """
    if not sheet.held:
        raise RequestRefused("No control is left on that card; add one, or use /imagine.")
    for held in sheet.held:
        await picture_of(desk, held)  # says so where one is gone
    said = _with(sheet.draft, changes)
    if sheet.base is not None:
        image = await image_of(desk.db, sheet.base)
        made, _ = await edited_wish(desk, image, said, person=sheet.person, guild=guild)
    else:
        if not said.prompt.strip() and said.style is None:
            raise RequestRefused("Say what to paint; “Words” asks for it.")
        draft = await _as_draft(desk, said, person=sheet.person, guild=guild)
        shaped = await _shaped(desk, msgspec.structs.replace(sheet, draft=draft))
        made = await wish_for(desk, shaped, person=sheet.person, guild=guild)
    placed = [await asyncio.to_thread(_placed, held) for held in sheet.held]
    masks = {unit.region: mask for unit, mask in placed if mask}
    made = msgspec.structs.replace(made, sources={**made.sources, **masks})
    return await with_controls(desk, made, tuple(unit for unit, _ in placed))


def _placed(held: Held) -> tuple[ControlUnit, bytes]:
    """A control with the mask of its places, where it has some; the engine brings that to the size of what it weighs."""
    if not held.where:
        return held.unit, b""
    mask = place_mask(boxes_named(held.where), (MASK_SIDE, MASK_SIDE), feather=MASK_SIDE / SOFT)
    return msgspec.structs.replace(held.unit, region=hashlib.sha256(mask).hexdigest()), mask


async def with_controls(desk: Desk, wish: Wish, units: tuple[ControlUnit, ...]) -> Wish:
    """`wish` following `units`. Raises Unknown, RequestRefused where one is gone or does not fit."""
    request = paintable(wish.request)
    check_units(units, checkpoint=await checkpoint_of(desk, request), inventory=await desk.inventory())
    try:
        steered = msgspec.structs.replace(request, control=units)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    kind = wish.kind if wish.kind == "edit" else "control"
    return msgspec.structs.replace(wish, request=steered, kind=kind)


def _with(draft: ImagineDraft, changes: Edit) -> Edit:
    """`draft` as far as `changes` says nothing else. A size that is said anew takes the place of a shape, and the other way."""
    before = {name: getattr(draft, name) for name in ImagineDraft.__struct_fields__}
    if changes.size is not None or changes.aspect is not None:
        before |= {"size": None, "aspect": None}
    said = {name: value for name in Edit.__struct_fields__ if (value := getattr(changes, name)) not in (None, False)}
    if not changes.prompt.strip():
        said.pop("prompt", None)
    return Edit(**(before | said))


async def _as_draft(desk: Desk, said: Edit, *, person: int, guild: int | None) -> ImagineDraft:
    """What a form says as a draft: its one list of LoRAs and styles is parted. Raises RequestRefused."""
    draft = ImagineDraft(**{name: getattr(said, name) for name in ImagineDraft.__struct_fields__})
    if said.worn is None:
        return draft
    styles = (await names_of(desk, person, guild)).styles
    loras, wanted = parted(said.worn, inventory=await desk.inventory(), styles=styles)
    return msgspec.structs.replace(draft, lora=loras or None, style=wanted or None)


async def _shaped(desk: Desk, sheet: Sheet) -> ImagineDraft:
    """The draft with the shape of the first control's picture, where no other is said."""
    draft = sheet.draft
    if draft.size is not None or draft.aspect is not None or not sheet.held:
        return draft
    try:
        size = (await picture_of(desk, sheet.held[0])).size
    except NotFound:
        return draft  # its line on the card says that it is gone
    return msgspec.structs.replace(draft, init_size=size)


async def _shown(each: Mapped, request: GenerationRequest) -> Shown:
    held = each.held
    webp = await asyncio.to_thread(to_webp, each.png, limit=MAP_LIMIT) if each.png else b""
    return Shown(
        bench=held.bench.id,
        unit=held.unit,
        name=held.name,
        webp=webp,
        size=each.size,
        trouble=each.trouble,
        where=held.where,
        note=shape_note(each.size, request.canvas, held.unit.resize_mode) if each.png else "",
    )
