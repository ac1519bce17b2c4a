"""Faces turned upright into a square of 512 pixels, and put back: a similarity transform there, its inverse and a soft edge back.

Template, border, masks and roundings are facexlib's, as the webui uses them. Owns the geometry; pictures are RGB, 8 bits.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.engine.faces.detection import Face

Pixels = NDArray[np.uint8]
SIDE = 512
TEMPLATE: NDArray[np.float64] = np.array(
    [
        (192.98138, 239.94708),
        (318.90277, 240.1936),
        (256.63416, 314.01935),
        (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)
"""Where eyes, nose and corners of the mouth lie in the square."""
_BORDER = (132, 133, 135)
"""What is beyond the picture."""
_EDGE_PARTS = 20
"""Of a face's side: how wide its soft edge is."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A face's square (512, 512, 3) and the matrix (2, 3) that leads from the picture into it."""

    square: Pixels
    matrix: NDArray[np.float64]


def align(picture: Pixels, face: Face) -> Aligned | None:
    """The upright square of `face` in `picture` (H, W, 3); None where its landmarks lie in no way that a face has."""
    found: Any = cv2.estimateAffinePartial2D(face.landmarks, TEMPLATE, method=cv2.LMEDS)
    matrix = found[0]
    if matrix is None or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-6:
        return None
    square = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=_BORDER)
    return Aligned(_pixels(square), np.asarray(matrix, dtype=np.float64))


def put_back(picture: Pixels, square: Pixels, matrix: NDArray[np.float64]) -> Pixels:
    """`picture` with `square` (512, 512, 3) where `matrix` took it from, under a feathered edge; outside as it was."""
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)]) @ back[:, :2].T + back[:, 2]
    height, width = picture.shape[:2]
    left, top = (max(0, int(edge) - 2) for edge in corners.min(axis=0))
    right, bottom = min(width, int(corners[:, 0].max()) + 3), min(height, int(corners[:, 1].max()) + 3)
    if right <= left or bottom <= top:
        return picture
    back = back - np.array([(0, 0, left), (0, 0, top)])
    size = right - left, bottom - top
    face = cv2.warpAffine(square, back, size).astype(np.float32)
    inside: Any = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), back, size)
    mask = soft_mask(inside)[..., None]
    result = picture.copy()
    area = result[top:bottom, left:right]
    mixed = mask * face + (1 - mask) * area
    result[top:bottom, left:right] = np.where(mask > 0, mixed, area).astype(np.uint8)  # cut off, as the webui does
    return result


def soft_mask(inside: NDArray[np.float32]) -> NDArray[np.float32]:
    """`inside` (h, w), 1 where the square lies, drawn in and made soft: the edge is a twentieth of the root of its area."""
    inside = np.pad(inside, 1)  # beyond the picture there is nothing, whatever the edge cuts off
    drawn_in = cv2.erode(inside, np.ones((2, 2), np.uint8))
    edge = int(float(drawn_in.sum()) ** 0.5) // _EDGE_PARTS
    if edge:
        drawn_in = cv2.erode(drawn_in, np.ones((edge * 2, edge * 2), np.uint8))
    blur = edge * 2 + 1
    soft: Any = cv2.GaussianBlur(drawn_in, (blur, blur), 0)
    return np.asarray(np.where(inside > 0, soft, 0)[1:-1, 1:-1], dtype=np.float32)


def _pixels(array: Any) -> Pixels:
    return np.asarray(array, dtype=np.uint8)
