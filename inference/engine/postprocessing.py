"""How a request for the Extras becomes a job: its picture opened, its networks lent, its calls counted."""

from collections.abc import Sequence

from PIL.Image import Image

from inference.api.enlarging import UpscaleRequest, check_result, result_size
from inference.api.errors import FailureCode, RequestInvalid
from inference.api.infotext import seed_in, write_postprocessing
from inference.api.infotext.faces import mended_after
from inference.api.result import ImageResult
from inference.engine.extras import calls_of, run_extras
from inference.engine.faces.preparing import mend_with, mending_calls
from inference.engine.job import Prepared, Refused, Track
from inference.engine.picture import encode_png
from inference.engine.preparation import Attachments, opened
from inference.engine.shelf import Shelf
from inference.engine.source import open_picture


def prepare_upscale(request: UpscaleRequest, attachments: Attachments, shelf: Shelf) -> Prepared:
    """Lay out an enlargement, and the mending of faces after it. Raises Refused."""
    picture = opened(request.picture, attachments, open_picture)
    try:
        check_result(request, picture.size)
    except RequestInvalid as error:
        raise Refused(FailureCode.BAD_REQUEST, str(error)) from error
    seed, notes, mend = seed_in(request.infotext), list[str](), None
    calls = calls_of(request, picture, shelf.upscaler)
    if request.faces is not None:
        mend = mend_with(request.faces, shelf, seed=seed, notes=notes)
        calls += mending_calls(result_size(request, picture.size))
    done = write_postprocessing(request, mended_after(request.faces, shelf.inventory))
    track = Track(run_extras(request, picture, mend=mend), lend=shelf.upscaler)

    def results(pictures: Sequence[Image]) -> tuple[ImageResult, ...]:
        return tuple(
            encode_png(result, seed=seed, infotext=request.infotext, postprocessing=done) for result in pictures
        )

    return Prepared([track], max(1, calls), "upscaling", results, notes)
