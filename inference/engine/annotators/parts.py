"""People put together from heat maps of joints and part affinity fields (Cao et al. 2017).

Owns the decoding and its thresholds, which are those of the published method. Refuses to know the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from inference.engine.annotators.annotation import Pixels
from inference.engine.annotators.pose import Joint, Person

STRIDE = 8
HEIGHT = 368
"""Pixels of height for which the network was trained."""
SCALE = 0.5
"""Share of that height at which a picture is looked at."""
_GREY = 128
_JOINTS = 18
_PEAK, _FIELD = 0.1, 0.05
"""What a joint's heat, and the field along a limb, must be over."""
_SAMPLES, _MOST = 10, 0.8
"""Points along a limb at which the field is looked at, and the share of them at which it must point along the limb."""
_MIN_PARTS, _MIN_MEAN = 4, 0.4
"""Fewer joints, or a lower mean score, are nobody."""

_LIMBS: tuple[tuple[int, int, int], ...] = (
    (1, 2, 12),
    (1, 5, 20),
    (2, 3, 14),
    (3, 4, 16),
    (5, 6, 22),
    (6, 7, 24),
    (1, 8, 0),
    (8, 9, 2),
    (9, 10, 4),
    (1, 11, 6),
    (11, 12, 8),
    (12, 13, 10),
    (1, 0, 28),
    (0, 14, 30),
    (14, 16, 34),
    (0, 15, 32),
    (15, 17, 36),
    (2, 16, 18),
    (5, 17, 26),
)
"""Two joints, and the first of the two channels in which the field along their limb lies."""
_BODY_LIMBS = 17
"""Limbs with which somebody may begin; ear to shoulder only joins what is there."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A place that may be a joint."""

    x: int
    y: int
    score: float


@dataclass(slots=True)
class Body:
    """Joints that belong together, by number; `score` sums those of joints and limbs."""

    joints: dict[int, Peak] = field(default_factory=dict[int, Peak])
    parts: int = 0
    score: float = 0.0


def looked_at(pixels: Pixels) -> tuple[Pixels, tuple[int, int]]:
    """`pixels` (H, W, 3) as the network sees them, sides padded with grey to multiples of 8; and (H, W) before that."""
    scale = SCALE * HEIGHT / pixels.shape[0]
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4)
    padding = ((0, -size[1] % STRIDE), (0, -size[0] % STRIDE), (0, 0))
    return np.pad(small, padding, constant_values=_GREY), (size[1], size[0])


def spread(answer: np.ndarray, seen: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """The network's `answer` (C, h, w) of a padded picture, (H, W, C) as large as the picture: the padding is left out."""
    grown = answer.shape[2] * STRIDE, answer.shape[1] * STRIDE
    way = cv2.INTER_AREA if sum(size) < sum(seen) else cv2.INTER_LANCZOS4
    layers = (cv2.resize(layer, grown, interpolation=cv2.INTER_LANCZOS4)[: seen[0], : seen[1]] for layer in answer)
    return np.stack([cv2.resize(layer, size[::-1], interpolation=way) for layer in layers], axis=2)


def people_in(heat: np.ndarray, fields: np.ndarray) -> list[Person]:
    """Everybody whose joints show in `heat` (H, W, 18 or more) and limbs in `fields` (H, W, 38)."""
    peaks = [_peaks(heat[:, :, joint]) for joint in range(_JOINTS)]
    bodies: list[Body] = []
    for number, (start, end, channel) in enumerate(_LIMBS):
        along = fields[:, :, channel : channel + 2]
        for one, other, score in _limbs(peaks[start], peaks[end], along):
            _join(bodies, (start, one), (end, other), score, begins=number < _BODY_LIMBS)
    return [
        [_place(body.joints.get(joint)) for joint in range(_JOINTS)]
        for body in bodies
        if body.parts >= _MIN_PARTS and body.score / body.parts >= _MIN_MEAN
    ]


def _place(peak: Peak | None) -> Joint | None:
    return None if peak is None else (float(peak.x), float(peak.y))


def _peaks(heat: np.ndarray) -> list[Peak]:
    """Places hotter than their four neighbours, after a blur; with the heat before the blur."""
    smooth = gaussian_filter(heat, sigma=3)
    framed = np.pad(smooth, 1)
    middle = framed[1:-1, 1:-1]
    hottest = (
        (middle >= framed[:-2, 1:-1])
        & (middle >= framed[2:, 1:-1])
        & (middle >= framed[1:-1, :-2])
        & (middle >= framed[1:-1, 2:])
        & (middle > _PEAK)
    )
    return [Peak(int(x), int(y), float(heat[y, x])) for y, x in zip(*np.nonzero(hottest), strict=True)]


def _limbs(starts: Sequence[Peak], ends: Sequence[Peak], along: np.ndarray) -> list[tuple[Peak, Peak, float]]:
    """Pairs of joints with a limb between them, the surest first, each joint in one pair at most."""
    candidates: list[tuple[float, int, int]] = []
    for i, one in enumerate(starts):
        for j, other in enumerate(ends):
            score = _limb_score(one, other, along)
            if score > 0:
                candidates.append((score, i, j))
    chosen: list[tuple[Peak, Peak, float]] = []
    used: tuple[set[int], set[int]] = (set(), set())
    for score, i, j in sorted(candidates, key=lambda candidate: -candidate[0]):
        if i not in used[0] and j not in used[1]:
            chosen.append((starts[i], ends[j], score))
            used[0].add(i)
            used[1].add(j)
    return chosen


def _limb_score(one: Peak, other: Peak, along: np.ndarray) -> float:
    """How surely a limb goes from `one` to `other`, by the field between them; 0 where it does not."""
    across, down = other.x - one.x, other.y - one.y
    length = max(0.001, float(np.hypot(across, down)))
    xs = np.rint(np.linspace(one.x, other.x, _SAMPLES)).astype(int)
    ys = np.rint(np.linspace(one.y, other.y, _SAMPLES)).astype(int)
    found = along[ys, xs] @ np.array([across / length, down / length])
    far = min(0.5 * along.shape[0] / length - 1, 0.0)
    if np.count_nonzero(found > _FIELD) <= _MOST * _SAMPLES:
        return 0.0
    return max(0.0, float(found.mean()) + far)


def _join(bodies: list[Body], start: tuple[int, Peak], end: tuple[int, Peak], score: float, *, begins: bool) -> None:
    """Give a limb to the body that has one of its joints, to the two that it joins, or to a new one."""
    (from_joint, one), (to_joint, other) = start, end
    owners = [body for body in bodies if body.joints.get(from_joint) is one or body.joints.get(to_joint) is other][:2]
    if len(owners) == 2 and not owners[0].joints.keys() & owners[1].joints.keys():
        first, second = owners
        first.joints |= second.joints
        first.parts += second.parts
        first.score += second.score + score
        bodies.remove(second)
    elif owners:
        body = owners[0]
        if len(owners) == 2 or body.joints.get(to_joint) is not other:
            body.joints[to_joint] = other
            body.parts += 1
            body.score += other.score + score
    elif begins:
        bodies.append(Body({from_joint: one, to_joint: other}, 2, one.score + other.score + score))
