"""SD upscale, the webui's older script: a picture enlarged, cut into tiles that overlap, each painted over, sewn together.

No tile waits for another, so the loop paints them in batches. Tile k has seed + k, as the script gives its batches of one.
"""

from collections.abc import Callable

from PIL import Image

from inference.api.redraw import SdUpscale
from inference.api.tiles import Box, Size, sd_boxes, sd_overlap_of
from inference.engine.redraw.growing import grown
from inference.engine.redraw.pieces import Growth, Hand
from inference.engine.redraw.quilt import Quilt
from inference.engine.start import Place, Start, begin
from inference.engine.work import Painting, Together


def sd_upscale(
    picture: Image.Image, redraw: SdUpscale, hand_of: Callable[[int], Hand], *, canvas: Size, process: Size
) -> Painting:
    """RGB `picture` redrawn. `hand_of` a tile's number paints it at `process`; tiles are as large as `canvas` (pixels)."""
    whole = yield from grown(picture, redraw.size, upscaler=redraw.upscaler)
    growth = Growth(whole)
    yield growth.show()
    boxes = sd_boxes(redraw, canvas)
    tiles: list[Image.Image] = yield Together(
        tuple(_tile(whole, box, hand_of(number), growth, process) for number, box in enumerate(boxes))
    )
    quilt = Quilt(redraw.size, sd_overlap_of(redraw, canvas))
    for tile, box in zip(tiles, boxes, strict=True):
        quilt.lay(tile, *box[:2])
    return quilt.finished()


def _tile(whole: Image.Image, box: Box, hand: Hand, growth: Growth, process: Size) -> Painting:
    source = hand.easel.request.source
    assert source is not None  # noqa: S101 - what is redrawn has a source
    started: Start = yield from begin(whole.crop(box), None, source=source, size=process)
    start = Start(started.picture, place=Place(box, whole.size))
    painted = yield from hand.paint(start)
    size = box[2] - box[0], box[3] - box[1]
    if painted.size != size:
        painted = painted.resize(size, Image.Resampling.LANCZOS)
    yield growth.with_piece(painted, box)
    return painted
