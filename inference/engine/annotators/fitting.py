"""A map brought to the canvas: stretched, cropped or filled, each kind of map resized so that it stays what it is.

Owns the extension's rules: flat colours by nearest neighbour, what shrinks by area, what grows along curves, maps of two
levels cut to two levels again and thin lines thinned again. Refuses to know which preprocessor made the map.
"""

from typing import Literal

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inference.engine.annotators.annotation import Annotation, Pixels
from inference.engine.annotators.thinning import one_pixel_wide, suppressed, thinned

ResizeMode = Literal[0, 1, 2]
"""0 stretch, 1 crop and resize, 2 resize and fill."""
FLAT_COLOURS = 200
"""A map of fewer colours than this (and more than two) is a palette: between two of its colours lies nothing."""
_SAMPLE = 1 << 16
MAX_PIXELS = 64_000_000
"""Pixels of what is resized before it is cropped; beyond, only what will be seen of it is resized."""


def fit(annotation: Annotation, *, size: tuple[int, int], resize_mode: ResizeMode) -> Tensor:
    """The hint of a ControlNet for a canvas of `size` (width, height): (1, 3, H, W) fp32 in [0, 1], RGB.

    Where the annotation has a mask, what lies under it is -1.
    """
    fitted = fit_annotation(annotation, size=size, resize_mode=resize_mode)
    colours = torch.from_numpy(np.asarray(fitted.picture, dtype=np.float32) / 255).permute(2, 0, 1)[None]
    if fitted.mask is None:
        return colours.contiguous()
    hidden = torch.from_numpy(np.asarray(fitted.mask, dtype=np.float32) / 255)[None, None] > 0.5
    return torch.where(hidden, -1.0, colours)


def fit_annotation(annotation: Annotation, *, size: tuple[int, int], resize_mode: ResizeMode) -> Annotation:
    """`annotation` at exactly `size` (width, height), its mask with it. What is filled in around a picture is masked."""
    pixels = np.asarray(annotation.picture.convert("RGB"))
    mask = None if annotation.mask is None else np.asarray(annotation.mask.convert("L"))
    if (pixels.shape[1], pixels.shape[0]) != size:
        pixels, mask = _placed(pixels, mask, size, resize_mode)
    return Annotation(
        Image.fromarray(np.ascontiguousarray(pixels)),
        None if mask is None else Image.fromarray(np.ascontiguousarray(mask)),
        annotation.notes,
    )


def _placed(
    pixels: Pixels, mask: Pixels | None, size: tuple[int, int], resize_mode: ResizeMode
) -> tuple[Pixels, Pixels | None]:
    if resize_mode == 0:
        return _resized(pixels, mask, size)
    width, height = size
    scales = height / pixels.shape[0], width / pixels.shape[1]
    if resize_mode == 1:
        pixels, mask = _seen(pixels, mask, size, max(scales))
    scale = max(scales) if resize_mode == 1 else min(scales)
    inner = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    small, small_mask = _resized(pixels, mask, inner)
    if resize_mode == 1:
        left, top = max(0, (inner[0] - width) // 2), max(0, (inner[1] - height) // 2)
        part = slice(top, top + height), slice(left, left + width)
        return small[part], None if small_mask is None else small_mask[part]
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = _border_colour(pixels)
    left, top = max(0, (width - inner[0]) // 2), max(0, (height - inner[1]) // 2)
    part = slice(top, top + inner[1]), slice(left, left + inner[0])
    canvas[part] = small
    if small_mask is None:
        return canvas, None
    hidden = np.full((height, width), 255, np.uint8)
    hidden[part] = small_mask
    return canvas, hidden


def _seen(pixels: Pixels, mask: Pixels | None, size: tuple[int, int], scale: float) -> tuple[Pixels, Pixels | None]:
    """Of a picture that would become enormous before it is cropped, the middle that will be left, and a little around it."""
    height, width = pixels.shape[:2]
    if height * width * scale * scale <= MAX_PIXELS:
        return pixels, mask
    keep = [min(side, int(wanted / scale) + 4) for side, wanted in ((height, size[1]), (width, size[0]))]
    top, left = (height - keep[0]) // 2, (width - keep[1]) // 2
    part = slice(top, top + keep[0]), slice(left, left + keep[1])
    return pixels[part], None if mask is None else mask[part]


def _border_colour(pixels: Pixels) -> Pixels:
    """The median of the four border lines, each channel by itself."""
    borders = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    return np.median(borders, axis=0).astype(np.uint8)


def _resized(pixels: Pixels, mask: Pixels | None, size: tuple[int, int]) -> tuple[Pixels, Pixels | None]:
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels, mask
    colours = _colour_count(pixels)
    before, after = width * height, size[0] * size[1]
    interpolation = cv2.INTER_AREA if after < before else cv2.INTER_CUBIC
    if 2 < colours < FLAT_COLOURS:
        interpolation = cv2.INTER_NEAREST
    result = cv2.resize(pixels, size, interpolation=interpolation)
    if colours == 2 and pixels.min() < 16 and pixels.max() > 240:
        result = _two_levels(result, thin=one_pixel_wide(pixels), prune=after > before)
    if mask is None:
        return result, None
    small = cv2.resize(mask, size, interpolation=interpolation)
    return result, np.where(small > 127, 255, 0).astype(np.uint8)


def _colour_count(pixels: Pixels) -> int:
    """Distinct colours of (H, W, 3), as far as they matter: `FLAT_COLOURS` for that many and more."""
    rows = pixels.reshape(-1, 3)
    for step in (max(1, len(rows) // _SAMPLE), 1):  # a photograph shows in a sample, and need not be sorted whole
        wide = rows[::step].astype(np.uint32)
        count = len(np.unique(wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]))
        if count >= FLAT_COLOURS or step == 1:
            break
    return min(count, FLAT_COLOURS)


def _two_levels(pixels: Pixels, *, thin: bool, prune: bool) -> Pixels:
    """A resized map of black and white, black and white again (Otsu's level); lines one pixel wide become that again."""
    grey = pixels.astype(np.float32).mean(axis=2).astype(np.uint8)
    if thin:
        grey = suppressed(grey)
    _, cut = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if thin:
        cut = thinned(cut, prune=prune)
    return np.repeat(cut[:, :, None], 3, axis=2)
