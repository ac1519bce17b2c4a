"""Faces are found where there are some, with the landmarks where a person would put them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.engine.annotators.networks import identify
from inference.engine.faces.detection import MOST, find_faces, pyramid
from inference.engine.faces.mtcnn import MTCNN
from tests.unit.inference.faces.conftest import DETECTOR

Drive = Callable[[Any], Any]


def test_one_face_in_a_portrait(astronaut: Image.Image, detector: MTCNN, drive: Drive) -> None:
    """Its box and landmarks are where they were marked by hand, within a few pixels."""
    (face,) = drive(find_faces(astronaut, detector))
    assert face.score > 0.99
    assert np.abs(np.array(face.box) - (86, 61, 172, 175)).max() < 8
    by_hand = [(107, 101), (152, 103), (129, 129), (105, 139), (151, 141)]
    assert np.abs(face.landmarks - by_hand).max() < 5


@pytest.mark.parametrize("turn", [Image.Transpose.FLIP_LEFT_RIGHT, None])
def test_found_at_every_size_and_mirrored(
    astronaut: Image.Image, detector: MTCNN, drive: Drive, turn: Image.Transpose | None
) -> None:
    """Large pictures are looked at in a small copy; boxes are told in the large one's pixels."""
    picture = astronaut if turn is None else astronaut.transpose(turn)
    for side in (96, 512, 1400):
        (face,) = drive(find_faces(picture.resize((side, side)), detector))
        middle = np.mean(face.landmarks, axis=0) * 256 / side
        wanted = np.array((129.0 if turn is None else 127.0, 122.0))
        assert np.abs(middle - wanted).max() < 8, side


def test_several_faces_the_largest_first(astronaut: Image.Image, detector: MTCNN, drive: Drive) -> None:
    """Each is found once."""
    sheet = Image.new("RGB", (512, 256), "grey")
    sheet.paste(astronaut.resize((160, 160)), (0, 48))
    sheet.paste(astronaut, (256, 0))
    faces = drive(find_faces(sheet, detector))
    assert len(faces) == 2 <= MOST
    assert faces[0].box[0] > 256 > faces[1].box[2]


def test_no_face_in_a_cat_in_noise_or_in_nothing(cat: Image.Image, detector: MTCNN, drive: Drive) -> None:
    """A cat is none, and neither noise, one colour nor a picture of eight pixels breaks anything."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8))
    for picture in (
        cat,
        noise,
        Image.new("RGB", (256, 256), "pink"),
        Image.new("RGB", (8, 900)),
        Image.new("RGB", (1, 1)),
    ):
        assert drive(find_faces(picture, detector)) == []


def test_the_pyramid_begins_with_the_smallest_face() -> None:
    """A face of 20 pixels, or of a twentieth of the shorter side, is one proposal of 12 at the first level."""
    assert pyramid((256, 256))[0] == pytest.approx(12 / 20)
    assert pyramid((640, 900))[0] == pytest.approx(12 / 32)
    assert pyramid((8, 8)) == []


def test_the_shipped_file_is_known_by_what_it_holds() -> None:
    """Discovery calls it by its kind."""
    assert identify(DETECTOR).family == "mtcnn"
