"""What a request's controls need before anything is painted: files that fit, pictures that open, preprocessors that are here.

Owns which picture a unit follows. Every refusal is a sentence for the person who asked, raised before a model is loaded.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from PIL import Image

from inference.api.control import ControlUnit
from inference.api.errors import FailureCode
from inference.api.request import GenerationRequest
from inference.api.result import ModelFile
from inference.engine.annotators.annotate import INPAINTING, NetworkShelf, calls_of, known
from inference.engine.annotators.fitting import ResizeMode
from inference.engine.control.hints import Followed, Hints
from inference.engine.families import FAMILIES
from inference.engine.job import Refused
from inference.engine.source import BadSource, open_control, open_mask

_SECOND_ONLY = "A control acts in the second pass alone, and there is no hires fix, so it did nothing."
_RESIZE_MODES: tuple[ResizeMode, ...] = (0, 1, 2, 0)
"""How a unit that follows the source fits it, by the source's own resize mode."""


class ControlShelf(NetworkShelf, Protocol):
    """Where controls come from (`engine.shelf.Shelf`)."""

    def find_control(self, name: str) -> ModelFile:
        """The file of that name. Raises Refused."""
        ...


def hints_of(
    request: GenerationRequest,
    model: ModelFile,
    attachments: Mapping[str, bytes],
    *,
    shelf: ControlShelf,
    notes: list[str],
) -> Hints:
    """The controls of `request`, to be painted with the checkpoint `model`. Raises Refused."""
    for unit in request.control:
        check_family(shelf.find_control(unit.model), model)
        row = known(unit.preprocessor)
        if row.networks:
            shelf.annotator(row)
        if unit.during == "second pass" and request.hires is None and _SECOND_ONLY not in notes:
            notes.append(_SECOND_ONLY)
    return Hints([_followed(request, unit, attachments) for unit in request.control], shelf, notes)


def check_family(info: ModelFile, model: ModelFile) -> None:
    """Raise Refused where the control in `info` is known to be of another family than the checkpoint `model`."""
    labels = [FAMILIES[file.family].label for file in (info, model) if file.family in FAMILIES]
    if len(labels) == 2 and info.family != model.family:
        raise Refused(
            FailureCode.BAD_REQUEST,
            f"The ControlNet “{info.name}” is made for {labels[0]} and cannot steer “{model.name}”, "
            f"a {labels[1]} model; choose one of the same family.",
        )


def map_calls(request: GenerationRequest) -> int:
    """How many network calls the maps of one picture of `request` take, for the count of its calls."""
    return sum(calls_of(unit.preprocessor) for unit in request.control if unit.weight)


def _followed(request: GenerationRequest, unit: ControlUnit, attachments: Mapping[str, bytes]) -> Followed:
    source, resize_mode = request.source, unit.resize_mode
    digest = unit.picture
    if not digest and source is not None:
        digest, resize_mode = source.picture, _RESIZE_MODES[source.resize_mode]
    mask = _opened(unit.mask, attachments, open_mask) if unit.mask else None
    if mask is None and unit.preprocessor.id in INPAINTING and source is not None and source.inpaint is not None:
        part = source.inpaint
        mask = _opened(part.mask, attachments, lambda data: open_mask(data, rounded=part.rounded, invert=part.invert))
    region = _opened(unit.region, attachments, open_mask) if unit.region else None
    return Followed(unit, _opened(digest, attachments, open_control), mask, region, resize_mode)


def _opened(digest: str, attachments: Mapping[str, bytes], read: Callable[[bytes], Image.Image]) -> Image.Image:
    if digest not in attachments:
        raise Refused(FailureCode.BAD_SOURCE, "A control's picture did not arrive; send it again.")
    try:
        return read(attachments[digest])
    except BadSource as error:
        raise Refused(FailureCode.BAD_SOURCE, str(error)) from error
