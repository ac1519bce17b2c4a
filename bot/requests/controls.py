"""Controls as people say them: which preprocessor and which ControlNet are meant, and whether they go together.

Owns the search and the sentence for each thing that cannot be. What a file follows is told by its name, as the webui's
extension does. Pure: pictures are named by hash.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from bot.errors import RequestRefused, Unknown
from bot.requests.drafts import shown
from bot.requests.naming import near_matches, unknown
from inference.api.control import NO_PREPROCESSOR, ControlMode, ControlUnit, Preprocessor
from inference.api.errors import RequestInvalid
from inference.api.preprocessors import PREPROCESSORS, PreprocessorRow, find_preprocessor, usable
from inference.api.result import Inventory, ModelFile

FOLDER: Final = "models/ControlNet"
NO_CONTROLS: Final = (
    f"There is no ControlNet here yet; the operator puts one into {FOLDER}. docs/control.md says which files fit."
)
MODES: Final[Mapping[ControlMode, str]] = {
    "balanced": "Balanced",
    "prompt": "My prompt is more important",
    "control": "ControlNet is more important",
}
RESIZES: Final = ("Just resize", "Crop and resize", "Resize and fill")
"""By number, as the webui names them."""
KINDS: Final = tuple(row for row in PREPROCESSORS if "inpaint" not in row.controls)
"""Preprocessors that need no mask."""
FAMILIES: Final = {"sd1": "SD 1", "sd2": "SD 2", "sdxl": "SDXL"}
_MARKS: Final[Mapping[str, tuple[str, ...]]] = {
    "openpose": ("openpose", "pose"),
    "scribble": ("scribble", "sketch"),
    "softedge": ("softedge", "hed", "pidi"),
    "mlsd": ("mlsd", "straight"),
    "normal": ("normal",),
    "seg": ("seg",),
    "tile": ("tile", "blur"),
}
"""What stands in the names of files that follow a kind of map; of others the kind itself."""
_USUAL: Final = "canny"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A control as it was said; None and empty leave it to Easel. `low` and `high` are the preprocessor's thresholds."""

    kind: str = ""
    model: str = ""
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    mode: str = "balanced"
    resize_mode: int = 1
    pixel_perfect: bool = False
    resolution: int = 0
    low: float | None = None
    high: float | None = None


