"""The webui's Extras over one finished picture: enlarge, blend a second enlargement over it, crop, mend faces.

Owns their order, and what becomes of transparency, which is enlarged by itself. Refuses to know how networks work and how faces
are mended: `mend` is a generator over the enlarged picture.
"""

import math
from collections.abc import Callable

from PIL import Image

from inference.api.enlarging import MAX_RESULT_PIXELS, UpscaleRequest, factor_of
from inference.api.errors import FailureCode
from inference.engine.job import Refused
from inference.engine.upscale import RESAMPLERS, Enlarging, brought_to, enlarge, sizes_of, tile_count
from inference.engine.upscalers.loading import Enlarger
from inference.engine.work import Painting

MAX_WAY_PIXELS = 4 * MAX_RESULT_PIXELS
"""Pixels of a picture before Lanczos brings it down to the result: a gigabyte."""
Mend = Callable[[Image.Image], Painting]
"""RGB picture -> a generator that returns it with its faces mended, of the same size."""


def run_extras(request: UpscaleRequest, picture: Image.Image, *, mend: Mend | None = None) -> Painting:
    """All that `request` asks for over `picture` (RGB, or RGBA where it is transparent); the result has the same mode."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colour = picture.convert("RGB")
    if changes_size(request):
        if alpha is not None:
            grey = yield from _grown(alpha.convert("RGB"), request, request.upscaler)
            alpha = _placed(grey, request).convert("L")
        colour = yield from _blended(colour, request)
    if mend is not None:
        colour = yield from mend(colour)
    if alpha is not None:
        colour.putalpha(alpha)
    return colour


def changes_size(request: UpscaleRequest) -> bool:
    """Whether anything is enlarged at all: with None at once its size a picture stays as it is."""
    return request.size is not None or request.scale > 1 or request.upscaler != "none"


def upscalers_of(request: UpscaleRequest) -> tuple[str, ...]:
    """Upscalers that will run. The second does not where it would not be seen, or has nothing to lie over (webui)."""
    if not changes_size(request):
        return ()
    second = request.second if request.second_visibility > 0 and request.upscaler != "none" else ""
    return (request.upscaler, second) if second else (request.upscaler,)


def calls_of(request: UpscaleRequest, picture: Image.Image, lend: Callable[[str], Enlarger]) -> int:
    """How many calls of networks `run_extras` will ask for. Loads them by `lend`, so what is wrong with one shows now."""
    factor = factor_of(request, picture.size)
    if request.size is not None and factor <= 1:
        return 0
    networks = [lend(name) for name in upscalers_of(request) if name not in RESAMPLERS]
    for network in networks:
        _check_way(picture.size, network, factor)
    calls = [tile_count(picture.size, network=network, scale=factor) for network in networks]
    transparent = picture.mode == "RGBA" and request.upscaler not in RESAMPLERS
    return sum(calls) + (calls[0] if transparent and calls else 0)


def _check_way(size: tuple[int, int], network: Enlarger, factor: float) -> None:
    """Raise Refused where `network`, which knows only its own factor, would make too large a picture before it shrinks."""
    before = sizes_of(size, network, factor)
    width, height = network.size_after(before[-1], factor) if before else size
    if width * height > MAX_WAY_PIXELS:
        raise Refused(
            FailureCode.BAD_REQUEST,
            f"This network enlarges {network.scale} times, and as often again until {factor:.3g} times is reached: that "
            f"would be {width:,} × {height:,} pixels on the way, more than can be held; choose {network.scale} times.",
        )


def _blended(picture: Image.Image, request: UpscaleRequest) -> Enlarging:
    first, *second = upscalers_of(request)
    result = yield from _grown(picture, request, first)
    if second:  # it enlarges the original too, not the first one's result
        other = yield from _grown(picture, request, second[0])
        result = Image.blend(result, other, request.second_visibility)
    return _placed(result, request)


def _grown(picture: Image.Image, request: UpscaleRequest, upscaler: str) -> Enlarging:
    """`picture` by the factor of `request`, or covering the size that it asks for."""
    if request.size is None:
        return (yield from enlarge(picture, upscaler=upscaler, scale=request.scale))
    factor = factor_of(request, picture.size)
    cover = max(request.size[0], round(picture.width * factor)), max(request.size[1], round(picture.height * factor))
    return (yield from brought_to(picture, cover, upscaler=upscaler))


def _placed(picture: Image.Image, request: UpscaleRequest) -> Image.Image:
    """The middle of `picture`, where it is to be cropped to a size."""
    if request.size is None or not request.crop or picture.size == request.size:
        return picture
    left, top = (math.floor((have - want) / 2) for have, want in zip(picture.size, request.size, strict=True))
    return picture.crop((left, top, left + request.size[0], top + request.size[1]))
