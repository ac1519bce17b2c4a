"""Finding faces: a pyramid of the picture, the three networks of MTCNN one after the other, and overlaps taken out.

Thresholds and rules are the paper's, as facenet-pytorch has them. Owns the cascade, as a generator that asks for networks.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from inference.engine.faces.mtcnn import LARGE, MTCNN, SMALL
from inference.engine.work import Apply

Boxes = NDArray[np.float64]
"""(N, 5): left, top, right, bottom, score."""
SHORT = 640
"""A picture whose shorter side is longer is looked at in a copy of this size."""
LEAST, SHARE = 20, 0.05
"""The smallest face, in pixels, and as a share of the shorter side."""
FACTOR, CELL, STRIDE = 0.709, 12, 2
"""From a level of the pyramid to the next; a proposal's side and distance in pixels."""
PROPOSED, REFINED, SURE = 0.6, 0.7, 0.9
"""Scores that are believed of the three networks; the last is higher than the paper's, for a wrong face spoils a picture."""
EYES = 5.0
"""Pixels between the eyes below which a face is none to mend."""
MOST = 12
"""Faces of one picture; the largest count."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face in pixels of the picture: `box` (left, top, right, bottom), `landmarks` (5, 2) eyes, nose, corners of the mouth."""

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float64]
    score: float

    @property
    def area(self) -> float:
        """Pixels of the box."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


Detecting = Generator[Apply, Any, list[Face]]


def find_faces(picture: Image.Image, network: MTCNN) -> Detecting:
    """The faces in RGB `picture`, the largest first."""
    seen, share = looked_at(picture)
    pixels = torch.from_numpy(np.asarray(seen, dtype=np.float32).copy()).permute(2, 0, 1)[None]
    found: list[Boxes] = []
    for scale in pyramid(seen.size):
        height, width = (int(side * scale + 1) for side in (seen.height, seen.width))
        level = _normal(F.interpolate(pixels, size=(height, width), mode="area"))
        answer = yield Apply(network.pnet, (level,), cost=height * width / 4096)
        found.append(_proposals(_array(answer[0]), scale))
    boxes = _square(_distinct(np.concatenate(found), 0.7)[0]) if found else np.zeros((0, 5))
    boxes, crops = _crops(pixels, boxes, SMALL)
    if not len(boxes):
        return []
    answer = yield Apply(network.rnet, (crops,), cost=len(boxes) / 40)
    boxes = _refined(boxes, _array(answer[0]))
    boxes, crops = _crops(pixels, boxes, LARGE)
    if not len(boxes):
        return []
    answer = yield Apply(network.onet, (crops,), cost=len(boxes) / 10)
    faces = [_scaled(face, share) for face in _decided(boxes, _array(answer[0]))]
    return sorted((face for face in faces if _apart(face) >= EYES), key=lambda face: -face.area)[:MOST]


def looked_at(picture: Image.Image) -> tuple[Image.Image, float]:
    """The copy in which faces are looked for, and by how many times it is smaller."""
    share = min(picture.size) / SHORT
    if share <= 1:
        return picture, 1.0
    size = max(1, round(picture.width / share)), max(1, round(picture.height / share))
    return picture.resize(size, Image.Resampling.LANCZOS), share


def pyramid(size: tuple[int, int]) -> list[float]:
    """Scales at which a picture of `size` is looked at: a smallest face is one proposal at the first."""
    side = min(size)
    scale = CELL / max(LEAST, side * SHARE)
    scales: list[float] = []
    while side * scale >= CELL:
        scales.append(scale)
        scale *= FACTOR
    return scales


def _proposals(answer: NDArray[np.float64], scale: float) -> Boxes:
    """Squares of the picture that the first network (5, h, w) believes in, moved by its shifts."""
    rows, columns = np.nonzero(answer[0] >= PROPOSED)
    corners = np.stack((columns, rows, columns, rows), axis=1) * float(STRIDE) + 1
    corners[:, 2:] += CELL - 1
    boxes = np.concatenate((np.floor(corners / scale), answer[0, rows, columns][:, None]), axis=1)
    boxes, kept = _distinct(boxes, 0.5)
    return _moved(boxes, answer[1:, rows, columns].T[kept], extent=0)


def _refined(boxes: Boxes, answer: NDArray[np.float64]) -> Boxes:
    """Squares that the second network (N, 5) believes in."""
    chosen = answer[:, 0] > REFINED
    boxes = np.concatenate((boxes[chosen, :4], answer[chosen, :1]), axis=1)
    boxes, kept = _distinct(boxes, 0.7)
    return _square(_moved(boxes, answer[chosen, 1:][kept], extent=1))


def _decided(boxes: Boxes, answer: NDArray[np.float64]) -> list[Face]:
    """Faces that the third network (N, 15) believes in."""
    chosen = answer[:, 0] > SURE
    boxes, answer = np.concatenate((boxes[chosen, :4], answer[chosen, :1]), axis=1), answer[chosen]
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    points = np.stack((answer[:, 5:10], answer[:, 10:15]), axis=2) * sides[:, None] + boxes[:, None, :2] - 1
    moved, kept = _distinct(_moved(boxes, answer[:, 1:5], extent=1), 0.7, of_smaller=True)
    return [
        Face((float(box[0]), float(box[1]), float(box[2]), float(box[3])), points[place], float(box[4]))
        for box, place in zip(moved, kept, strict=True)
    ]


def _moved(boxes: Boxes, shifts: NDArray[np.float64], *, extent: int) -> Boxes:
    """`boxes` with each edge moved by a share (N, 4) of the side; a side has `extent` pixels more than its difference."""
    sides = np.tile(boxes[:, 2:4] - boxes[:, :2] + extent, 2)
    return np.concatenate((boxes[:, :4] + shifts * sides, boxes[:, 4:]), axis=1)


def _square(boxes: Boxes) -> Boxes:
    """`boxes` made square around their middles."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True) if len(boxes) else np.zeros((0, 1))
    begin = boxes[:, :2] + (sides - longer) / 2
    return np.concatenate((begin, begin + longer, boxes[:, 4:]), axis=1)


