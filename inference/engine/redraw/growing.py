"""The source of a tiled upscale, enlarged piece by piece.

Each piece goes through the upscaler alone and is sewn to its neighbours at the size that is wanted of it, so that a
picture of any size costs no more than itself: a network that quadruples never makes a picture four times too large.
"""

from PIL import Image

from inference.api.tiles import chain_of, tile_origins
from inference.engine.redraw.quilt import Quilt
from inference.engine.upscale import RESAMPLERS, Enlarging, brought_to, target_size, tile_count

PIECE, OVERLAP = 192, 32
"""Pixels of a piece's side, and how many of them neighbours share."""


def grown(picture: Image.Image, size: tuple[int, int], *, upscaler: str) -> Enlarging:
    """RGB `picture` at exactly `size` (width, height), through `upscaler` factor by factor; Lanczos does the rest.

    `upscaler` is an id of the catalogue or a network's name; "none" leaves it to Lanczos alone.
    """
    if upscaler not in ("", "none"):
        for factor in chain_of(picture.size, size):
            picture = yield from _times(picture, factor, upscaler)
    return picture.resize(size, Image.Resampling.LANCZOS) if picture.size != size else picture.copy()


def _times(picture: Image.Image, factor: int, upscaler: str) -> Enlarging:
    """`picture` enlarged `factor` times, and down to sides of whole multiples of 8 (the webui's contract)."""
    overlap, boxes = _pieces(picture.size)
    quilt = Quilt((picture.width * factor, picture.height * factor), overlap * factor)
    for box in boxes:
        wanted = (box[2] - box[0]) * factor, (box[3] - box[1]) * factor
        piece = yield from brought_to(picture.crop(box), wanted, upscaler=upscaler)
        quilt.lay(piece, box[0] * factor, box[1] * factor)
    whole, target = quilt.finished(), target_size(picture.size, factor)
    return whole if whole.size == target else whole.resize(target, Image.Resampling.LANCZOS)


def _pieces(size: tuple[int, int]) -> tuple[int, list[tuple[int, int, int, int]]]:
    """How many pixels the pieces of a picture of `size` share, and where they lie, row after row."""
    wide, high = (min(PIECE, side) for side in size)
    overlap = min(OVERLAP, wide // 2, high // 2)
    return overlap, [
        (left, top, left + wide, top + high)
        for top in tile_origins(size[1], high, overlap)
        for left in tile_origins(size[0], wide, overlap)
    ]


def growing_calls(size: tuple[int, int], target: tuple[int, int], *, upscaler: str, network_scale: int) -> int:
    """How many tiles `grown` asks a network for; 0 where it needs none."""
    if upscaler == "" or upscaler in RESAMPLERS:
        return 0
    calls = 0
    for factor in chain_of(size, target):
        for left, top, right, bottom in _pieces(size)[1]:
            calls += tile_count(
                (right - left, bottom - top), upscaler=upscaler, scale=factor, network_scale=network_scale
            )
        size = target_size(size, factor)
    return calls
