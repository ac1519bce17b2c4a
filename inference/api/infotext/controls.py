"""ControlNet units in a parameter text, as the webui's extension writes them, and back.

`ControlNet 0: "Module: canny, Model: name [hash], Weight: 1.0, …"`. A text carries no picture: Easel names its own by their
hashes, with whatever else the extension has no word for, under `Control 0`. Owns those two keys.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from inference.api.control import MAX_CONTROL_WEIGHT, MAX_RESOLUTION, MAX_UNITS, ControlMode, ControlUnit, Preprocessor
from inference.api.errors import RequestInvalid
from inference.api.infotext.quoting import Value
from inference.api.infotext.reading import Reader
from inference.api.lookup import find_by_hash, find_control
from inference.api.preprocessors import find_preprocessor, row_of
from inference.api.result import Inventory, ModelFile

KEY: Final = "ControlNet"
OWN: Final = "Control"
_MODES: Final[Mapping[str, ControlMode]] = {
    "Balanced": "balanced",
    "My prompt is more important": "prompt",
    "ControlNet is more important": "control",
}
_RESIZE_MODES: Final = ("Just Resize", "Crop and Resize", "Resize and Fill")
_ALIASES: Final[Mapping[str, str]] = {
    "Inner Fit (Scale to Fit)": "Crop and Resize",
    "Scale to Fit (Inner Fit)": "Crop and Resize",
    "Outer Fit (Shrink to Fit)": "Resize and Fill",
    "Envelope (Outer Fit)": "Resize and Fill",
}
"""What the extension's resize modes were called before."""
_PASSES: Final[Mapping[str, str]] = {
    "Both": "both passes",
    "Low res only": "first pass",
    "High res only": "second pass",
}
_FIELDS: Final = (
    "Module",
    "Model",
    "Weight",
    "Resize Mode",
    "Processor Res",
    "Threshold A",
    "Threshold B",
    "Guidance Start",
    "Guidance End",
    "Pixel Perfect",
    "Control Mode",
    "Hr Option",
)
_OWN_FIELDS: Final = ("Picture", "Mask", "Region", "Seed", "Hr Option")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_TITLE: Final = re.compile(r"(?P<name>.*?)(?:\s*\[(?P<hash>[0-9a-fA-F]{8,64})\])?")


def control_facts(units: tuple[ControlUnit, ...], hashes: Mapping[str, str] = {}) -> dict[str, Value]:
    """What a text tells of `units`. `hashes` are those of the files of control, by name; only the engine knows them."""
    told: dict[str, Value] = {}
    for number, unit in enumerate(units):
        told[f"{KEY} {number}"] = _listed(_unit_facts(unit, hashes.get(unit.model, "")))
        told[f"{OWN} {number}"] = _listed(_own_facts(unit)) or None
    return told


def _listed(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in facts.items())


def _unit_facts(unit: ControlUnit, digits: str) -> dict[str, str]:
    """The extension's fields; -1 is what it writes for a preprocessor's own resolution and thresholds."""
    made = unit.preprocessor
    row = row_of(made)
    labels = {mode: label for label, mode in _MODES.items()}
    return {
        "Module": made.id if row is None else row.modules[0],
        "Model": f"{unit.model} [{digits}]" if digits else unit.model,
        "Weight": str(unit.weight),
        "Resize Mode": _RESIZE_MODES[unit.resize_mode],
        "Processor Res": str(made.resolution or -1),
        "Threshold A": str(-1 if made.threshold_a is None else made.threshold_a),
        "Threshold B": str(-1 if made.threshold_b is None else made.threshold_b),
        "Guidance Start": str(unit.start),
        "Guidance End": str(unit.end),
        "Pixel Perfect": str(made.pixel_perfect),
        "Control Mode": labels[unit.mode],
    }


def _own_facts(unit: ControlUnit) -> dict[str, str]:
    """What the extension's text leaves out, where it is there."""
    passes = {during: label for label, during in _PASSES.items()}
    told = {
        "Picture": unit.picture,
        "Mask": unit.mask,
        "Region": unit.region,
        "Seed": str(unit.preprocessor.seed) if unit.preprocessor.seed else "",
        "Hr Option": passes[unit.during] if unit.during != "both passes" else "",
    }
    return {name: value for name, value in told.items() if value}


def read_controls(reader: Reader, inventory: Inventory, *, sourced: bool) -> tuple[ControlUnit, ...]:
    """The units that a text tells of. `sourced`: it begins from a picture, which a unit without its own follows.

    What cannot be followed, because the network or the picture is not here, is left out, with a note.
    """
    units: list[ControlUnit] = []
    for number in range(MAX_UNITS):
        text, own = reader.text(f"{KEY} {number}"), reader.text(f"{OWN} {number}")
        if text:
            unit = _read(reader, inventory, _parted(text, _FIELDS), _parted(own, _OWN_FIELDS), sourced=sourced)
            units += [] if unit is None else [unit]
    return tuple(units)


