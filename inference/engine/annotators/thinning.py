"""Lines and their width: maxima across a line, skeletons by hit-or-miss, and strokes like those of a pencil.

Non-maximum suppression follows Canny (1986); the kernels of thinning and pruning are Golay's letters L and E as in every
textbook of morphology. Refuses to know where the lines come from.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from inference.engine.annotators.annotation import Pixels

ROUNDS = 32
"""Thinning stops here where it has not come to rest before."""

_ACROSS = tuple(
    np.array(rows, np.uint8)
    for rows in (
        ((0, 0, 0), (1, 1, 1), (0, 0, 0)),
        ((0, 1, 0), (0, 1, 0), (0, 1, 0)),
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    )
)
"""The four directions in which a line can be crossed."""


def _turned(*kernels: Sequence[Sequence[int]]) -> tuple[np.ndarray, ...]:
    """Each of `kernels` turned by four quarters, quarter by quarter."""
    return tuple(np.rot90(np.array(kernel, np.int32), quarter) for quarter in range(4) for kernel in kernels)


_THIN = _turned(((-1, -1, -1), (0, 1, 0), (1, 1, 1)), ((0, -1, -1), (1, 1, -1), (0, 1, 0)))
"""1 must be lit, -1 must not be, 0 may be either."""
_PRUNE = _turned(((-1, -1, -1), (-1, 1, -1), (0, 0, -1)), ((-1, -1, -1), (-1, 1, -1), (-1, 0, 0)))


def suppressed(levels: np.ndarray) -> np.ndarray:
    """`levels` (H, W) where they are the largest of three in at least one of four directions, 0 elsewhere."""
    kept = np.zeros_like(levels)
    for kernel in _ACROSS:
        np.putmask(kept, cv2.dilate(levels, kernel) == levels, levels)
    return kept


def one_pixel_wide(pixels: Pixels) -> bool:
    """Whether more than half of what is lit in a map of two levels vanishes under an opening of 3 × 3."""
    opened = cv2.dilate(cv2.erode(pixels, np.ones((3, 3), np.uint8)), np.ones((3, 3), np.uint8))
    return 2 * int(np.count_nonzero(opened < pixels)) > int(np.count_nonzero(pixels > 127))


def thinned(lines: Pixels, *, prune: bool) -> Pixels:
    """White `lines` (H, W) on black, worn away from both sides until they are one pixel wide; `prune` takes burrs off."""
    lines = lines.copy()
    for _ in range(ROUNDS):
        if not _worn(lines, _THIN):
            break
    if prune:
        _worn(lines, _PRUNE)
    return lines


def _worn(lines: Pixels, kernels: Sequence[np.ndarray]) -> bool:
    """Take away, in place, what each of `kernels` hits, one after the other; whether any did."""
    changed = False
    for kernel in kernels:
        hit = cv2.morphologyEx(lines, cv2.MORPH_HITMISS, kernel) > 127
        if hit.any():
            lines[hit] = 0
            changed = True
    return changed


def pencilled(edges: Pixels) -> Pixels:
    """Soft `edges` (H, W) as a scribble: their ridges over 127, drawn with a broad pencil, white on black (H, W)."""
    ridges = suppressed(cv2.GaussianBlur(edges.astype(np.float32), (0, 0), 3.0))
    lines = np.where(ridges > 127, 255, 0).astype(np.uint8)
    return np.where(cv2.GaussianBlur(lines, (0, 0), 3.0) > 4, 255, 0).astype(np.uint8)
