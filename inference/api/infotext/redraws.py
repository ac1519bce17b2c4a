"""A tiled upscale in a parameter text: the keys of Ultimate SD Upscale and of SD upscale, and a few of Easel's own.

Ultimate's size is the text's `Size`, as its program writes it; SD upscale's text has the tile there, so its size has a key.
Owns those keys, both ways.
"""

from collections.abc import Mapping
from typing import Any, Final

from inference.api.catalog import UPSCALERS
from inference.api.errors import RequestInvalid
from inference.api.infotext.files import Shelves
from inference.api.infotext.quoting import Value
from inference.api.infotext.reading import Reader
from inference.api.infotext.upscalers import read_upscaler
from inference.api.redraw import Redraw, SdUpscale, SeamFix, UltimateUpscale
from inference.api.request import Canvas
from inference.api.tiles import latent_size, tile_of

ULTIMATE: Final = "Ultimate SD upscale"
SD: Final = "SD upscale"
SD_SIZE: Final = f"{SD} size"
_FIX: Final = f"{ULTIMATE} seams fix"
_ORDERS: Final[Mapping[str, str]] = {"linear": "Linear", "chess": "Chess", "none": "None"}
_SEAMS: Final[Mapping[str, str]] = {
    "band": "Band pass",
    "half tile": "Half tile offset pass",
    "intersections": "Half tile offset pass + intersections",
}
"""As the extension words them."""
_UPSCALERS: Final = {row.id: row.label for row in UPSCALERS}


def redraw_facts(redraw: Redraw) -> dict[str, Value]:
    """What a text tells of `redraw`."""
    upscaler = _UPSCALERS.get(redraw.upscaler, redraw.upscaler)
    if isinstance(redraw, SdUpscale):
        size = f"{redraw.size[0]}x{redraw.size[1]}"
        return {f"{SD} overlap": redraw.overlap, f"{SD} upscaler": upscaler, SD_SIZE: size}
    width, height = tile_of(redraw)
    return {
        f"{ULTIMATE} upscaler": upscaler,
        f"{ULTIMATE} tile_width": width,
        f"{ULTIMATE} tile_height": height,
        f"{ULTIMATE} mask_blur": redraw.mask_blur,
        f"{ULTIMATE} padding": redraw.padding,
        f"{ULTIMATE} type": None if redraw.order == "linear" else _ORDERS[redraw.order],
        **(_seam_facts(redraw.seams) if redraw.seams is not None else {}),
    }


def _seam_facts(seams: SeamFix) -> dict[str, Value]:
    return {
        _FIX: _SEAMS[seams.type],
        f"{_FIX} denoise": int(seams.denoising_strength)
        if seams.denoising_strength in (0, 1)
        else seams.denoising_strength,
        f"{_FIX} width": seams.width,
        f"{_FIX} mask_blur": seams.mask_blur,
        f"{_FIX} padding": seams.padding,
    }


def read_redraw(reader: Reader, shelves: Shelves) -> Redraw | None:
    """The tiled upscale that a text tells of; None, with a note, where its parts do not go together."""
    is_ultimate, is_sd = reader.says(f"{ULTIMATE} tile_width"), reader.says(f"{SD} overlap")
    said = _ultimate(reader)
    seams = _seams(reader)
    overlap, sd_size, size = (
        reader.whole(f"{SD} overlap", 64, low=0, high=256),
        reader.pair(SD_SIZE),
        reader.pair("Size"),
    )
    keys = f"{ULTIMATE} upscaler", f"{SD} upscaler"
    upscalers = [read_upscaler(reader, shelves, key, "none") for key in keys]
    try:
        if is_ultimate and size is not None:
            return UltimateUpscale(
                size, upscaler=upscalers[0], seams=None if seams is None else SeamFix(**seams), **said
            )
        if is_sd and sd_size is not None:
            return SdUpscale(sd_size, upscaler=upscalers[1], overlap=overlap)
    except RequestInvalid as error:
        reader.notes.append(f"{error} The tiled upscale was left out.")
    return None


def tile_canvas(redraw: UltimateUpscale) -> Canvas:
    """A canvas of a tile's size."""
    return Canvas(*latent_size(tile_of(redraw)))


def _ultimate(reader: Reader) -> dict[str, Any]:
    label = reader.choice(f"{ULTIMATE} type", tuple(_ORDERS.values()), _ORDERS["linear"])
    width, height = (reader.whole(f"{ULTIMATE} tile_{side}", 0, low=0, high=2048) for side in ("width", "height"))
    return {
        "order": next(order for order, name in _ORDERS.items() if name == label),
        "tile": (width, height),
        "mask_blur": reader.whole(f"{ULTIMATE} mask_blur", 8, low=0, high=64),
        "padding": reader.whole(f"{ULTIMATE} padding", 32, low=0, high=512),
    }


def _seams(reader: Reader) -> dict[str, Any] | None:
    label = reader.choice(_FIX, ("None", *_SEAMS.values()), "None")
    numbers: dict[str, Any] = {
        "denoising_strength": reader.number(f"{_FIX} denoise", 0.35, low=0.0, high=1.0),
        "width": reader.whole(f"{_FIX} width", 64, low=0, high=128),
        "mask_blur": reader.whole(f"{_FIX} mask_blur", 4, low=0, high=64),
        "padding": reader.whole(f"{_FIX} padding", 16, low=0, high=128),
    }
    found = next((kind for kind, name in _SEAMS.items() if name == label), None)
    return None if found is None else {"type": found, **numbers}
