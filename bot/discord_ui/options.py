"""What is suggested while somebody types: models, LoRAs, samplers, styles and seeds, from memory alone.

Owns the ranking and Discord's 25 by 100 characters. Pure: an autocomplete cannot be deferred, so nothing here waits.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from bot.discord_ui.markup import shorten
from bot.requests.mending import BEST, OFF
from inference.api.catalog import SAMPLERS, UPSCALERS
from inference.api.faces import REPAINT
from inference.api.result import Inventory, ModelFile

LIMIT: Final = 25
LENGTH: Final = 100
_FAMILY_NAMES: Final = {"sd1": "SD 1", "sd2": "SD 2", "sdxl": "SDXL", "sdxl_refiner": "SDXL refiner"}


class Suggestion(msgspec.Struct, frozen=True):
    """A line under the option: what is shown, and what is sent when it is chosen. Never longer than Discord allows."""

    name: str
    value: str


def samplers(typed: str) -> tuple[Suggestion, ...]:
    """Samplers of the catalogue."""
    return ranked((Suggestion(row.label, row.id) for row in SAMPLERS), typed)


def upscalers(inventory: Inventory, typed: str) -> tuple[Suggestion, ...]:
    """Networks first, then what resamples; narrowed by what is typed, so that none is out of reach however many there are."""
    networks = (Suggestion(shorten(info.name, limit=LENGTH), info.name) for info in inventory.upscalers)
    return ranked((*networks, *(Suggestion(row.label, row.id) for row in UPSCALERS)), typed)


def restorers(inventory: Inventory, typed: str) -> tuple[Suggestion, ...]:
    """On and off, the restorers of faces, and painting over, which needs none."""
    known = (BEST, OFF, REPAINT, *(file.name for file in inventory.faces))
    return ranked((Suggestion(name, name) for name in known), typed)


def models(inventory: Inventory, typed: str) -> tuple[Suggestion, ...]:
    """Checkpoints by name, sent by hash where there is one: file names may be longer than Discord's 100 characters."""
    return ranked((_model(info) for info in inventory.checkpoints), typed)


def loras(inventory: Inventory, typed: str) -> tuple[Suggestion, ...]:
    """LoRAs for a list such as `ink:0.8, fur`: completes the last name and keeps what stands before it."""
    before, comma, last = typed.rpartition(",")
    kept = f"{before.strip()}, " if comma else ""
    found = ranked((Suggestion(info.name, info.name) for info in inventory.loras), last.partition(":")[0])
    whole = (Suggestion(kept + each.name, kept + each.value) for each in found)
    return tuple(each for each in whole if len(each.value) <= LENGTH)


def styles(saved: Iterable[str], typed: str) -> tuple[Suggestion, ...]:
    """Styles for a list such as `ink, moody`: whole names first, then those that go on with the list."""
    known = list(saved)
    before, comma, last = typed.rpartition(",")
    whole = names(known, typed)
    if not comma:
        return whole
    kept = f"{before.strip()}, "
    more = (Suggestion(kept + each.name, kept + each.value) for each in names(known, last))
    return tuple(dict.fromkeys((*whole, *(each for each in more if _fits(each)))))[:LIMIT]


def names(saved: Iterable[str], typed: str) -> tuple[Suggestion, ...]:
    """Saved things (styles, seeds) by their names."""
    return ranked((Suggestion(name, name) for name in saved), typed)


def _model(info: ModelFile) -> Suggestion:
    family = _FAMILY_NAMES.get(info.family, "")
    name = shorten(info.name, limit=LENGTH - 10)
    return Suggestion(f"{name} · {family}" if family else name, info.hash or info.name)


def ranked(suggestions: Iterable[Suggestion], typed: str) -> tuple[Suggestion, ...]:
    """Those that contain every typed word, names that begin with the text first, else in the order given."""
    wanted = typed.casefold().strip()
    found = [
        each for each in suggestions if _fits(each) and all(word in each.name.casefold() for word in wanted.split())
    ]
    return tuple(sorted(found, key=lambda each: not each.name.casefold().startswith(wanted))[:LIMIT])


def _fits(suggestion: Suggestion) -> bool:
    return 0 < len(suggestion.name) <= LENGTH and 0 < len(suggestion.value) <= LENGTH
