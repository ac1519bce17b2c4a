"""At what size a preprocessor looks at a picture: its short side, padding to whole blocks, and pixel-perfect sizes.

Owns the extension's arithmetic. Refuses to know what is looked for.
"""

from collections.abc import Callable

import cv2
import numpy as np

from inference.api.errors import FailureCode
from inference.engine.annotators.annotation import Pixels
from inference.engine.job import Refused

BLOCK = 64
"""Networks see sides that are multiples of this."""
MAX_MAP_PIXELS = 16_777_216
"""Pixels of a map: 4096². A long and thin picture whose short side is enlarged would have many more."""
RESIZE_AND_FILL = 2


def at_resolution(pixels: Pixels, resolution: int) -> tuple[Pixels, Callable[[Pixels], Pixels]]:
    """`pixels` (H, W, 3) with `resolution` as short side, its edge repeated up to multiples of 64; and what cuts that off.

    Cubic where it grows, by area where it shrinks. Raises Refused when the result would be larger than a map may be.
    """
    height, width = pixels.shape[:2]
    scale = resolution / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size[0] * size[1] > MAX_MAP_PIXELS:
        raise Refused(
            FailureCode.BAD_SOURCE,
            f"The control picture has {width:,} × {height:,} pixels, and its map would have {size[0]:,} × {size[1]:,}; "
            "send a picture that is less long and thin, or choose a lower resolution.",
        )
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    padded = np.pad(resized, ((0, -size[1] % BLOCK), (0, -size[0] % BLOCK), (0, 0)), mode="edge")
    return padded, lambda answer: np.ascontiguousarray(answer[: size[1], : size[0]])


def pixel_perfect(picture: tuple[int, int], canvas: tuple[int, int], resize_mode: int) -> int:
    """The resolution at which a map of a picture (width, height) needs no resizing for a canvas (width, height)."""
    across, down = canvas[0] / picture[0], canvas[1] / picture[1]
    scale = min(across, down) if resize_mode == RESIZE_AND_FILL else max(across, down)
    return max(BLOCK, round(scale * min(picture)))
