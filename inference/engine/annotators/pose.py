"""People as eighteen joints, and their drawing as OpenPose ControlNets know it: coloured limbs and dots on black.

Joints, in order: nose, neck, right shoulder, elbow and wrist, left shoulder, elbow and wrist, right hip, knee and ankle, left
hip, knee and ankle, right eye, left eye, right ear, left ear (the COCO model of Cao et al. 2017). Refuses to know who found them.
"""

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from inference.engine.annotators.annotation import Pixels

Joint = tuple[float, float]
"""x and y in pixels."""
Person = Sequence[Joint | None]
"""Eighteen joints; None where one is not to be seen."""

LIMBS: tuple[tuple[int, int], ...] = (
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)
"""Joints that are joined, in the order in which they are drawn."""
COLOURS: tuple[tuple[int, int, int], ...] = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
"""RGB of each joint; a limb has the colour of its number."""
_HALF_WIDTH = 4
_RADIUS = 4
_LIMB_SHADE = 0.6

_FROM_COCO = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""Which of COCO's seventeen keypoints each joint is; the neck is none of them."""
_NECK = 1


def from_coco(points: Person) -> Person:
    """COCO's seventeen keypoints as eighteen joints: the neck is half-way between the shoulders."""
    joints = [None if place is None else points[place] for place in _FROM_COCO]
    right, left = joints[2], joints[5]
    if right is not None and left is not None:
        joints[_NECK] = (right[0] + left[0]) / 2, (right[1] + left[1]) / 2
    return joints


def drawn(people: Iterable[Person], size: tuple[int, int]) -> Pixels:
    """`people` on a black picture of `size` (width, height): limbs first, then joints, one person after the other."""
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    for person in people:
        for (start, end), colour in zip(LIMBS, COLOURS, strict=False):
            one, other = person[start], person[end]
            if one is not None and other is not None:
                _limb(canvas, one, other, colour)
        for joint, colour in zip(person, COLOURS, strict=True):
            if joint is not None:
                cv2.circle(canvas, (int(joint[0]), int(joint[1])), _RADIUS, colour, thickness=-1)
    return canvas


def _limb(canvas: Pixels, one: Joint, other: Joint, colour: Sequence[int]) -> None:
    """An ellipse from `one` to `other`, as long as they are apart."""
    across, down = one[0] - other[0], one[1] - other[1]
    middle = int((one[0] + other[0]) / 2), int((one[1] + other[1]) / 2)
    axes = int(math.hypot(across, down) / 2), _HALF_WIDTH
    outline = cv2.ellipse2Poly(middle, axes, int(math.degrees(math.atan2(down, across))), 0, 360, 1)
    cv2.fillConvexPoly(canvas, np.array(outline), [int(level * _LIMB_SHADE) for level in colour])