def _parted(text: str, fields: tuple[str, ...]) -> dict[str, str]:
    """Values by the names of `fields`, in whatever order they stand; a value ends where the next of the names begins."""
    names = "|".join(map(re.escape, fields))
    found = list(re.finditer(rf"(?:^|, *)({names}): ?", text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return {match[1]: text[match.end() : end].strip() for match, end in zip(found, ends, strict=False)}


def _read(
    reader: Reader, inventory: Inventory, said: Mapping[str, str], own: Mapping[str, str], *, sourced: bool
) -> ControlUnit | None:
    title = said.get("Model", "")
    model, picture = _model(reader, inventory, title), _digest(own, "Picture")
    row = find_preprocessor(said.get("Module", "none"))
    if model is None:
        name = f"ControlNet “{title[:80]}”" if title else "ControlNet of the text"
        reader.notes.append(f"The {name} is not here; the picture was painted without it.")
        return None
    if not picture and not sourced:
        reader.notes.append(f"“{model.name}” followed a picture, which a text does not carry; it was left out.")
        return None
    if row is None:
        name = said.get("Module", "")
        reader.notes.append(f"There is no preprocessor “{name[:40]}” here; “{model.name}” was left out.")
        return None
    numbers = _Numbers(reader, said)
    try:
        return ControlUnit(
            model.name,
            picture=picture,
            preprocessor=_preprocessor(row.id, said, own, numbers),
            weight=numbers.within("Weight", 1.0, high=MAX_CONTROL_WEIGHT),
            start=numbers.within("Guidance Start", 0.0),
            end=numbers.within("Guidance End", 1.0),
            resize_mode=_resize_mode(said),
            mask=_digest(own, "Mask"),
            region=_digest(own, "Region"),
            **_manner(said, own),
        )
    except RequestInvalid as error:
        reader.notes.append(f"{error} “{model.name}” was left out.")
        return None


def _model(reader: Reader, inventory: Inventory, title: str) -> ModelFile | None:
    """The file of control that a text names: by its hash, or else by its name."""
    found = _TITLE.fullmatch(title[:500])
    name, digits = (found["name"], found["hash"] or "") if found is not None else (title[:500], "")
    here = find_control(inventory, name) if name and name != "None" else None
    if here is not None and (not digits or find_by_hash([here], digits)):
        return here
    other = find_by_hash(inventory.controls, digits)
    if other is None and here is not None:
        reader.notes.append(f"The ControlNet “{name[:80]}” here is another file than the picture's; it may differ.")
    return other or here


def _digest(own: Mapping[str, str], field: str) -> str:
    value = own.get(field, "")
    return value if _DIGEST.fullmatch(value) else ""


def _preprocessor(row: str, said: Mapping[str, str], own: Mapping[str, str], numbers: "_Numbers") -> Preprocessor:
    resolution = int(numbers.number("Processor Res", -1.0))
    seed = own.get("Seed", "0")
    return Preprocessor(
        row,
        resolution=resolution if 64 <= resolution <= MAX_RESOLUTION else 0,
        pixel_perfect=said.get("Pixel Perfect", "").casefold() == "true",
        threshold_a=numbers.chosen("Threshold A"),
        threshold_b=numbers.chosen("Threshold B"),
        seed=int(seed) if seed.isdecimal() and len(seed) < 20 else 0,
    )


def _resize_mode(said: Mapping[str, str]) -> Any:
    label = said.get("Resize Mode", "")
    label = _ALIASES.get(label, label)
    return _RESIZE_MODES.index(label) if label in _RESIZE_MODES else 1


def _manner(said: Mapping[str, str], own: Mapping[str, str]) -> dict[str, Any]:
    option = own.get("Hr Option") or said.get("Hr Option", "")
    return {
        "mode": _MODES.get(said.get("Control Mode", ""), "balanced"),
        "during": _PASSES.get(option, "both passes"),
    }


class _Numbers:
    """Numbers among the fields of one unit; what is none is what is usual, with a note."""

    def __init__(self, reader: Reader, said: Mapping[str, str]) -> None:
        self._reader, self._said = reader, said

    def number(self, field: str, usual: float) -> float:
        """The number under `field`."""
        text = self._said.get(field, "")
        try:
            value = float(text) if text else usual
        except ValueError:
            value = float("nan")
        if not -1e9 < value < 1e9:
            self._reader.notes.append(f"“{field}: {text[:40]}” of a ControlNet is not a number; {usual:g} was taken.")
            return usual
        return value

    def within(self, field: str, usual: float, *, high: float = 1.0) -> float:
        """The number under `field`, at least 0 and at most `high`."""
        return min(max(self.number(field, usual), 0.0), high)

    def chosen(self, field: str) -> float | None:
        """The number under `field`; None where it is negative, which stands for the preprocessor's own."""
        value = self.number(field, -1.0)
        return None if value < 0 else value
