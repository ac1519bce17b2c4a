"""What a picture begins from when it begins from a picture: the source brought to size, its mask, and what is laid back over.

Owns the order of the webui's preparation and finishing of img2img (v1.10.1). Refuses to know of latents and models; what needs
a network it asks of the loop.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from inference.api.request import Inpaint, SourcePicture
from inference.engine.colors import recolored
from inference.engine.masks import Box, filled, laid_over, masked_box, overlay, overlay_mask, soften, widened
from inference.engine.source import arranged, fit, inner_size
from inference.engine.upscale import Enlarging, brought_to
from inference.engine.work import Apply, Borrow, UpscaleTile

LATENT_RESIZE = 3
"""The resize mode that leaves pixels alone and stretches the latent."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of a larger picture is painted: its `box` in a picture of size `whole` (width, height)."""

    box: Box
    whole: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Start:
    """`picture` (RGB) is what is encoded. `mask` (grey, of its size) says what is painted anew; None means all of it.

    `above` (RGBA) lies over the result at the end; `box` is where in it the result belongs, None all over it. `place` says
    which part of the picture this is, where it is one: a part enlarged, or a tile. Whatever else belongs to the whole
    picture (a control's map) is cut to it and resized to `picture`'s size.
    """

    picture: Image.Image
    mask: Image.Image | None = None
    above: Image.Image | None = None
    box: Box | None = None
    place: Place | None = None


def begin(
    picture: Image.Image, mask: Image.Image | None, *, source: SourcePicture, size: tuple[int, int]
) -> Generator[Apply | Borrow | UpscaleTile, Any, Start]:
    """Prepare RGB `picture` and grey `mask` (of any size) for a canvas of `size` (width, height).

    Where only the masked part is to be painted and nothing is masked, the whole picture is (webui).
    """
    part = source.inpaint
    if mask is None or part is None:
        return Start((yield from _sized(picture, size, source)))
    if mask.size != picture.size:
        mask = mask.resize(picture.size, Image.Resampling.BILINEAR)
    soft = soften(mask, across=part.blur, down=part.blur if part.blur_y is None else part.blur_y)
    if part.only_masked:
        box = masked_box(soft, part.padding)
        if box is None:
            return Start((yield from _sized(picture, size, source)))
        box = widened(box, shape=size, within=soft.size)
        above, small = overlay(picture, soft), fit(soft.crop(box), size, 2)
        inner = yield from _fitted(picture.crop(box), size, mode=2, upscaler=source.upscaler)
        return Start(_content(inner, small, part), small, above, box, Place(box, picture.size))
    # A mask of the canvas' size cannot follow a picture of another, so here the latent is not the one that is stretched.
    mode = 0 if source.resize_mode == LATENT_RESIZE else source.resize_mode
    small = fit(soft, size, mode)
    whole = yield from _fitted(picture, size, mode=mode, upscaler=source.upscaler)
    return Start(_content(whole, small, part), small, overlay(whole, overlay_mask(small)))


def begin_patch(
    picture: Image.Image, mask: Image.Image, place: Place, *, source: SourcePicture, size: tuple[int, int]
) -> Generator[Apply | Borrow | UpscaleTile, Any, Start]:
    """As `begin` with only the masked part, for a part that is cut out already: RGB `picture` and its blurred grey `mask`.

    `finish` then gives the part alone, to be put back at `place`.
    """
    small = fit(mask, size, 2)
    inner = yield from _fitted(picture, size, mode=2, upscaler=source.upscaler)
    return Start(inner, small, overlay(picture, mask), (0, 0, *picture.size), place)


def is_blank(mask: Image.Image, part: Inpaint) -> bool:
    """Whether `mask` hides nothing, so that `begin` falls back on the whole picture."""
    return part.only_masked and mask.getbbox() is None


def finish(result: Image.Image, start: Start, *, corrected: bool = False) -> Image.Image:
    """The painted `result` in its place under the source; with `corrected` colours first."""
    if corrected:
        result = recolored(result, start.picture)
    if start.above is None:
        return result
    if start.box is None:
        return laid_over(result, start.above)
    left, top, right, bottom = start.box
    under = Image.new("RGBA", start.above.size)
    under.paste(fit(result, (right - left, bottom - top), 1), (left, top))
    return laid_over(under, start.above)


def _content(picture: Image.Image, mask: Image.Image, part: Inpaint) -> Image.Image:
    return picture if part.content == "original" else filled(picture, mask)


def _sized(picture: Image.Image, size: tuple[int, int], source: SourcePicture) -> Enlarging:
    if source.resize_mode == LATENT_RESIZE:
        least = tuple(max(8, side) for side in picture.size)  # less than a latent pixel cannot be encoded
        return picture if least == picture.size else picture.resize((least[0], least[1]))
    return (yield from _fitted(picture, size, mode=source.resize_mode, upscaler=source.upscaler))


def _fitted(picture: Image.Image, size: tuple[int, int], *, mode: int, upscaler: str) -> Enlarging:
    """As `source.fit`, but what grows grows through `upscaler`."""
    inner = yield from brought_to(picture, inner_size(picture.size, size, mode), upscaler=upscaler)
    return arranged(inner, size, mode)
