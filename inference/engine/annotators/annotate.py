"""A preprocessor at work, as a generator: the picture is opened, brought to its resolution, traced, and cropped again.

Owns the order of things and the id -> function tables. Networks are asked for through the engine's loop (`Apply`), so that
they wait their turn, are batched and can be cancelled. Refuses to know about canvases: `fitting` does.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol

import numpy as np
from PIL import Image
from torch import nn

from inference.api.control import Preprocessor
from inference.api.errors import FailureCode
from inference.api.preprocessors import PreprocessorRow, row_of, unknown
from inference.engine.annotators import colours, depth, edges, hed, mlsd, people, segmentation
from inference.engine.annotators.annotation import Annotation, Chosen, Pixels, Traced, flattened, is_drawn
from inference.engine.annotators.fitting import ResizeMode
from inference.engine.annotators.resolution import at_resolution, pixel_perfect
from inference.engine.job import Refused
from inference.engine.work import Apply


class NetworkShelf(Protocol):
    """Where networks come from (`engine.shelf.Shelf`)."""

    def annotator(self, row: PreprocessorRow) -> nn.Module:
        """The loaded network that `row` runs. Raises Refused."""
        ...


Tracer = Callable[[Pixels, Chosen], Pixels]
"""A preprocessor that needs no network: RGB (H, W, 3) to a map, grey (H, W) or RGB."""
NetworkTracer = Callable[[Pixels, Chosen, nn.Module], Generator[Apply, Any, Traced]]
"""The same with a network, which is asked through the loop."""
Tracing = Generator[Apply, Any, Annotation]

TRACERS: Mapping[str, Tracer] = {
    "none": lambda pixels, _: pixels,
    "canny": edges.canny,
    "invert": edges.invert,
    "threshold": edges.threshold,
    "scribble": edges.scribble,
    "scribble_xdog": edges.scribble_xdog,
    "lineart_standard": edges.lineart_standard,
    "tile_resample": colours.tile_resample,
    "blur_gaussian": colours.blur_gaussian,
    "shuffle": colours.shuffle,
    "inpaint_global_harmonious": lambda pixels, _: pixels,
    "inpaint_only": lambda pixels, _: pixels,
}
"""Preprocessors without networks, by the catalogue's ids."""
NETWORK_TRACERS: Mapping[str, NetworkTracer] = {
    "openpose": people.pose,
    "depth_midas": depth.depth_map,
    "depth_anything": depth.depth_map,
    "normal_midas": depth.normal_map,
    "softedge_hed": hed.outlines,
    "softedge_hedsafe": hed.safe_outlines,
    "softedge_pidinet": hed.outlines,
    "softedge_pidisafe": hed.safe_outlines,
    "scribble_hed": hed.scribbled,
    "scribble_pidinet": hed.scribbled,
    "mlsd": mlsd.straight_lines,
    "seg_ufade20k": segmentation.segments,
}
"""Those with networks."""
INPAINTING = frozenset({"inpaint_global_harmonious", "inpaint_only"})
_UNMASKED = "The control has no mask, so nothing of its picture was left out; paint white what shall change."


def known(preprocessor: Preprocessor) -> PreprocessorRow:
    """The catalogue's row of `preprocessor`. Raises Refused where there is none of that id."""
    row = row_of(preprocessor)
    if row is None:
        raise Refused(FailureCode.BAD_REQUEST, unknown(preprocessor))
    return row


def calls_of(preprocessor: Preprocessor) -> int:
    """How many `Apply` a map takes, for the count of a job's calls; a pose may take a second look."""
    row = row_of(preprocessor)
    return 1 if row is not None and row.networks else 0


def annotate(
    picture: Image.Image,
    preprocessor: Preprocessor,
    *,
    size: tuple[int, int] | None = None,
    resize_mode: ResizeMode = 1,
    mask: Image.Image | None = None,
    shelf: NetworkShelf,
) -> Tracing:
    """The map of `picture` (any mode), not fitted to a canvas yet: `fitting.fit` does that, for each pass anew.

    `size` (width, height) and `resize_mode` are the canvas's, for pixel-perfect resolutions. A grey `mask` is what inpainting
    leaves out (white); any other preprocessor takes it for a drawing in the picture's place. Draws by chance with
    `preprocessor.seed`. Raises Refused for an unknown preprocessor, an absent network, and pictures too long and thin.
    """
    row = known(preprocessor)
    inpainting = row.id in INPAINTING
    if mask is not None and not inpainting and is_drawn(mask):
        picture = mask.convert("L")
    flat = flattened(picture)
    resolution = _resolution(row, preprocessor, flat.size, size, resize_mode)
    chosen = _chosen(row, preprocessor)
    pixels, cropped = np.asarray(flat), _whole
    if resolution:
        pixels, cropped = at_resolution(pixels, resolution)
    if row.networks:
        traced = yield from NETWORK_TRACERS[row.id](pixels, chosen, shelf.annotator(row))
    else:
        traced = Traced(TRACERS[row.id](pixels, chosen))
    result = Image.fromarray(cropped(traced.pixels)).convert("RGB")
    if not inpainting:
        return Annotation(result, notes=traced.notes)
    if mask is None:
        return Annotation(result, notes=(_UNMASKED,))
    return Annotation(result, mask.convert("L").resize(result.size, Image.Resampling.NEAREST))


def _whole(answer: Pixels) -> Pixels:
    return np.ascontiguousarray(answer)


def _resolution(
    row: PreprocessorRow,
    preprocessor: Preprocessor,
    picture: tuple[int, int],
    canvas: tuple[int, int] | None,
    resize_mode: ResizeMode,
) -> int:
    """The map's short side; 0 where the picture keeps its size."""
    if not row.resolution or row.fixed:
        return row.resolution
    if preprocessor.pixel_perfect:
        return pixel_perfect(picture, canvas or picture, resize_mode)
    return preprocessor.resolution or row.resolution


def _chosen(row: PreprocessorRow, preprocessor: Preprocessor) -> Chosen:
    wanted = preprocessor.threshold_a, preprocessor.threshold_b
    settled = [slider.settled(value) for slider, value in zip(row.sliders, wanted, strict=False)]
    return Chosen(*settled, seed=preprocessor.seed)
