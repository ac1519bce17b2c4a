"""The source of a tiled upscale, enlarged piece by piece.

Each piece goes through the upscaler alone and is sewn to its neighbours at the size that is wanted of it, so that a
picture of any size costs no more than itself: a network that quadruples never makes a picture four times too large.
"""

from collections.abc import Iterator

from PIL import Image

from inference.api.enlarging import enlarged_size
from inference.api.tiles import Box, Size, chain_of, tile_origins
from inference.engine.redraw.quilt import Quilt
from inference.engine.upscale import RESAMPLERS, Enlarging, brought_to, enlarge, tile_count
from inference.engine.upscalers.loading import Enlarger
from inference.engine.work import Borrow

PIECE, OVERLAP, CONTEXT = 160, 16, 16
"""Pixels of a piece's side, how many of them neighbours share, and what is seen around a piece and cut off again."""
WHOLE = frozenset({"ldsr"})
"""Architectures that see a picture as a whole and keep to bands of it by themselves."""


def grown(picture: Image.Image, size: Size, *, upscaler: str) -> Enlarging:
    """RGB `picture` at exactly `size` (width, height), through `upscaler` factor by factor; Lanczos does the rest.

    `upscaler` is an id of the catalogue or a network's name; "none" leaves it to Lanczos alone.
    """
    source = picture
    for factor in () if upscaler in ("", "none") else chain_of(picture.size, size):
        network: Enlarger | None = None if upscaler in RESAMPLERS else (yield Borrow(upscaler))
        if network is None or network.traits.architecture in WHOLE:
            picture = yield from enlarge(picture, upscaler=upscaler, scale=factor)
        else:
            picture = yield from _in_pieces(picture, factor, upscaler)
    if picture.size != size:
        return picture.resize(size, Image.Resampling.LANCZOS)
    return picture.copy() if picture is source else picture  # whoever asked paints into it


def growing_calls(size: Size, target: Size, *, network: Enlarger | None) -> int:
    """How many calls of `network` `grown` asks for; 0 where it needs none."""
    calls = 0
    for factor in () if network is None else chain_of(size, target):
        assert network is not None  # noqa: S101 - there would be no factors without one
        if network.traits.architecture in WHOLE:
            calls += tile_count(size, network=network, scale=factor)
        else:
            calls += sum(tile_count(_size(seen), network=network, scale=factor) for _, seen in _pieces(size))
        size = enlarged_size(size, factor)
    return calls


def _in_pieces(picture: Image.Image, factor: int, upscaler: str) -> Enlarging:
    """`picture` enlarged `factor` times, and down to sides of whole multiples of 8 (the webui's contract)."""
    quilt = Quilt((picture.width * factor, picture.height * factor), _overlap(picture.size) * factor)
    for box, seen in _pieces(picture.size):
        width, height = _size(seen)
        grown_piece = yield from brought_to(picture.crop(seen), (width * factor, height * factor), upscaler=upscaler)
        left, top = (box[0] - seen[0]) * factor, (box[1] - seen[1]) * factor
        wide, high = (side * factor for side in _size(box))
        quilt.lay(grown_piece.crop((left, top, left + wide, top + high)), box[0] * factor, box[1] * factor)
    whole, target = quilt.finished(), enlarged_size(picture.size, factor)
    return whole if whole.size == target else whole.resize(target, Image.Resampling.LANCZOS)


def _pieces(size: Size) -> Iterator[tuple[Box, Box]]:
    """Where the pieces of a picture of `size` lie, row after row, and what is seen of it for each."""
    (wide, high), overlap = (min(PIECE, side) for side in size), _overlap(size)
    for top in tile_origins(size[1], high, overlap):
        for left in tile_origins(size[0], wide, overlap):
            box = left, top, left + wide, top + high
            yield (
                box,
                (
                    max(0, left - CONTEXT),
                    max(0, top - CONTEXT),
                    min(size[0], box[2] + CONTEXT),
                    min(size[1], box[3] + CONTEXT),
                ),
            )


def _overlap(size: Size) -> int:
    return min(OVERLAP, *(min(PIECE, side) // 2 for side in size))


def _size(box: Box) -> Size:
    return box[2] - box[0], box[3] - box[1]
