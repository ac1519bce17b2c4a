"""Preprocessors of lines that need no network: Canny, XDoG, drawings read by their darkness, and standard line art.

Each takes RGB (H, W, 3) 0 to 255 and gives a map of the same size. Definitions are the ControlNet extension's.
"""

import cv2
import numpy as np

from inference.engine.annotators.annotation import Chosen, Pixels

_INK = 127
"""Darker than this in any channel is a stroke."""


def canny(pixels: Pixels, chosen: Chosen) -> Pixels:
    """Edges by Canny (1986), the strongest gradient of the three channels; thresholds `a` and `b`."""
    return cv2.Canny(pixels, int(chosen.a), int(chosen.b))


def invert(pixels: Pixels, _: Chosen) -> Pixels:
    """The negative."""
    return 255 - pixels


def threshold(pixels: Pixels, chosen: Chosen) -> Pixels:
    """White where every channel is over `a`."""
    return _lit(pixels.min(axis=2) > chosen.a)


def scribble(pixels: Pixels, _: Chosen) -> Pixels:
    """White where any channel is dark: the strokes of a drawing on paper."""
    return _lit(pixels.min(axis=2) < _INK)


def scribble_xdog(pixels: Pixels, chosen: Chosen) -> Pixels:
    """White where a picture is darker than its surroundings, by two blurs (Winnemöller, 2011); the higher `a`, the less."""
    fine, coarse = (cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), sigma) for sigma in (0.5, 5.0))
    paper = (255 - (coarse - fine).min(axis=2)).clip(0, 255).astype(np.uint8)
    return _lit(2 * (255 - paper.astype(np.int32)) > chosen.a)


def lineart_standard(pixels: Pixels, _: Chosen) -> Pixels:
    """How much darker than its surroundings (sigma 6) each place is, measured by the median of all lines."""
    levels = pixels.astype(np.float32)
    darker = (cv2.GaussianBlur(levels, (0, 0), 6.0) - levels).min(axis=2).clip(0, 255)
    lines = darker[darker > 8]
    usual = max(16.0, float(np.median(lines))) if lines.size else 16.0
    return (darker / usual * 127).clip(0, 255).astype(np.uint8)


def _lit(where: np.ndarray) -> Pixels:
    return np.where(where, 255, 0).astype(np.uint8)
