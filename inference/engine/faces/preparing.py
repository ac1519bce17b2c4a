"""What mending faces needs before a job runs: the networks lent, the calls counted, refusals worded.

Owns which way a request takes. Refuses to know how pictures are painted: who paints over a face is handed in.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from PIL import Image

from inference.api.errors import FailureCode
from inference.api.faces import REPAINT, FaceRestoration
from inference.engine.faces.mending import finding_calls, mender, restored_by
from inference.engine.faces.mtcnn import MTCNN
from inference.engine.faces.repainting import repaint
from inference.engine.faces.restorers import Restorer
from inference.engine.job import Refused
from inference.engine.redraw.pieces import Hand
from inference.engine.work import Painting

_NO_WORDS = (
    "Painting over a face needs a model and words, which an enlargement has not; mend the faces of the painted picture, or put a "
    "GFPGAN file into models/GFPGAN and choose it."
)
Mend = Callable[[Image.Image], Painting]


class FaceShelf(Protocol):
    """Where networks for faces come from (`engine.shelf.Shelf`)."""

    def detector(self) -> MTCNN:
        """The network that finds faces. Raises Refused."""
        ...

    def restorer(self, name: str) -> Restorer:
        """The face restorer of that name. Raises Refused."""
        ...


def mend_with(
    faces: FaceRestoration, shelf: FaceShelf, *, seed: int, notes: list[str], hand: Callable[[], Hand] | None = None
) -> Mend:
    """How the faces of a picture are mended as `faces` says. `hand` paints over a face, where anybody can. Raises Refused."""

    def tell(sentence: str) -> None:
        if sentence not in notes:
            notes.append(sentence)

    network = shelf.detector()
    if faces.model != REPAINT:
        way: Any = restored_by(shelf.restorer(faces.model), weight=faces.weight, seed=seed)
    elif hand is None:
        raise Refused(FailureCode.BAD_REQUEST, _NO_WORDS)
    else:
        way = partial(repaint, hand=hand(), tell=tell)
    return mender(faces, network=network, way=way, tell=tell)


def mending_calls(size: tuple[int, int], *, each: int = 1) -> int:
    """Calls for a picture of `size` with one face, of which `each` mend it: how many faces there are nobody knows before."""
    return finding_calls(size) + each
