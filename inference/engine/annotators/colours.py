"""Preprocessors that keep colours: a smaller picture, one out of focus, one swirled beyond recognition.

Each takes RGB (H, W, 3) 0 to 255 and gives a map; definitions are the ControlNet extension's.
"""

import cv2
import numpy as np

from inference.engine.annotators.annotation import Chosen, Pixels

_UNTOUCHED = 1.1
"""Down-sampling rates below this leave the picture as it is."""
_SWIRL = 256
"""Pixels between two points to which a swirled picture's places are drawn by chance."""


def tile_resample(pixels: Pixels, chosen: Chosen) -> Pixels:
    """Shrunk by the rate `a`, each pixel the mean of those it stands for."""
    if chosen.a < _UNTOUCHED:
        return pixels
    height, width = (max(1, int(side / chosen.a)) for side in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def blur_gaussian(pixels: Pixels, chosen: Chosen) -> Pixels:
    """Blurred by a Gaussian of sigma `a` pixels."""
    return cv2.GaussianBlur(pixels, (0, 0), chosen.a)


def shuffle(pixels: Pixels, chosen: Chosen) -> Pixels:
    """Every place takes its colour from elsewhere, along smooth random waves. The seed counts modulo 2³²."""
    chance = np.random.RandomState(chosen.seed & 0xFFFFFFFF)
    height, width = pixels.shape[:2]
    across, down = _waves(chance, height, width) * (width - 1), _waves(chance, height, width) * (height - 1)
    return cv2.remap(pixels, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR)


def _waves(chance: np.random.RandomState, height: int, width: int) -> np.ndarray:
    """Smooth noise (H, W) from 0 to 1, drawn on a coarse grid; the margin is cut off, where curves overshoot."""
    grid = chance.uniform(size=(height // _SWIRL + 2, width // _SWIRL + 2, 1))
    fine = cv2.resize(grid, (width + 2 * _SWIRL, height + 2 * _SWIRL), interpolation=cv2.INTER_CUBIC)
    waves = fine[_SWIRL : _SWIRL + height, _SWIRL : _SWIRL + width]
    waves = waves - waves.min()
    return waves / max(float(waves.max()), 1e-12)
