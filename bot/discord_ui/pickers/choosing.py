"""What a picker shows of all that is here: the files that fit, by family and words, and those that were taken. Pure.

Owns which LoRAs fit a checkpoint, what can be taken, and the words that a painting with them begins with.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from bot.discord_ui.pickers.spots import Shelf
from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import read_loras, shown
from bot.requests.naming import lora_named
from inference.api.lookup import find_checkpoint, find_lora
from inference.api.result import Inventory, ModelFile
from storage.palettes import Palette, Pick

ALL: Final = "all"
FIT: Final = ""
"""Families besides those of files: all of them, and what fits the checkpoint."""
FAMILIES: Final = {"sd1": "SD 1", "sd2": "SD 2", "sdxl": "SDXL", "sdxl_refiner": "SDXL refiner"}
MOST: Final = 10
"""LoRAs that may be taken at once."""
_UNSAYABLE: Final = frozenset(",:=<>\n")
"""Signs that end a name in a prompt or in a list."""


def files_of(shelf: Shelf, inventory: Inventory) -> Sequence[ModelFile]:
    """Everything of a shelf, in its order."""
    return inventory.loras if shelf is Shelf.LORAS else inventory.checkpoints


def shown_files(
    shelf: Shelf, inventory: Inventory, palette: Palette, *, fits: ModelFile | None
) -> tuple[ModelFile, ...]:
    """The files that this person looks for; `fits` is the checkpoint that LoRAs must fit where no family is chosen."""
    look = palette.loras if shelf is Shelf.LORAS else palette.models
    words = look.words.casefold().split()
    return tuple(
        info
        for info in files_of(shelf, inventory)
        if _in_family(shelf, info, look.family, fits) and all(word in _text(info) for word in words)
    )


def fits_checkpoint(info: ModelFile, checkpoint: ModelFile | None) -> bool:
    """Whether a LoRA can be worn by a checkpoint, as far as their headers tell."""
    unknown = info.family not in FAMILIES or checkpoint is None or checkpoint.family not in FAMILIES
    return unknown or (checkpoint is not None and info.family == checkpoint.family)


def looked_for(inventory: Inventory, palette: Palette, *, otherwise: str) -> ModelFile | None:
    """The checkpoint for which LoRAs are looked at: the one chosen for it, one's own, or the server's."""
    files = inventory.checkpoints
    for name in (palette.fits, palette.hash, palette.model, otherwise):
        found = find_checkpoint(inventory, name) if name else None
        if found is not None:
            return found
    return files[0] if files else None


def check_sayable(info: ModelFile) -> None:
    """Raise RequestRefused for a LoRA whose name no prompt can say."""
    if _UNSAYABLE & set(info.name):
        raise RequestRefused(
            f"The LoRA “{shown(info.name)}” cannot be named in a prompt; the operator takes “,”, “:”, “=”, “<” and “>” out "
            "of its name."
        )


def with_picks(palette: Palette, page: Iterable[ModelFile], chosen: Iterable[ModelFile]) -> Palette:
    """`palette` with exactly `chosen` taken of a page's files; those of other pages stay. Raises LimitReached, RequestRefused."""
    wanted = {info.name: None for info in chosen}
    here = {info.name for info in page}
    kept = tuple(pick for pick in palette.picks if pick.name not in here or pick.name in wanted)
    known = {pick.name for pick in kept}
    for info in chosen:
        check_sayable(info)
    return _limited(palette, (*kept, *(Pick(name) for name in wanted if name not in known)))


def with_weights(palette: Palette, text: str, inventory: Inventory) -> Palette:
    """`palette` with the list `text` taken, line ends being commas. Raises RequestRefused, LimitReached."""
    picks: dict[str, Pick] = {}
    for name, weight in read_loras(text.replace("\n", ",")):
        info = lora_named(name, inventory)
        check_sayable(info)
        picks[info.name] = Pick(info.name, weight)
    return _limited(palette, tuple(picks.values()))


def list_of(picks: Iterable[Pick], inventory: Inventory) -> str:
    """The picks as a list, each with the weight it will have."""
    return ", ".join(f"{pick.name}:{weight_of(pick, inventory):g}" for pick in picks)


def weight_of(pick: Pick, inventory: Inventory) -> float:
    """How strong a pick is worn: as said, else as the file asks for itself, else 1."""
    info = find_lora(inventory, pick.name)
    return pick.weight if pick.weight is not None else (info.weight if info else 0.0) or 1.0


def beginning(picks: Iterable[Pick], inventory: Inventory) -> tuple[str, str]:
    """The words that call the picks forth, and what they ask to keep out, each once."""
    files = [info for pick in picks if (info := find_lora(inventory, pick.name)) is not None]
    words = dict.fromkeys(word for info in files for word in info.triggers)
    out = dict.fromkeys(info.negative for info in files if info.negative)
    return ", ".join(words), ", ".join(out)


def _limited(palette: Palette, picks: tuple[Pick, ...]) -> Palette:
    if len(picks) > MOST:
        raise LimitReached(
            f"At most {MOST} LoRAs can be worn at once, and these are {len(picks)}; leave some out first."
        )
    return msgspec.structs.replace(palette, picks=picks)


def _in_family(shelf: Shelf, info: ModelFile, family: str, fits: ModelFile | None) -> bool:
    if family == FIT:
        return shelf is Shelf.MODELS or fits_checkpoint(info, fits)
    return family in (ALL, info.family)


def _text(info: ModelFile) -> str:
    return " ".join((info.name, info.alias, info.notes, *info.triggers, *info.tags)).casefold()
