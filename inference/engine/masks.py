"""What is painted and what stays: masks as pictures, their edges, boxes and fillings (webui v1.10.1, §5 of its ways).

A mask is an 8-bit grey picture: white is painted anew, black stays. Owns the arithmetic on pictures; refuses to know of
latents' values, models and requests.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom lie outside."""
FILL = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))
"""Radii of the blurs that fill a hole, and how often each is laid on."""


def read_mask(picture: Image.Image, *, rounded: bool = True, invert: bool = False) -> Image.Image:
    """The mask that `picture` means: its alpha where that is not full everywhere, else its luminance."""
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
        alpha = picture.getchannel("A")
        mask = alpha.point([255 if level > 128 else 0 for level in range(256)]) if rounded else alpha
    else:
        mask = picture.convert("L")
    return ImageOps.invert(mask) if invert else mask


def soften(mask: Image.Image, *, across: float, down: float) -> Image.Image:
    """`mask` blurred by Gaussians of sigma `across` and `down` in pixels, first one, then the other."""
    levels: NDArray[np.uint8] = np.asarray(mask)
    for sigma, upright in ((across, False), (down, True)):
        if sigma > 0:
            length = 2 * int(2.5 * sigma + 0.5) + 1
            kernel = (1, length) if upright else (length, 1)
            levels = np.asarray(cv2.GaussianBlur(levels, kernel, sigma), dtype=np.uint8)
    return Image.fromarray(levels)


def masked_box(mask: Image.Image, padding: int) -> Box | None:
    """The box around all that is not black, `padding` wider on each side but inside the picture; None for a blank mask."""
    found = mask.getbbox()
    if found is None:
        return None
    left, top, right, bottom = found
    return (
        max(left - padding, 0),
        max(top - padding, 0),
        min(right + padding, mask.width),
        min(bottom + padding, mask.height),
    )


def widened(box: Box, *, shape: tuple[int, int], within: tuple[int, int]) -> Box:
    """`box` grown towards the proportions of `shape` (width, height), pushed back inside a picture of size `within`."""
    left, top, right, bottom = box
    width, height, ratio = right - left, bottom - top, shape[0] / shape[1]
    if width / height > ratio:
        top, bottom = _grown(top, bottom, by=int(width / ratio - height), limit=within[1])
    else:
        left, right = _grown(left, right, by=int(height * ratio - width), limit=within[0])
    return left, top, right, bottom


def _grown(low: int, high: int, *, by: int, limit: int) -> tuple[int, int]:
    low, high = low - by // 2, high + by - by // 2
    if high >= limit:
        low, high = low - (high - limit), limit
    if low < 0:
        low, high = 0, high - low
    return low, min(high, limit)


def filled(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """RGB `picture` with what lies under `mask` made up from the colours around it."""
    around = _kept(picture, mask)
    result = Image.new("RGBA", picture.size)
    for radius, times in FILL:
        layer = around.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            result.alpha_composite(layer)
    return result.convert("RGB")


def overlay(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """What of RGB `picture` is laid over the result: RGBA, transparent where `mask` is white."""
    return _kept(picture, mask).convert("RGBA")


def overlay_mask(mask: Image.Image) -> Image.Image:
    """`mask` twice as steep, so that nothing of the source shines through what was painted (whole picture)."""
    return mask.point([min(2 * level, 255) for level in range(256)])


def laid_over(result: Image.Image, above: Image.Image) -> Image.Image:
    """RGB `result` under RGBA `above` of the same size."""
    under = result.convert("RGBA")
    under.alpha_composite(above)
    return under.convert("RGB")


def latent_mask(mask: Image.Image, size: tuple[int, int], *, rounded: bool = True) -> Tensor:
    """(1, 1, h, w) fp32 of `mask` at latent `size` (w, h): 1 where it is painted, 0 where the source stays.

    Not `rounded`, the values between blend.
    """
    small = mask.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    levels = np.asarray(small, dtype=np.float32)[:, :, 0] / 255
    return torch.from_numpy(np.around(levels) if rounded else levels)[None, None]


def pixel_mask(mask: Image.Image, *, rounded: bool = True) -> Tensor:
    """(1, 1, H, W) fp32 of `mask` as it is: 1 is painted."""
    levels = torch.from_numpy(np.asarray(mask.convert("L"), dtype=np.float32) / 255)[None, None]
    return levels.round() if rounded else levels


def _kept(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """RGBa (premultiplied): `picture` where `mask` is black, nothing where it is white."""
    kept = Image.new("RGBa", picture.size)
    kept.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask.convert("L")))
    return kept
