"""Enlarging one picture: the webui's contract for upscalers.

An upscaler runs up to three times until both sides reach the target; Lanczos brings the result to the exact size. Networks
see RGB, as they were trained (the webui hands them BGR). How a network runs once is its own affair (`upscalers`).
"""

from collections.abc import Callable, Generator
from typing import Any

from PIL import Image

from inference.api.enlarging import enlarged_size
from inference.engine.upscalers.loading import Enlarger
from inference.engine.work import Apply, Borrow, UpscaleTile

PASSES = 3

Enlarging = Generator[Borrow | UpscaleTile | Apply, Any, Image.Image]
"""A picture that grows: asks for its network, then for tiles; returns it enlarged."""


def _times(resampling: Image.Resampling) -> Callable[[Image.Image, float], Image.Image]:
    return lambda picture, scale: picture.resize(
        (max(1, int(picture.width * scale)), max(1, int(picture.height * scale))), resampling
    )


RESAMPLERS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "none": lambda picture, scale: picture,  # noqa: ARG005 - an upscaler that leaves everything to the last step
    "lanczos": _times(Image.Resampling.LANCZOS),
    "nearest": _times(Image.Resampling.NEAREST),
}
"""Upscalers of the catalogue that need no network: one pass of each."""


def enlarge(picture: Image.Image, *, upscaler: str, scale: float) -> Enlarging:
    """Enlarge RGB `picture` `scale` times with a resampler of `RESAMPLERS` or the network called `upscaler`."""
    target = enlarged_size(picture.size, scale)
    network: Enlarger | None = None if upscaler in RESAMPLERS else (yield Borrow(upscaler))
    for number in range(PASSES):
        before = picture.size
        if _is_done(before, target, first=number == 0, scale=scale):
            break
        if network is None:
            picture = RESAMPLERS[upscaler](picture, scale)
        else:
            picture = yield from network.enlarge_once(picture, scale)
        if picture.size == before:
            break
    return picture.resize(target, Image.Resampling.LANCZOS) if picture.size != target else picture


def brought_to(picture: Image.Image, size: tuple[int, int], *, upscaler: str) -> Enlarging:
    """RGB `picture` at exactly `size` (width, height): what grows grows through `upscaler`, Lanczos does the rest (webui).

    Without an upscaler ("" or "none") Lanczos does it all.
    """
    scale = max(size[0] / picture.width, size[1] / picture.height)
    if scale > 1 and upscaler not in ("", "none"):
        picture = yield from enlarge(picture, upscaler=upscaler, scale=scale)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def _is_done(size: tuple[int, int], target: tuple[int, int], *, first: bool, scale: float) -> bool:
    return size[0] >= target[0] and size[1] >= target[1] and not (first and scale == 1)


def tile_count(size: tuple[int, int], *, network: Enlarger | None, scale: float) -> int:
    """How many calls of `network` `enlarge` will ask for with a picture of `size`; 0 where it needs none."""
    return 0 if network is None else sum(network.calls(before, scale) for before in sizes_of(size, network, scale))


def sizes_of(size: tuple[int, int], network: Enlarger, scale: float) -> list[tuple[int, int]]:
    """Sizes of the pictures that `network` is handed, one a pass."""
    target, sizes = enlarged_size(size, scale), list[tuple[int, int]]()
    for number in range(PASSES):
        if _is_done(size, target, first=number == 0, scale=scale):
            break
        sizes.append(size)
        after = network.size_after(size, scale)
        if after == size:
            break
        size = after
    return sizes
