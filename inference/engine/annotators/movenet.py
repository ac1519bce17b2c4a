"""MoveNet: the joints of one person in a square of 192 pixels (Google, 2021), as shipped with Easel.

Owns how a picture becomes that square and the answer joints again. Refuses to know how a pose is drawn.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from inference.engine.annotators.annotation import Pixels
from inference.engine.annotators.graph import Graph, read_nodes
from inference.engine.annotators.pose import Joint, Person, from_coco
from inference.engine.bad_file import BadFile
from inference.engine.weights import WeightsFile

SIDE = 192
_MARGIN, _SMALL = 0.35, 0.75
"""Room around a person who is looked at again, in parts of the person; the part of a picture that is too large for it."""
SURE = 0.3
"""Scores under this are guesses at what is hidden or not there."""


class MoveNet(nn.Module):
    """The network as a graph. One person a picture, the one in the middle where there are more."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, squares: Tensor) -> Tensor:
        """(N, 3, 192, 192) RGB, 0 to 255, to (N, 17, 3): y and x in parts of the side, and a score, of COCO's keypoints."""
        rows = squares.round().permute(0, 2, 3, 1)
        return torch.cat([self.graph(row[None]).reshape(1, 17, 3) for row in rows])


def load_movenet(path: Path) -> MoveNet:
    """Read the network in `path`: weights by name, and the graph in the file's notes. Raises BadFile, OSError."""
    with WeightsFile(path) as file:
        if "graph" not in file.metadata:
            raise BadFile("holds no graph of a network.")
        return MoveNet(Graph(read_nodes(file.metadata["graph"]), {name: file.read(name) for name in file}))


def squared(pixels: Pixels) -> Pixels:
    """`pixels` (H, W, 3) in the middle of a black square, 192 pixels a side."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    scale = SIDE / side
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def joints_in(answer: Tensor, size: tuple[int, int]) -> Person:
    """Eighteen joints in a picture of `size` (width, height), from what the network answered (17, 3) of its square."""
    side = max(size)
    left, top = (side - size[0]) / 2, (side - size[1]) / 2
    points: list[Joint | None] = [
        (x * side - left, y * side - top) if score >= SURE else None for y, x, score in answer.tolist()
    ]
    return from_coco(points)


def around(person: Person, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the part of a picture of `size` in which `person` is, where a closer look is worth it."""
    joints = np.array([joint for joint in person if joint is not None])
    if len(joints) < 2:
        return None
    low, high = joints.min(axis=0), joints.max(axis=0)
    margin = _MARGIN * float((high - low).max())
    left, top = (max(0, int(place - margin)) for place in low)
    right, bottom = (min(side, int(place + margin) + 1) for side, place in zip(size, high, strict=True))
    if min(right - left, bottom - top) < 1 or max(right - left, bottom - top) > _SMALL * max(size):
        return None
    return left, top, right, bottom
