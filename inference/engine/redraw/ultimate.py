"""Ultimate SD Upscale: a picture enlarged, then inpainted tile by tile, then along the tiles' seams.

Each tile has the same seed, sees the ones before it in its padding, and is put back before the next is begun. The order of
things is the original's (Coyote-A's ultimate-upscale for the webui); where things lie is `inference.api.tiles`.
"""

from collections.abc import Sequence

from PIL.Image import Image

from inference.api.redraw import UltimateUpscale
from inference.api.tiles import stages_of
from inference.engine.redraw.growing import grown
from inference.engine.redraw.patches import patch_of
from inference.engine.redraw.pieces import Growth, Hand
from inference.engine.start import Place, begin_patch
from inference.engine.work import Painting


def ultimate(picture: Image, redraw: UltimateUpscale, hands: Sequence[Hand]) -> Painting:
    """RGB `picture` redrawn. `hands` paint the stages of `redraw`, in order."""
    canvas = yield from grown(picture, redraw.size, upscaler=redraw.upscaler)
    growth = Growth(canvas)
    yield growth.show()
    for stage, hand in zip(stages_of(redraw), hands, strict=True):
        source = hand.easel.request.source
        assert source is not None  # noqa: S101 - what is redrawn has a source
        for spot in stage.spots:
            patch = patch_of(spot, stage, canvas.size)
            if patch is None:
                continue
            place = Place(patch.box, canvas.size)
            start = yield from begin_patch(canvas.crop(patch.box), patch.mask, place, source=source, size=stage.process)
            painted = yield from hand.paint(start)
            canvas.paste(painted, patch.box[:2])
            yield growth.with_piece(painted, patch.box)
    return canvas
