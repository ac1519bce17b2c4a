"""Mending faces: from what somebody says to `FaceRestoration`, and which way is taken where nobody says.

Owns the notation `GFPGANv1.4`, `repaint, 0.4`, `off`, and the sentence for each thing that cannot be. Pure.
"""

import re
from typing import Final

import msgspec

from bot.errors import RequestRefused, Unknown
from bot.requests.drafts import shown
from bot.requests.naming import unknown
from inference.api.enlarging import UpscaleRequest
from inference.api.errors import RequestInvalid
from inference.api.faces import REPAINT, FaceRestoration
from inference.api.lookup import find_restorer
from inference.api.request import GenerationRequest, Request
from inference.api.result import Inventory

BEST: Final = "on"
OFF: Final = "off"
REPAINTED: Final = 0.4
"""How far a face is painted over where nobody says: more, and it becomes somebody else's."""
_BEST: Final = frozenset({"", "on", "yes", "best", "true"})
_OFF: Final = frozenset({"off", "no", "none", "false", "0"})
_PREFERRED: Final = ("gfpgan", "restoreformer", "codeformer")
"""Kinds of restorers, the best first of those that need nothing beside their file."""
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,4})?)\s*%")
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,4})?|[.,][0-9]{1,4}")
_ENLARGED: Final = (
    "Without a restorer's file faces are painted over, which needs a model and words, and an enlargement has neither: choose to "
    "redraw it in tiles, mend the painted picture, or let the operator put GFPGANv1.4.pth into models/GFPGAN."
)


def best_restorer(inventory: Inventory) -> str:
    """The restorer that is taken where nobody says, or `repaint` where there is none."""
    for family in _PREFERRED:
        found = next((file for file in inventory.faces if file.family == family), None)
        if found is not None:
            return found.name
    return REPAINT


def read_faces(text: str, inventory: Inventory) -> FaceRestoration | None:
    """How faces are mended: `on`, `off`, or a restorer, a weight from 0 to 1 and how far it is seen: `repaint, 0.4, 80%`.

    Raises RequestRefused, Unknown.
    """
    items = [item.strip() for item in text.split(",") if item.strip()]
    if len(items) == 1 and items[0].casefold() in _OFF:
        return None
    model, numbers, shares = "", list[float](), list[float]()
    for item in items:
        if found := _SHARE.fullmatch(item):
            shares.append(float(found[1].replace(",", ".")) / 100)
        elif _NUMBER.fullmatch(item):
            numbers.append(float(item.replace(",", ".")))
        elif not model:
            model = best_restorer(inventory) if item.casefold() in _BEST else _named(item, inventory)
        else:
            raise RequestRefused(f"“{shown(text)}” names two restorers; write one, such as: repaint, 0.4, 80%.")
    if len(numbers) > 1 or len(shares) > 1:
        raise RequestRefused(f"“{shown(text)}” says the same of faces twice; write it as: repaint, 0.4, 80%.")
    model = model or best_restorer(inventory)
    weight = numbers[0] if numbers else REPAINTED if model == REPAINT else FaceRestoration().weight
    try:
        return FaceRestoration(model, weight, shares[0] if shares else 1.0)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def faces_text(faces: FaceRestoration | None) -> str:
    """`faces` as `read_faces` reads it."""
    if faces is None:
        return OFF
    seen = "" if faces.visibility == 1 else f", {faces.visibility * 100:g}%"
    return f"{faces.model}, {faces.weight:g}{seen}"


def check_without_words(faces: FaceRestoration | None) -> None:
    """Return when an enlargement can mend `faces`. Raises RequestRefused where only a painter could."""
    if faces is not None and faces.model == REPAINT:
        raise RequestRefused(_ENLARGED)


def mended(
    request: Request, *, picture: str, infotext: str, inventory: Inventory
) -> GenerationRequest | UpscaleRequest:
    """What mends the faces of the picture with this sha256, which came of `request` (of that picture alone).

    A restorer works on the picture itself; without one it is painted once more as it was, and faces are painted over at the end.
    Raises RequestRefused where neither can be.
    """
    best = best_restorer(inventory)
    if best != REPAINT:
        return UpscaleRequest(
            picture=picture, upscaler="none", scale=1.0, faces=FaceRestoration(best), infotext=infotext
        )
    if not isinstance(request, GenerationRequest):
        raise RequestRefused(_ENLARGED)
    return msgspec.structs.replace(request, faces=FaceRestoration(REPAINT, REPAINTED))


def _named(item: str, inventory: Inventory) -> str:
    if item.casefold() == REPAINT:
        return REPAINT
    found = find_restorer(inventory, item)
    if found is None:
        names = (REPAINT, *(file.name for file in inventory.faces))
        refusal: Unknown = unknown("face restorer", item, names)
        raise refusal
    return found.name
