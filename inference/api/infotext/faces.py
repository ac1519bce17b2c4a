"""Mended faces in a parameter text, and among what was done to a picture afterwards. Owns those keys alone."""

from collections.abc import Mapping
from typing import Final

from inference.api.faces import REPAINT, FaceRestoration
from inference.api.infotext.quoting import Value
from inference.api.infotext.reading import Reader
from inference.api.lookup import find_restorer
from inference.api.result import Inventory

KEY: Final = "Face restoration"
WEIGHT, VISIBILITY = "Face restoration weight", "Face restoration visibility"
"""Easel's own: the webui keeps them in its settings."""
_OFF: Final = frozenset({"", "none", "false"})
_USUAL: Final = FaceRestoration()


def weight_and_visibility(faces: FaceRestoration | None) -> dict[str, Value]:
    """What a text tells of `faces` beside the model, where it is not the usual."""
    if faces is None:
        return {}
    return {
        WEIGHT: None if faces.weight == _USUAL.weight else _plain(faces.weight),
        VISIBILITY: None if faces.visibility == _USUAL.visibility else _plain(faces.visibility),
    }


def _plain(share: float) -> int | float:
    """1.0 as 1, the way people type it."""
    return int(share) if share == int(share) else share


def read_faces(reader: Reader, inventory: Inventory) -> FaceRestoration | None:
    """The faces that a text says were mended; None, with a note, where by something that is not here."""
    name = reader.text(KEY)
    weight = reader.number(WEIGHT, _USUAL.weight, low=0.0, high=1.0)
    visibility = reader.number(VISIBILITY, _USUAL.visibility, low=0.0, high=1.0)
    if name.casefold() in _OFF:
        return None
    found = find_restorer(inventory, name)
    if name.casefold() != REPAINT and found is None:
        reader.notes.append(f"The face restorer “{name[:60]}” is not here; faces stayed as they were painted.")
        return None
    return FaceRestoration(REPAINT if found is None else found.name, weight, visibility)


def mended_after(faces: FaceRestoration | None, inventory: Inventory) -> Mapping[str, Value]:
    """What the webui's Extras say of mended faces: how far they are seen, and CodeFormer's weight; and the file."""
    if faces is None:
        return {}
    found = find_restorer(inventory, faces.model)
    family = {"gfpgan": "GFPGAN", "codeformer": "CodeFormer"}.get("" if found is None else found.family, "")
    told: dict[str, Value] = {KEY: faces.model}
    if family:
        told[f"{family} visibility"] = f"{faces.visibility:g}"
    if family == "CodeFormer":
        told["CodeFormer weight"] = f"{faces.weight:g}"
    return told
