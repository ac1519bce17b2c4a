"""What a person typed, everything optional: the value between Discord's options and forms and a resolved request.

Owns the draft and how its texts are read (sizes, lists of LoRAs). Refuses to know what exists (`resolve` does) and where
the texts came from.
"""

import re
from typing import Final

import msgspec

from bot.errors import RequestRefused


class ImagineDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A wish as it was typed. None means "not said"; `resolve` then takes the server's default, `edited` what there was.

    `seed` is text: a number, "random", or the name of a saved seed (in an edit also "keep" and "variation"). `lora` is a
    list such as `ink:0.8, fur`. `aspect` is an id of the catalogue, or a ratio such as 7:4; `size` (width, height) in pixels
    wins over it. `init_image` is the sha256 of the picture to begin from and `init_size` its (width, height), which decides
    the shape where neither aspect nor size is said. `tiling` makes edges that join with themselves, `merging` is the
    share of tokens that merge. Where `places` is on the prompt gives words their places (`requests.places`), with borders
    soft over `feather` pixels. `faces` says how they are mended (`requests.mending`). `private` asks for the answer by direct
    message.
    """

    prompt: str = ""
    negative: str | None = None
    style: str | None = None
    aspect: str | None = None
    size: tuple[int, int] | None = None
    count: int | None = None
    model: str | None = None
    lora: str | None = None
    seed: str | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    strength: float | None = None
    init_image: str | None = None
    init_size: tuple[int, int] | None = None
    tiling: bool = False
    merging: float = 0.0
    places: bool = False
    feather: int | None = None
    faces: str | None = None
    private: bool = False


MAX_WEIGHT: Final = 10.0
"""How strong a LoRA may be asked for, either way; the webui's people stay within 2."""
_SIZE: Final = re.compile(r"\s*([0-9]{1,6})\s*[x×*]\s*([0-9]{1,6})\s*", re.IGNORECASE)
_TAG: Final = re.compile(r"<(?:lora|lyco):([^<>,]*)>", re.IGNORECASE)
_WEIGHT: Final = re.compile(r"[+-]?(?:[0-9]{1,4}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})")


def read_size(text: str) -> tuple[int, int]:
    """Width and height in pixels from `512x768` (also with × or *, and spaces). Raises RequestRefused."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise RequestRefused(f"“{shown(text)}” is not a size; write width and height in pixels, such as 512x768.")
    return int(found[1]), int(found[2])


def read_loras(text: str) -> tuple[tuple[str, float | None], ...]:
    """Names and strengths from `ink:0.8, fur`, where tags (`<lora:ink:0.8>`) may stand too; None where no strength is said.

    Raises RequestRefused.
    """
    items = _TAG.sub(r",\1,", text).split(",")
    return tuple(_read_lora(item.strip()) for item in items if item.strip())


def shown(text: str, *, limit: int = 60) -> str:
    """`text` as a sentence may repeat it: on one line, and no longer than `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _read_lora(item: str) -> tuple[str, float | None]:
    name, colon, strength = item.partition(":")
    if not name.strip():
        raise RequestRefused(f"“{shown(item)}” names no LoRA; write its name, and a strength if you like: ink:0.8.")
    if not colon:
        return name.strip(), None
    if _WEIGHT.fullmatch(strength.strip()) is None or abs(float(strength)) > MAX_WEIGHT:
        raise RequestRefused(
            f"The strength of the LoRA “{shown(name)}” must be a number from -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}, "
            f"such as 0.8, not “{shown(strength)}”."
        )
    return name.strip(), float(strength)
