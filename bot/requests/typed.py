"""Numbers, sizes and second passes as people type them into a form, and the sentence for what is none of these.

Owns the spelling. What is allowed on this server is `resolve`'s to say.
"""

import re
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.drafts import read_size, shown
from bot.requests.naming import upscaler_named
from inference.api.catalog import ASPECTS, LATENT_UPSCALERS, UPSCALERS
from inference.api.errors import RequestInvalid
from inference.api.request import Hires
from inference.api.result import Inventory

_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{0,6})?|[.,][0-9]{1,6}")
_SCALE: Final = re.compile(rf"(?:[x×*]\s*)?({_NUMBER.pattern})\s*[x×*]?", re.IGNORECASE)
_STEPS: Final = re.compile(r"([0-9]{1,6})\s*steps?", re.IGNORECASE)
_SIZE: Final = re.compile(r"[0-9]{1,6}\s*[x×*]\s*[0-9]{1,6}", re.IGNORECASE)
_OFF: Final = frozenset({"", "off", "no", "none", "0", "-"})
OFF: Final = "off"
_LABELS: Final = {row.id: row.label for row in (*LATENT_UPSCALERS, *UPSCALERS)}


def read_whole(text: str, what: str, *, low: int, high: int) -> int | None:
    """A whole number from `low` to `high`; None where nothing was typed. Raises RequestRefused, which names `what`."""
    said = text.strip()
    if not said:
        return None
    if _WHOLE.fullmatch(said) is None or not low <= int(said) <= high:
        raise RequestRefused(f"{what} must be a whole number from {low:,} to {high:,}, not “{shown(said)}”.")
    return int(said)


def read_number(text: str, what: str, *, low: float, high: float) -> float | None:
    """A number from `low` to `high`, with a point or a comma; None where nothing was typed. Raises RequestRefused."""
    said = text.strip()
    if not said:
        return None
    value = float(said.replace(",", ".")) if _NUMBER.fullmatch(said) else None
    if value is None or not low <= value <= high:
        raise RequestRefused(f"{what} must be a number from {low:g} to {high:g}, not “{shown(said)}”.")
    return value


def read_canvas(text: str) -> tuple[tuple[int, int] | None, str | None]:
    """Width and height in pixels, or the id of a shape; both None where nothing was typed. Raises RequestRefused."""
    said = text.strip()
    if not said:
        return None, None
    folded = said.casefold()
    for row in ASPECTS:
        if folded in (row.id, row.label.casefold(), row.label.casefold().partition(" ")[0]):
            return None, row.id
    if _SIZE.fullmatch(said):
        return read_size(said), None
    shapes = ", ".join(row.id for row in ASPECTS)
    raise RequestRefused(
        f"“{shown(said)}” is neither a size in pixels, such as 512x768, nor one of the shapes {shapes}."
    )


def hires_text(hires: Hires | None) -> str:
    """`hires` as `read_hires` reads it: how large, how free, with what."""
    if hires is None:
        return OFF
    size = f"{hires.scale:g}x" if hires.resize is None else f"{hires.resize[0]}x{hires.resize[1]}"
    steps = f", {hires.steps} steps" if hires.steps else ""
    return f"{size}, {hires.denoising_strength:g}, {_LABELS.get(hires.upscaler, hires.upscaler)}{steps}"


def read_hires(text: str, old: Hires | None, inventory: Inventory) -> Hires | None:
    """The second pass that `text` asks for: `off`, or `2x, 0.5, Latent, 12 steps` in any order; all but one may be missing.

    What is not said is as in `old`, or the webui's default. Raises RequestRefused.
    """
    items = [item.strip() for item in text.split(",") if item.strip()]
    if len(items) <= 1 and text.strip().casefold() in _OFF:
        return None
    said: dict[str, object] = {}
    for item in items:
        name, value = _hires_item(item, inventory)
        if name in said:
            raise RequestRefused(
                f"“{shown(text)}” says the same of hires fix twice; write it as: 2x, 0.5, Latent, 12 steps."
            )
        said[name] = value
    if "scale" in said:
        said["resize"] = None
    try:
        return msgspec.structs.replace(old or Hires(), **said)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def _hires_item(item: str, inventory: Inventory) -> tuple[str, object]:
    """Which part of a second pass `item` is, and its value. Raises RequestRefused."""
    if _SIZE.fullmatch(item):
        return "resize", read_size(item)
    if found := _STEPS.fullmatch(item):
        return "steps", int(found[1])
    if found := _SCALE.fullmatch(item):
        value = float(found[1].replace(",", "."))
        plain = _NUMBER.fullmatch(item) is not None
        return ("denoising_strength" if plain and value <= 1 else "scale"), value
    for row in LATENT_UPSCALERS:
        if item.casefold() in (row.id, row.label.casefold()):
            return "upscaler", row.id
    return "upscaler", upscaler_named(item, inventory)
