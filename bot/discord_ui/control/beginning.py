"""How a sheet of controls begins: from a command, a picture of any message, a picture that followed controls, or its map.

Owns what each of them puts on the first card. Everybody is asked whether they may before a map is made.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.admin.gate import admit, visit_of
from bot.discord_ui.answers import answer
from bot.discord_ui.asides import aside
from bot.discord_ui.control.mapping import map_on
from bot.discord_ui.control.painting import card_of, checkpoint_of, outlined
from bot.discord_ui.control.sheets import Brought, Sheet, begin, brought_on, put
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import picture_of
from bot.discord_ui.uploads import upload_of
from bot.errors import NotFound, RequestRefused
from bot.requests.controls import Wanted, unit_of
from bot.requests.drafts import ImagineDraft
from bot.requests.variations import paintable
from inference.api.control import NO_PREPROCESSOR, ControlUnit, Preprocessor, PreprocessRequest
from storage.values import Image

_NO_CONTROL: Final = "That picture followed no control; use “Use as control” in its menu to steer another one by it."


async def admitted(desk: Desk, interaction: Asked) -> None:
    """Raise LimitReached where this person may not use controls here, before a map is made."""
    nothing = PreprocessRequest(picture="", preprocessor=Preprocessor())
    await admit(desk, visit_of(interaction), nothing, kind="control")


async def start(desk: Desk, interaction: Asked, draft: ImagineDraft, brought: Brought, wanted: Wanted) -> None:
    """A new sheet with one control, shown with its map. Raises RequestRefused, NotFound, BackendUnavailable."""
    empty = Sheet(number=0, person=interaction.user.id, draft=draft, base=None, held=())
    sized = msgspec.structs.replace(empty, draft=msgspec.structs.replace(draft, init_size=brought.upload.size))
    request = await outlined(desk, sized, guild=interaction.guild_id)
    if draft.prompt.strip():
        await admit(desk, visit_of(interaction, private=draft.private), request, kind="control")
    unit = unit_of(
        wanted,
        picture=brought.upload.sha,
        checkpoint=await checkpoint_of(desk, request),
        inventory=await desk.inventory(),
    )
    sheet = await begin(desk, draft, person=interaction.user.id)
    await _first_card(desk, interaction, await put(desk, sheet, unit, brought))


async def use_brought(desk: Desk, interaction: Asked, number: int, *, together: tuple[int, ...] = ()) -> None:
    """A sheet for the picture on a bench of the menus; its words are asked for when it is painted."""
    await admitted(desk, interaction)
    brought = await brought_on(desk, number, together=together)
    await start(desk, interaction, ImagineDraft(), brought, Wanted())


async def use_bench(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """“Use as control” on the card of Remix."""
    del values
    async with aside(interaction):
        await use_brought(desk, interaction, ticket.id)


async def controls_of(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🕹️: the controls that a picture followed, to paint it again with others."""
    del values
    async with aside(interaction):
        await admitted(desk, interaction)
        image = await picture_of(desk.db, ticket.id)
        sheet = await begin(desk, ImagineDraft(), person=interaction.user.id, base=image.id)
        for unit in _followed(image):
            sheet = await put(desk, sheet, unit, await _own_picture(desk, image, unit))
        await _first_card(desk, interaction, sheet)


async def use_map(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🗺️: the map that a picture followed, as it is, for another picture."""
    del values
    async with aside(interaction):
        await admitted(desk, interaction)
        image = await picture_of(desk.db, ticket.id)
        followed, index = _followed(image), int(ticket.argument) if ticket.argument.isdecimal() else 0
        maps = await desk.db.jobs.maps(image.job)
        if index not in maps or index >= len(followed):
            raise NotFound("That map is not kept any more; “Controls” makes it again.")
        upload = upload_of(await map_on(desk, maps[index]))
        unit = msgspec.structs.replace(
            followed[index], picture=upload.sha, preprocessor=Preprocessor(id=NO_PREPROCESSOR), mask=""
        )
        draft = ImagineDraft(seed="random", count=desk.settings.generation.count)
        sheet = await begin(desk, draft, person=interaction.user.id, base=image.id)
        brought = Brought(upload=upload, name=f"a map of picture {image.id}")
        await _first_card(desk, interaction, await put(desk, sheet, unit, brought))


async def _first_card(desk: Desk, interaction: Asked, sheet: Sheet) -> None:
    await answer(interaction, await card_of(desk, sheet, guild=interaction.guild_id))


async def _own_picture(desk: Desk, image: Image, unit: ControlUnit) -> Brought:
    """What a control of `image` followed. Raises NotFound when it is not kept any more."""
    request = paintable(image.request)
    sha256 = unit.picture or (request.source.picture if request.source is not None else "")
    return Brought(upload=upload_of(await map_on(desk, sha256)), name=f"a control of picture {image.id}")


def _followed(image: Image) -> tuple[ControlUnit, ...]:
    units = paintable(image.request).control
    if not units:
        raise RequestRefused(_NO_CONTROL)
    return units


HANDLERS: Mapping[Action, Handler] = {
    Action.CONTROL_OF: controls_of,
    Action.CONTROL_MAP: use_map,
    Action.CONTROL_FROM: use_bench,
}
