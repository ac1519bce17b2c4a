"""All faces of one picture: found, mended one way or the other, and blended over what was there.

Owns the order of things, and what is told where there is nothing to mend.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from PIL import Image

from inference.api.faces import FaceRestoration
from inference.engine.faces.alignment import Aligned, align, put_back
from inference.engine.faces.detection import Face, find_faces, looked_at, pyramid
from inference.engine.faces.mtcnn import MTCNN
from inference.engine.faces.restorers import Restorer
from inference.engine.picture import to_picture, to_pixels
from inference.engine.work import Apply, Painting, Together

NO_FACE = "No face was found, so the picture stayed as it is."
_COST = 2500.0
"""Of a restorer's square, in latent pixels through the UNet (by operations, SD 1.5)."""
Tell = Callable[[str], None]
Way = Callable[[Image.Image, Sequence[Face]], Painting]
"""Mends the faces that were found."""


def mend(picture: Image.Image, faces: FaceRestoration, *, network: MTCNN, way: Way, tell: Tell) -> Painting:
    """RGB `picture` with its faces mended as far as they are to be seen; without a face it is the same picture."""
    if not faces.visibility:
        return picture
    found = yield from find_faces(picture, network)
    if not found:
        tell(NO_FACE)
        return picture
    mended = yield from way(picture, found)
    return mended if faces.visibility == 1 else Image.blend(picture, mended, faces.visibility)


def finding_calls(size: tuple[int, int]) -> int:
    """How many calls it takes at most to find the faces in a picture of `size`."""
    small = looked_at(Image.new("1", size))[0].size
    return len(pyramid(small)) + 2


def restored_by(restorer: Restorer, *, weight: float, seed: int) -> Way:
    """The way by a network: all faces at once, upright, and back again, the largest first."""

    def way(picture: Image.Image, found: Sequence[Face]) -> Painting:
        pixels = np.asarray(picture.convert("RGB"))
        aligned = [each for face in found if (each := align(pixels, face)) is not None]
        squares = yield Together(tuple(_square(each, restorer, weight=weight, seed=seed) for each in aligned))
        for each, square in zip(aligned, squares, strict=True):
            pixels = put_back(pixels, np.asarray(square), each.matrix)
        return Image.fromarray(pixels)

    return way


def _square(aligned: Aligned, restorer: Restorer, *, weight: float, seed: int) -> Painting:
    square = to_pixels(Image.fromarray(aligned.square))
    answer = yield Apply(restorer, (square, torch.tensor([[seed]]), torch.tensor([[weight]])), cost=_COST)
    return to_picture(answer)


def mender(faces: FaceRestoration, *, network: MTCNN, way: Way, tell: Tell) -> Callable[[Image.Image], Painting]:
    """`mend` for whatever picture comes."""
    return partial(mend, faces=faces, network=network, way=way, tell=tell)