def _crops(pixels: Tensor, boxes: Boxes, side: int) -> tuple[Boxes, Tensor]:
    """What of `boxes` has any pixels, and these, (1, N, 3, side, side) in [-1, 1]. Pixels count from 1 in a box."""
    height, width = pixels.shape[-2:]
    kept: list[int] = []
    crops: list[Tensor] = []
    for number, box in enumerate(boxes):
        left, top = (max(1, int(edge)) for edge in box[:2])
        right, bottom = min(width, int(box[2])), min(height, int(box[3]))
        if right >= left and bottom >= top:
            kept.append(number)
            crops.append(F.interpolate(pixels[..., top - 1 : bottom, left - 1 : right], size=(side, side), mode="area"))
    stacked = torch.cat(crops) if crops else torch.zeros(0, 3, side, side)
    return boxes[kept], _normal(stacked)[None]


def _distinct(boxes: Boxes, most: float, *, of_smaller: bool = False) -> tuple[Boxes, list[int]]:
    """Boxes of which no two share more than `most` of their union (or `of_smaller`), the best of each; and their numbers."""
    order = list(np.argsort(-boxes[:, 4], kind="stable"))
    extent = 1 if of_smaller else 0
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2] + extent, axis=1)
    kept: list[int] = []
    rest = np.array(order, dtype=int)
    while len(rest):
        best, rest = int(rest[0]), rest[1:]
        kept.append(best)
        corner = np.minimum(boxes[best, 2:4], boxes[rest, 2:4])
        shared = np.clip(corner - np.maximum(boxes[best, :2], boxes[rest, :2]) + extent, 0, None).prod(axis=1)
        whole = np.minimum(areas[best], areas[rest]) if of_smaller else areas[best] + areas[rest] - shared
        rest = rest[shared <= most * np.maximum(whole, 1e-9)]
    return boxes[kept], kept


def _normal(pixels: Tensor) -> Tensor:
    return (pixels - 127.5) / 128


def _array(answer: Tensor) -> NDArray[np.float64]:
    return answer.double().cpu().numpy()


def _scaled(face: Face, share: float) -> Face:
    left, top, right, bottom = (edge * share for edge in face.box)
    return Face((left, top, right, bottom), face.landmarks * share, face.score)


def _apart(face: Face) -> float:
    """Pixels between the eyes."""
    return float(np.hypot(*(face.landmarks[0] - face.landmarks[1])))
