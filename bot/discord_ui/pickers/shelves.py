"""From the painter's shelf, somebody's palette and the samples to the facts of a picker's cards.

Owns what is read for each. Refuses to know the cards' words.
"""

import asyncio
from collections.abc import Sequence

from bot.discord_ui.desk import Desk
from bot.discord_ui.pickers import tiles
from bot.discord_ui.pickers.cards import PAGE, Entry, OpenedFacts, PageFacts
from bot.discord_ui.pickers.choosing import (
    files_of,
    fits_checkpoint,
    list_of,
    looked_for,
    shown_files,
    weight_of,
)
from bot.discord_ui.pickers.spots import Shelf, key_of, sample_key_of
from bot.discord_ui.pictures import contact_sheet, to_webp
from bot.discord_ui.shown import PICTURE_LIMIT, png_of
from bot.discord_ui.wishes import favourite_of
from bot.errors import NotFound
from inference.api.result import Inventory, ModelFile
from storage.palettes import Palette, Sample
from storage.values import JobState

_ON_ITS_WAY = frozenset({JobState.QUEUED, JobState.RUNNING})


async def page_of(desk: Desk, person: int, shelf: Shelf, page: int, *, note: str = "") -> PageFacts:
    """The page that is meant, or the nearest that there is. Raises BackendUnavailable while no painter has been up."""
    inventory, palette = await desk.inventory(), await desk.db.palettes.get(person)
    fits = checkpoint_for(desk, inventory, palette)
    found = shown_files(shelf, inventory, palette, fits=fits)
    pages = max(1, -(-len(found) // PAGE))
    page = max(1, min(page, pages))
    first = (page - 1) * PAGE
    here = found[first : first + PAGE]
    look = palette.loras if shelf is Shelf.LORAS else palette.models
    picks = palette.picks if shelf is Shelf.LORAS else ()
    return PageFacts(
        person=person,
        shelf=shelf,
        page=page,
        pages=pages,
        total=len(found),
        all=len(files_of(shelf, inventory)),
        entries=tuple(_entry(info, number, inventory, palette) for number, info in enumerate(here, first + 1)),
        sheet=await _sheet(desk, here, first=first + 1) if here else b"",
        family=look.family,
        words=look.words,
        fits=fits.name if fits else "",
        picks=list_of(picks, inventory),
        note=note,
    )


async def opened_of(desk: Desk, person: int, shelf: Shelf, *, page: int, key: str, note: str = "") -> OpenedFacts:
    """One file. Raises NotFound when it is not there any more."""
    inventory, palette = await desk.inventory(), await desk.db.palettes.get(person)
    info = file_of(shelf, inventory, key)
    fits = checkpoint_for(desk, inventory, palette)
    samples = await desk.db.palettes.samples([sample_key_of(info)])
    sample = samples.get(sample_key_of(info))
    picture = await _picture(desk, info, sample)
    return OpenedFacts(
        person=person,
        shelf=shelf,
        page=page,
        entry=_entry(info, files_of(shelf, inventory).index(info) + 1, inventory, palette),
        picture=await asyncio.to_thread(to_webp, picture, limit=PICTURE_LIMIT) if picture else b"",
        painting=not picture and sample is not None and sample.state in _ON_ITS_WAY,
        worn_by=fits.name if fits else "",
        fitting=shelf is Shelf.MODELS or fits_checkpoint(info, fits),
        note=note,
    )


def checkpoint_for(desk: Desk, inventory: Inventory, palette: Palette) -> ModelFile | None:
    """The checkpoint for which this person looks at LoRAs."""
    return looked_for(inventory, palette, otherwise=desk.settings.generation.model)


def file_of(shelf: Shelf, inventory: Inventory, key: str) -> ModelFile:
    """The file of this key. Raises NotFound."""
    found = next((info for info in files_of(shelf, inventory) if key_of(info) == key), None)
    if found is None:
        raise NotFound(f"That {shelf.noun} is not here any more; press 🔄 to see what is.")
    return found


def _entry(info: ModelFile, number: int, inventory: Inventory, palette: Palette) -> Entry:
    pick = next((pick for pick in palette.picks if pick.name == info.name), None)
    return Entry(
        key=key_of(info),
        number=number,
        info=info,
        weight=weight_of(pick, inventory) if pick is not None and info in inventory.loras else None,
        mine=favourite_of(inventory, palette) == info,
    )


async def _sheet(desk: Desk, files: Sequence[ModelFile], *, first: int) -> bytes:
    """Their samples side by side, with a plain tile where there is none."""
    samples = await desk.db.palettes.samples([sample_key_of(info) for info in files])
    pictures = await asyncio.gather(*(_picture(desk, info, samples.get(sample_key_of(info))) for info in files))

    def drawn() -> bytes:
        tiled = (
            picture or tiles.blank_tile(info.name.rpartition("/")[2])
            for info, picture in zip(files, pictures, strict=True)
        )
        return contact_sheet(list(tiled), first=first)

    return await asyncio.to_thread(drawn)


async def _picture(desk: Desk, info: ModelFile, sample: Sample | None) -> bytes:
    """What shows a file, as PNG: the picture beside it, else the one that was painted for it; empty for neither."""
    if info.preview:
        beside = await asyncio.to_thread(tiles.sample_from_file, info.preview)
        if beside:
            return beside
    image = await desk.db.images.get(sample.image) if sample is not None and sample.image else None
    if image is None:
        return b""
    try:
        return await asyncio.to_thread(tiles.sample_from, await png_of(desk.db, image))
    except NotFound:
        return b""
