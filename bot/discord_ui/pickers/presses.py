"""What the buttons, menus and forms of a picker do.

Owns how each is answered. What was chosen is written down at once, so that a picker goes on after a restart and the next
`/lora browse` begins where this one ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import replace
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import Filled, read_form
from bot.discord_ui.pickers import cards, forms
from bot.discord_ui.pickers.choosing import (
    ALL,
    FAMILIES,
    FIT,
    check_sayable,
    shown_files,
    with_picks,
    with_weights,
)
from bot.discord_ui.pickers.shelves import checkpoint_for, file_of, opened_of, page_of
from bot.discord_ui.pickers.spots import Shelf, Spot, Verb, read_spot, sample_key_of
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.wishes import wish_for
from bot.errors import NotAllowed, NotFound
from bot.requests.drafts import ImagineDraft
from inference.api.result import ModelFile
from storage.palettes import Look, Palette

ANEW: Final = 2.0
"""Seconds between two looks into the folders that somebody asks for by a button."""
PATIENCE: Final = 1.0
"""Seconds that a page may take before Discord is told that it comes."""
SAMPLE: Final = "a lighthouse on a cliff above the sea, evening light"
"""What every sample shows, so that they can be compared."""
SAMPLE_SEED: Final = "1"
_NOT_YOURS: Final = "That is somebody else's; `/lora browse` and `/model browse` open yours."
_ON_ITS_WAY: Final = "Its sample is being painted, and everybody who looks here will see it."

T = TypeVar("T")
Do = Callable[[Desk, Asked, Spot, Values], Awaitable[None]]
_replace = msgspec.structs.replace


async def press(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Anything that was pressed, chosen or sent in a picker. Raises NotAllowed in another's, NotFound for what is gone."""
    if asked.user.id != ticket.id:
        raise NotAllowed(_NOT_YOURS)
    spot = read_spot(ticket.argument)
    await _DOING[spot.verb](desk, asked, spot, values)


