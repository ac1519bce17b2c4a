"""The forms of a sheet: what they begin with, and what comes back of a control.

Owns how resolution, thresholds, weight and span are typed in one line each. What is possible is `bot.requests.controls`' to say.
"""

import re
from collections.abc import Mapping
from typing import Final

from bot.discord_ui.forms import FIT, KIND, NETWORK, NETWORKS, NO_NETWORK, SEEN, SPAN, Filled
from bot.errors import RequestRefused
from bot.requests.controls import Wanted, control_named, controls_for, follows, kind_named
from bot.requests.drafts import shown
from bot.requests.typed import read_number, read_whole
from inference.api.control import MAX_CONTROL_WEIGHT, MAX_RESOLUTION, ControlUnit
from inference.api.preprocessors import row_of
from inference.api.result import Inventory, ModelFile

PERFECT, AUTO = "pixel perfect", "auto"
_PERFECT: Final = frozenset({"pixel perfect", "pixel-perfect", "perfect", "pp"})
_AUTO: Final = frozenset({"", "auto", "0", "default"})
_PARTS: Final = re.compile(r"\s*[;/]\s*|,\s+|\s+")
_LEAST: Final = 64
Said = Mapping[str, str]


def change_values(unit: ControlUnit, *, checkpoint: ModelFile | None, inventory: Inventory) -> dict[str, str]:
    """What the form of a control begins with."""
    return {
        KIND: unit.preprocessor.id,
        NETWORK: unit.model,
        NETWORKS: _networks(unit.preprocessor.id, checkpoint, inventory, first=unit.model),
        SEEN: _seen_text(unit),
        SPAN: f"{unit.weight:g}, {unit.start:g}, {unit.end:g}",
        FIT: f"{unit.mode},{unit.resize_mode}",
    }


def add_values(unit: ControlUnit | None, *, checkpoint: ModelFile | None, inventory: Inventory) -> dict[str, str]:
    """What the form of one control more begins with; `unit` is the last one."""
    kind = "none" if unit is None else unit.preprocessor.id
    return {
        KIND: kind,
        NETWORK: "" if unit is None else unit.model,
        NETWORKS: _networks(kind, checkpoint, inventory, first="" if unit is None else unit.model),
        SPAN: "1, 0, 1",
    }


def read_change(filled: Filled, before: Said, inventory: Inventory) -> Wanted:
    """The control that a form says. Raises RequestRefused, Unknown.

    Thresholds that were left as they were are another preprocessor's, where the kind is another one now; and a ControlNet that
    was left as it was gives way to one that follows that kind.
    """
    kind = filled.choice(KIND) or before[KIND]
    moved = kind != before[KIND]
    seen = filled.texts.get(SEEN, "")
    resolution, perfect, thresholds = _read_seen(seen)
    if moved and seen.strip() == before.get(SEEN, "").strip():
        thresholds = ()
    weight, start, end = read_span(filled.texts.get(SPAN, ""))
    mode, _, fit = (filled.choice(FIT) or before.get(FIT, "balanced,1")).partition(",")
    low, high = (*thresholds, None, None)[:2]
    return Wanted(
        kind=kind,
        model=_network_for(filled, before, kind, inventory),
        weight=weight,
        start=start,
        end=end,
        mode=mode,
        resize_mode=int(fit) if fit in {"0", "1", "2"} else 1,
        pixel_perfect=perfect,
        resolution=resolution,
        low=low,
        high=high,
    )


def read_span(text: str) -> tuple[float, float, float]:
    """Weight, start and end from `1, 0, 1`; what is not said is the whole. Raises RequestRefused."""
    parts = [part for part in _PARTS.split(text.strip()) if part]
    if len(parts) == 1 and parts[0].count(",") == 2:
        parts = parts[0].split(",")
    if len(parts) > 3:
        raise RequestRefused(
            f"“{shown(text)}” is more than weight, start and end; write three numbers, such as 1, 0, 0.8."
        )
    weight, start, end = (*parts, "", "", "")[:3]
    return (
        _or(read_number(weight, "A control's weight", low=0, high=MAX_CONTROL_WEIGHT), 1.0),
        _or(read_number(start, "A control's start", low=0, high=1), 0.0),
        _or(read_number(end, "A control's end", low=0, high=1), 1.0),
    )


def _read_seen(text: str) -> tuple[int, bool, tuple[float, ...]]:
    """Resolution, whether it is the canvas's, and thresholds. Raises RequestRefused."""
    first, *rest = [part.strip() for part in text.split(",")]
    perfect = first.casefold() in _PERFECT
    said = None if perfect or first.casefold() in _AUTO else first
    resolution = 0 if said is None else read_whole(said, "A map's resolution", low=_LEAST, high=MAX_RESOLUTION)
    if len(rest) > 2:
        raise RequestRefused(f"“{shown(text)}” has more than two thresholds; write them as 512, 100, 200.")
    numbers = [read_number(part, "A threshold", low=0, high=MAX_RESOLUTION) for part in rest]
    return resolution or 0, perfect, tuple(number for number in numbers if number is not None)


def _seen_text(unit: ControlUnit) -> str:
    chosen = unit.preprocessor
    size = PERFECT if chosen.pixel_perfect else str(chosen.resolution) if chosen.resolution else AUTO
    row = row_of(chosen)
    sliders = () if row is None else row.sliders
    wanted = (chosen.threshold_a, chosen.threshold_b)
    numbers = [f"{slider.settled(value):g}" for slider, value in zip(sliders, wanted, strict=False)]
    return ", ".join((size, *numbers))


def _networks(kind: str, checkpoint: ModelFile | None, inventory: Inventory, *, first: str) -> str:
    names = [info.name for info in controls_for(kind_named(kind), checkpoint, inventory)]
    return "\n".join(dict.fromkeys((*filter(None, (first,)), *names)))


def _network_for(filled: Filled, before: Said, kind: str, inventory: Inventory) -> str:
    """The file that was chosen; nothing, where that is for the old kind and was only left as it was."""
    said = filled.choice(NETWORK) or ""
    chosen = "" if said == NO_NETWORK else said
    full = next((name for name in before.get(NETWORKS, "").split("\n") if shown(name, limit=100) == chosen), chosen)
    if not full or kind == before[KIND] or full != before.get(NETWORK):
        return full
    row = kind_named(kind)
    info = control_named(full, inventory)
    return full if follows(info, row) or not any(follows(each, row) for each in inventory.controls) else ""


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
