"""What was done to a picture after it was painted: the text of the webui's Extras, written and read back.

It stands in chunks of its own beside the parameters (`postprocessing`, and `extras` as the webui names it too); texts of other
programs carry the same keys among the parameters. Owns keys, order and labels. Refuses to know networks.
"""

import re
from collections.abc import Mapping

import msgspec

from inference.api.catalog import UPSCALERS
from inference.api.enlarging import MAX_FACTOR, UpscaleRequest, result_size
from inference.api.infotext.parsing import pairs_in
from inference.api.infotext.pictures import texts_in
from inference.api.infotext.quoting import Value, quote
from inference.api.lookup import find_upscaler
from inference.api.result import Inventory

BY, TO, CROP, FIRST, SECOND = (
    "Postprocess upscale by",
    "Postprocess upscale to",
    "Postprocess crop to",
    "Postprocess upscaler",
    "Postprocess upscaler 2",
)
VISIBILITY = "Postprocess upscaler 2 visibility"
"""Easel's own: the webui does not say how much of the second one is seen."""
_DIGITS = re.compile(r"\d{1,6}(\.\d{0,9})?")
_LABELS = {row.id: row.label for row in UPSCALERS}
_IDS = {row.label.casefold(): row.id for row in UPSCALERS}


class Postprocessed(msgspec.Struct, frozen=True):
    """An enlargement that a text tells of. `upscaler` and `second` are ids or names as `UpscaleRequest` takes them."""

    upscaler: str
    scale: float = 1.0
    size: tuple[int, int] | None = None
    crop: bool = False
    second: str = ""
    second_visibility: float = 0.0
    notes: tuple[str, ...] = ()


def write_postprocessing(request: UpscaleRequest, more: Mapping[str, Value] = {}) -> str:
    """The text for a result of `request`; `more` follows (what mended faces say of themselves)."""
    said: dict[str, Value] = {}
    if request.size is not None or request.scale > 1 or request.upscaler != "none":
        if request.size is None:
            said[BY] = f"{request.scale:g}"
        else:
            said[TO] = "{}x{}".format(*request.size)
            if request.crop:
                said[CROP] = "{}x{}".format(*result_size(request, request.size))
        said[FIRST] = _LABELS.get(request.upscaler, request.upscaler)
        if request.second and request.second_visibility > 0 and request.upscaler != "none":
            said[SECOND] = _LABELS.get(request.second, request.second)
            said[VISIBILITY] = f"{request.second_visibility:g}"
    return ", ".join(f"{key}: {quote(value)}" for key, value in (said | dict(more)).items())


def postprocessing_in(data: bytes) -> str:
    """The text in a picture's bytes; empty where there is none."""
    chunks = texts_in(data).chunks
    return chunks.get("postprocessing") or chunks.get("extras") or ""


def read_postprocessing(text: str, inventory: Inventory) -> Postprocessed | None:
    """What `text` (of a chunk, or a whole parameter text) says of an enlargement; None where it says nothing of one.

    An upscaler that is not here becomes Lanczos, and a note says so.
    """
    said = pairs_in(text.strip().rpartition("\n")[2])
    if FIRST not in said:
        return None
    notes: list[str] = []
    size, crop = _sides(said, TO), _sides(said, CROP)
    second = _named(said[SECOND], inventory, notes) if said.get(SECOND) else ""
    return Postprocessed(
        upscaler=_named(said[FIRST], inventory, notes),
        scale=_number(said.get(BY, ""), within=(1.0, MAX_FACTOR), otherwise=1.0),
        size=crop or size,
        crop=crop is not None,
        second=second,
        second_visibility=_number(said.get(VISIBILITY, ""), within=(0.0, 1.0), otherwise=0.5) if second else 0.0,
        notes=tuple(notes),
    )


def _named(label: str, inventory: Inventory, notes: list[str]) -> str:
    if known := _IDS.get(label.casefold()):
        return known
    if found := find_upscaler(inventory, label):
        return found.name
    notes.append(f"There is no upscaler “{label[:60]}” here; Lanczos was taken.")
    return "lanczos"


def _number(text: str, *, within: tuple[float, float], otherwise: float) -> float:
    return min(max(float(text), within[0]), within[1]) if _DIGITS.fullmatch(text.strip()) else otherwise


def _sides(said: Mapping[str, str], key: str) -> tuple[int, int] | None:
    wide, _, high = said.get(key, "").partition("x")
    if not (wide.isdecimal() and high.isdecimal() and len(wide) < 6 and len(high) < 6):
        return None
    return (int(wide), int(high)) if int(wide) and int(high) else None
