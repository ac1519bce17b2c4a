"""A map as a job of its own: one picture in, its map out.

Owns what is refused before anything runs. Refuses to know about batches and the wire.
"""

from collections.abc import Mapping, Sequence

from PIL.Image import Image

from inference.api.control import Preprocessor, PreprocessRequest
from inference.api.errors import FailureCode
from inference.api.preprocessors import described
from inference.api.result import ImageResult
from inference.engine.annotators.annotate import NetworkShelf, annotate, calls_of, known
from inference.engine.job import Prepared, Refused, Track
from inference.engine.picture import encode_png
from inference.engine.source import BadSource, open_control
from inference.engine.work import Painting


def prepare_preprocess(request: PreprocessRequest, attachments: Mapping[str, bytes], shelf: NetworkShelf) -> Prepared:
    """Lay out a map. The network that it takes is loaded here. Raises Refused."""
    row = known(request.preprocessor)
    if request.picture not in attachments:
        raise Refused(FailureCode.BAD_SOURCE, "The control picture did not arrive; send it again.")
    try:
        picture = open_control(attachments[request.picture])
    except BadSource as error:
        raise Refused(FailureCode.BAD_SOURCE, str(error)) from error
    if row.networks:
        shelf.annotator(row)
    notes: list[str] = []
    track = Track(_map_of(picture, request.preprocessor, shelf, notes))

    def results(pictures: Sequence[Image]) -> tuple[ImageResult, ...]:
        return tuple(
            encode_png(made, seed=request.preprocessor.seed, infotext=described(request.preprocessor, made.size))
            for made in pictures
        )

    return Prepared([track], max(1, calls_of(request.preprocessor)), "mapping", results, notes)


def _map_of(picture: Image, preprocessor: Preprocessor, shelf: NetworkShelf, notes: list[str]) -> Painting:
    annotation = yield from annotate(picture, preprocessor, shelf=shelf)
    notes += annotation.notes
    return annotation.picture