async def _page(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    await _show_page(desk, asked, spot)


async def _family(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    chosen = values[0] if values and values[0] in (*FAMILIES, ALL) else FIT
    await _look(desk, asked, spot, lambda look: _replace(look, family=chosen))


async def _found(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    words = " ".join(_filled(asked).texts.get(forms.WORDS, "").split())[: forms.WORDS_LIMIT]
    await _look(desk, asked, spot, lambda look: _replace(look, words=words))


async def _pick(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    inventory = await desk.inventory()

    def change(palette: Palette) -> Palette:
        found = shown_files(spot.shelf, inventory, palette, fits=checkpoint_for(desk, inventory, palette))
        here = found[(spot.page - 1) * cards.PAGE : spot.page * cards.PAGE]
        chosen = [file_of(spot.shelf, inventory, key) for key in values]
        return with_picks(palette, here, chosen)

    await desk.db.palettes.change(asked.user.id, change)
    await _show_page(desk, asked, spot)


async def _open(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    if len(values) != 1:
        raise NotFound(f"Choose one {spot.shelf.noun} from the menu.")
    await _show_one(desk, asked, _replace(spot, key=values[0]))


async def _refresh(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    more = await in_time(asked, desk.found_more(again_after=ANEW))
    note = "The folders hold something else now." if more else "Nothing in the folders has changed."
    await _show_page(desk, asked, spot, note=note)


async def _find(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    palette = await desk.db.palettes.get(asked.user.id)
    look = palette.loras if spot.shelf is Shelf.LORAS else palette.models
    await asked.response.send_modal(forms.find_form(asked.user.id, spot, words=look.words))


async def _weights(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    palette = await desk.db.palettes.get(asked.user.id)
    await asked.response.send_modal(forms.weights_form(asked.user.id, spot, palette, desk.shelf()))


async def _weighed(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    inventory, typed = await desk.inventory(), _filled(asked).texts.get(forms.LIST, "")
    await desk.db.palettes.change(asked.user.id, lambda palette: with_weights(palette, typed, inventory))
    await _show_page(desk, asked, spot)


async def _clear(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    await desk.db.palettes.change(asked.user.id, lambda palette: _replace(palette, picks=()))
    await _show_page(desk, asked, spot)


async def _paint(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    """The form of a painting: with the LoRAs that were taken, or with the model that is open."""
    del values
    palette, inventory = await desk.db.palettes.get(asked.user.id), desk.shelf()
    model = file_of(spot.shelf, inventory, spot.key) if spot.key else checkpoint_for(desk, inventory, palette)
    await asked.response.send_modal(forms.paint_form(asked.user.id, spot, palette, inventory, model=model))


async def _painted(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del spot, values
    draft = forms.read_draft(_filled(asked))
    await ask(desk, asked, wish_for(desk, draft, person=asked.user.id, guild=asked.guild_id))


async def _take(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    info = file_of(Shelf.LORAS, await desk.inventory(), spot.key)
    check_sayable(info)
    await desk.db.palettes.change(asked.user.id, lambda palette: with_picks(palette, (info,), (info,)))
    await _show_one(desk, asked, spot)


async def _leave(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    info = file_of(Shelf.LORAS, await desk.inventory(), spot.key)
    await desk.db.palettes.change(asked.user.id, lambda palette: with_picks(palette, (info,), ()))
    await _show_one(desk, asked, spot)


async def _mine(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    info = file_of(Shelf.MODELS, await desk.inventory(), spot.key)
    await choose_model(desk, asked.user.id, info)
    await _show_one(desk, asked, spot)


async def _unmine(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    del values
    await choose_model(desk, asked.user.id, None)
    await _show_one(desk, asked, spot)


async def _fits(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    """The LoRAs that the open model can wear."""
    del values
    info = file_of(Shelf.MODELS, await desk.inventory(), spot.key)
    await look_for(desk, asked.user.id, fits=info)
    await _show_page(desk, asked, Spot(Shelf.LORAS, Verb.PAGE))


async def _sample(desk: Desk, asked: Asked, spot: Spot, values: Values) -> None:
    """Paint what shows this file: whoever presses is charged for one picture, and everybody sees it here."""
    del values
    info = file_of(spot.shelf, await desk.inventory(), spot.key)
    palette = await desk.db.palettes.get(asked.user.id)
    draft = _sample_draft(spot.shelf, info, checkpoint_for(desk, desk.shelf(), palette))

    async def wish() -> Wish:
        made = await wish_for(desk, draft, person=asked.user.id, guild=asked.guild_id)
        return _replace(made, said=_replace(made.said, notes=(*made.said.notes, _ON_ITS_WAY)))

    job = await ask(desk, asked, wish())
    await desk.db.palettes.set_sample(sample_key_of(info), job.id)


def _sample_draft(shelf: Shelf, info: ModelFile, wearer: ModelFile | None) -> ImagineDraft:
    prompt = ", ".join((*info.triggers[:3], SAMPLE))
    if shelf is Shelf.MODELS:
        return ImagineDraft(prompt=prompt, model=info.hash or info.name, count=1, seed=SAMPLE_SEED)
    check_sayable(info)
    model = (wearer.hash or wearer.name) if wearer is not None else None
    return ImagineDraft(prompt=prompt, lora=info.name, model=model, count=1, seed=SAMPLE_SEED)


async def choose_model(desk: Desk, person: int, info: ModelFile | None) -> None:
    """From now on `info` paints for this person where they name no model; None: the server's own choice."""
    name, digits = (info.name, info.hash) if info is not None else ("", "")
    await desk.db.palettes.change(person, lambda palette: _replace(palette, model=name, hash=digits))


async def look_for(desk: Desk, person: int, *, fits: ModelFile | None, words: str | None = None) -> None:
    """Look at LoRAs that fit this checkpoint (None: as before), with these words (None: as before)."""

    def change(palette: Palette) -> Palette:
        look = palette.loras if words is None else _replace(palette.loras, words=words)
        if fits is None:
            return _replace(palette, loras=look)
        return _replace(palette, fits=fits.hash or fits.name, loras=_replace(look, family=FIT))

    await desk.db.palettes.change(person, change)


async def _look(desk: Desk, asked: Asked, spot: Spot, change: Callable[[Look], Look]) -> None:
    def changed(palette: Palette) -> Palette:
        if spot.shelf is Shelf.LORAS:
            return _replace(palette, loras=change(palette.loras))
        return _replace(palette, models=change(palette.models))

    await desk.db.palettes.change(asked.user.id, changed)
    await _show_page(desk, asked, _replace(spot, page=1))


async def _show_page(desk: Desk, asked: Asked, spot: Spot, *, note: str = "") -> None:
    facts = await in_time(asked, page_of(desk, asked.user.id, spot.shelf, spot.page, note=note))
    await replace(asked, cards.page_card(facts))


async def _show_one(desk: Desk, asked: Asked, spot: Spot) -> None:
    facts = await in_time(asked, opened_of(desk, asked.user.id, spot.shelf, page=spot.page, key=spot.key))
    await replace(asked, cards.opened_card(facts))


async def in_time(asked: Asked, making: Coroutine[Any, Any, T], *, thinking: bool = False) -> T:
    """What `making` makes. Nine large pictures may take more than Discord's three seconds: it hears before that we are at it."""
    task = asyncio.create_task(making)
    try:
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if not done and not asked.response.is_done():
            await asked.response.defer(ephemeral=True, thinking=thinking)
        return await task
    finally:
        task.cancel()


def _filled(asked: Asked) -> Filled:
    data: Mapping[str, Any] = asked.data or {}
    return read_form(data)


_DOING: Final[Mapping[Verb, Do]] = {
    Verb.PAGE: _page,
    Verb.FAMILY: _family,
    Verb.PICK: _pick,
    Verb.OPEN: _open,
    Verb.FIND: _find,
    Verb.FOUND: _found,
    Verb.REFRESH: _refresh,
    Verb.WEIGHTS: _weights,
    Verb.WEIGHED: _weighed,
    Verb.CLEAR: _clear,
    Verb.PAINT: _paint,
    Verb.PAINTED: _painted,
    Verb.TAKE: _take,
    Verb.LEAVE: _leave,
    Verb.SAMPLE: _sample,
    Verb.MINE: _mine,
    Verb.UNMINE: _unmine,
    Verb.FITS: _fits,
}
HANDLERS: Final[Mapping[Action, Handler]] = {Action.PICKER: press}
