"""Colour correction: a painted picture takes on the colours of what it was painted from.

Histograms are matched channel by channel in CIE Lab; the painted picture keeps its own lightness (the W3C's blend mode
"luminosity", Compositing and Blending Level 1, §10.2).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LUMA = np.array((0.3, 0.59, 0.11))


def recolored(picture: Image.Image, like: Image.Image) -> Image.Image:
    """RGB `picture` with the colours of RGB `like` (of any size)."""
    lab, wanted = (np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2LAB)) for image in (picture, like))
    matched = np.stack([_matched(lab[..., channel], wanted[..., channel]) for channel in range(3)], axis=-1)
    colors = np.asarray(cv2.cvtColor(matched, cv2.COLOR_LAB2RGB), dtype=np.float64) / 255
    lightness = np.asarray(picture, dtype=np.float64) / 255 @ _LUMA
    levels = _with_lightness(colors, lightness)
    return Image.fromarray((levels * 255).round().astype(np.uint8))


def _matched(levels: NDArray[Any], like: NDArray[Any]) -> NDArray[np.uint8]:
    """`levels` (uint8) mapped so that their cumulative histogram is that of `like`."""
    counts, wanted = np.bincount(levels.ravel(), minlength=256), np.bincount(like.ravel(), minlength=256)
    present = np.flatnonzero(wanted)
    shares = np.cumsum(wanted)[present] / like.size
    table = np.interp(np.cumsum(counts) / levels.size, shares, present.astype(np.float64))
    return table.astype(np.uint8)[levels]


def _with_lightness(colors: NDArray[np.float64], lightness: NDArray[np.float64]) -> NDArray[np.float64]:
    """`colors` (H, W, 3) in [0, 1] moved to `lightness` (H, W), and drawn towards grey where they would leave the range."""
    moved = colors + (lightness - colors @ _LUMA)[..., None]
    grey, low, high = lightness[..., None], moved.min(-1, keepdims=True), moved.max(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(low < 0, grey + (moved - grey) * grey / (grey - low), moved)
        moved = np.where(high > 1, grey + (moved - grey) * (1 - grey) / (high - grey), moved)
    return np.clip(np.nan_to_num(moved), 0, 1)
