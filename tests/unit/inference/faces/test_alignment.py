"""A face turned upright and put back: the template is met, the way back is the inverse, and outside nothing changes."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from inference.engine.faces.alignment import SIDE, TEMPLATE, align, put_back, soft_mask
from inference.engine.faces.detection import Face, find_faces
from inference.engine.faces.mtcnn import MTCNN

Drive = Callable[[Any], Any]


def face_at(landmarks: Any) -> Face:
    """A face with these landmarks."""
    return Face((0, 0, 10, 10), np.asarray(landmarks, dtype=np.float64), 1.0)


@pytest.mark.parametrize("angle", [0.0, 30.0, -75.0])
def test_landmarks_come_to_the_template(angle: float) -> None:
    """Whatever turn, size and place a face has, its landmarks are carried to the template's."""
    turn = cv2.getRotationMatrix2D((300, 200), angle, 0.37)
    seen = TEMPLATE @ turn[:, :2].T + turn[:, 2]
    aligned = align(np.zeros((600, 800, 3), np.uint8), face_at(seen))
    assert aligned is not None
    carried = seen @ aligned.matrix[:, :2].T + aligned.matrix[:, 2]
    assert np.abs(carried - TEMPLATE).max() < 1e-3


def test_beyond_the_picture_is_the_grey_of_facexlib() -> None:
    """(132, 133, 135) in RGB."""
    aligned = align(np.zeros((40, 40, 3), np.uint8), face_at(TEMPLATE / 8 - 20))
    assert aligned is not None
    assert aligned.square[2, 2].tolist() == [132, 133, 135]


def test_landmarks_that_no_face_has_are_left_alone() -> None:
    """Five times the same point has no turn and no size."""
    assert align(np.zeros((40, 40, 3), np.uint8), face_at([(5, 5)] * 5)) is None


def test_there_and_back_is_the_same_picture(astronaut: Image.Image, detector: MTCNN, drive: Drive) -> None:
    """A square that is put back unchanged changes nothing but the rounding of two interpolations."""
    pixels = np.asarray(astronaut)
    (face,) = drive(find_faces(astronaut, detector))
    aligned = align(pixels, face)
    assert aligned is not None
    assert aligned.square.shape == (SIDE, SIDE, 3)
    back = put_back(pixels, aligned.square, aligned.matrix)
    assert np.abs(back.astype(int) - pixels).mean() < 1.0


@pytest.mark.parametrize("shift", [(0, 0), (-110, -60), (90, 120), (-400, 0)])
def test_outside_of_the_square_not_a_bit_changes(
    astronaut: Image.Image, detector: MTCNN, drive: Drive, shift: tuple[int, int]
) -> None:
    """A red square is seen inside, softly, and nothing else moves, at the borders of the picture too."""
    pixels = np.asarray(astronaut)
    (face,) = drive(find_faces(astronaut, detector))
    aligned = align(pixels, face_at(face.landmarks + shift))
    assert aligned is not None
    red = np.zeros_like(aligned.square)
    red[..., 0] = 255
    back = put_back(pixels, red, aligned.matrix)
    inverse = cv2.invertAffineTransform(aligned.matrix)
    square = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), inverse, (256, 256)) > 0
    inside = cv2.dilate(square.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # a sixteenth of a pixel may be rounded
    assert (back[~inside] == pixels[~inside]).all()
    changed = (back != pixels).any(axis=2)
    assert changed.any() == (shift != (-400, 0))
    if shift == (0, 0):
        assert back[120, 129].tolist() == [255, 0, 0]


def test_the_edge_is_a_twentieth_of_the_side() -> None:
    """A square of 200 pixels is drawn in by ten and soft over twenty."""
    inside = np.zeros((260, 260), np.float32)
    inside[30:230, 30:230] = 1
    mask = soft_mask(inside)
    row = mask[130]
    assert row[:30].max() == 0
    assert row[130] == 1
    soft = np.flatnonzero((row[:130] > 0.01) & (row[:130] < 0.99))
    assert 10 <= len(soft) <= 22