def unit_of(wanted: Wanted, *, picture: str, checkpoint: ModelFile, inventory: Inventory) -> ControlUnit:
    """The control that is meant, following `picture` (sha256) while `checkpoint` paints.

    Raises Unknown for a kind or file that is not here, RequestRefused for what does not fit or is out of range.
    """
    row, model = _chosen(wanted, checkpoint=checkpoint, inventory=inventory)
    _check_sliders(row, wanted)
    try:
        return ControlUnit(
            model=model.name,
            picture=picture,
            preprocessor=Preprocessor(
                id=row.id,
                resolution=0 if row.fixed else wanted.resolution,
                pixel_perfect=wanted.pixel_perfect,
                threshold_a=wanted.low,
                threshold_b=wanted.high,
            ),
            weight=wanted.weight,
            start=wanted.start,
            end=wanted.end,
            mode=_mode(wanted.mode),
            resize_mode=_resize(wanted.resize_mode),
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def kind_named(text: str, inventory: Inventory | None = None) -> PreprocessorRow:
    """The preprocessor that `text` means: its id, label, or the kind of map, of which one that runs here comes first.

    Raises Unknown.
    """
    folded = text.strip().casefold()
    exact = next((row for row in PREPROCESSORS if row.id == folded), None)
    makers = sorted((row for row in KINDS if folded in row.controls), key=lambda row: not row.id.startswith(folded))
    running = makers if inventory is None else usable(makers, inventory)
    found = exact or next(iter((*running, *makers)), None) or find_preprocessor(folded)
    if found is None:
        raise unknown("kind of map", text, (row.id for row in KINDS))
    return found


def control_named(text: str, inventory: Inventory) -> ModelFile:
    """The ControlNet of this name or hash, in any case. Raises Unknown."""
    if not inventory.controls:
        raise Unknown(NO_CONTROLS)
    folded = text.strip().casefold()
    for info in inventory.controls:
        if folded in (info.name.casefold(), info.hash.casefold() or None, info.name.rpartition("/")[2].casefold()):
            return info
    raise unknown("ControlNet", text, (info.name for info in inventory.controls))


def controls_for(row: PreprocessorRow, checkpoint: ModelFile | None, inventory: Inventory) -> tuple[ModelFile, ...]:
    """ControlNets that `checkpoint` can be steered with, those that follow the maps of `row` first."""
    fitting = [info for info in inventory.controls if fits(info, checkpoint)]
    return tuple(sorted(fitting, key=lambda info: not follows(info, row)))


def fits(info: ModelFile, checkpoint: ModelFile | None) -> bool:
    """Whether a ControlNet can steer a checkpoint, as far as their headers tell."""
    unknown_to_us = checkpoint is None or info.family not in FAMILIES or checkpoint.family not in FAMILIES
    return unknown_to_us or (checkpoint is not None and info.family == checkpoint.family)


def follows(info: ModelFile, row: PreprocessorRow) -> bool:
    """Whether a ControlNet was trained on maps like those of `row`, as far as its name tells."""
    name = info.name.casefold()
    return any(mark in name for kind in row.controls for mark in _MARKS.get(kind, (kind,)))


def check_fits(info: ModelFile, checkpoint: ModelFile) -> None:
    """Raise RequestRefused where a ControlNet is made for another family than the checkpoint's."""
    if not fits(info, checkpoint):
        raise RequestRefused(
            f"The ControlNet “{shown(info.name)}” is made for {FAMILIES[info.family]}, and “{shown(checkpoint.name)}” is "
            f"{FAMILIES[checkpoint.family]}; choose another ControlNet or another checkpoint."
        )


def check_units(units: Sequence[ControlUnit], *, checkpoint: ModelFile, inventory: Inventory) -> None:
    """Raise Unknown or RequestRefused where a control's file is gone by now, or does not fit the checkpoint."""
    for unit in units:
        check_fits(control_named(unit.model, inventory), checkpoint)


def _chosen(wanted: Wanted, *, checkpoint: ModelFile, inventory: Inventory) -> tuple[PreprocessorRow, ModelFile]:
    """Preprocessor and file: what was said, and what goes with it."""
    if not inventory.controls:
        raise Unknown(NO_CONTROLS)
    said = control_named(wanted.model, inventory) if wanted.model.strip() else None
    if said is not None:
        check_fits(said, checkpoint)
    row = kind_named(wanted.kind, inventory) if wanted.kind.strip() else _kind_for(said, checkpoint, inventory)
    if said is not None:
        return row, said
    found = controls_for(row, checkpoint, inventory)
    if found and (follows(found[0], row) or row.id == NO_PREPROCESSOR):
        return row, found[0]
    raise _no_network(row, checkpoint, found)


def _kind_for(said: ModelFile | None, checkpoint: ModelFile, inventory: Inventory) -> PreprocessorRow:
    """The preprocessor that goes with a file; where none was said, edges, or what the first file that fits follows."""
    rows = usable(KINDS, inventory)
    files = [said] if said is not None else [info for info in inventory.controls if fits(info, checkpoint)]
    known = [row for row in rows if any(follows(info, row) for info in files)]
    known.sort(key=lambda row: not any(row.id.startswith(kind) for kind in row.controls))
    usual = next((row for row in known if row.id == _USUAL), None)
    return usual or next(iter(known), None) or kind_named(NO_PREPROCESSOR)


def _no_network(row: PreprocessorRow, checkpoint: ModelFile, found: Sequence[ModelFile]) -> Unknown:
    family = FAMILIES.get(checkpoint.family, "this kind of checkpoint")
    begin = f"There is no ControlNet here that follows “{row.label}” and fits {family}"
    if not found:
        return Unknown(f"{begin}; the operator puts one into {FOLDER}. docs/control.md says which files fit.")
    near = near_matches(row.id, [info.name for info in found]) or [info.name for info in found[:3]]
    return Unknown(f"{begin}; choose one with the option “model”, such as “{shown(near[0])}”, or another kind.")


def _check_sliders(row: PreprocessorRow, wanted: Wanted) -> None:
    for number, value in enumerate((wanted.low, wanted.high)):
        if value is None:
            continue
        if number >= len(row.sliders):
            raise RequestRefused(
                f"“{row.label}” takes {_count(len(row.sliders))}, so there is nothing to set to {value:g}."
            )
        slider = row.sliders[number]
        if not slider.low <= value <= slider.high:
            raise RequestRefused(f"{slider.label} must be between {slider.low:g} and {slider.high:g}, not {value:g}.")


def _count(sliders: int) -> str:
    return {0: "no threshold", 1: "one threshold"}.get(sliders, "two thresholds")


def _mode(text: str) -> ControlMode:
    folded = text.strip().casefold()
    for mode, label in MODES.items():
        if folded in {str(mode), label.casefold()}:
            return mode
    raise unknown("control mode", text, MODES.values())


def _resize(number: int) -> Literal[0, 1, 2]:
    match number:
        case 0 | 1 | 2:
            return number
        case _:
            raise RequestRefused(f"A control picture is fitted in one of three ways, 0 to 2, not {number}.")
