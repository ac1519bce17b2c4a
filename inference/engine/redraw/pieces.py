"""One tile at work, whichever way it was cut out; and the small picture that shows how the whole grows."""

from dataclasses import dataclass

from PIL import Image

from inference.api.tiles import Box
from inference.engine.generate import Easel, from_picture
from inference.engine.picture import to_picture
from inference.engine.preview import SIDE
from inference.engine.start import Start, finish
from inference.engine.work import Decode, Painting, Show, TakeUp


@dataclass(frozen=True, slots=True)
class Hand:
    """What tiles of a kind are painted with: an easel whose canvas is the tile, and the brushes to begin each one with."""

    easel: Easel
    brushes: TakeUp

    def paint(self, start: Start) -> Painting:
        """The tile that begins from `start`, finished."""
        source = self.easel.request.source
        model = yield self.brushes
        latent = yield from from_picture(self.easel, model, start)
        result = to_picture((yield Decode(latent)))
        return finish(result, start, corrected=source is not None and source.color_correction)


class Growth:
    """A small copy of the picture, kept up to date tile by tile: the longest side has `SIDE` pixels at most."""

    def __init__(self, picture: Image.Image) -> None:
        self._share = min(1.0, SIDE / max(picture.size))
        self._small = picture.resize(self._scaled(picture.size), Image.Resampling.BOX)

    def show(self) -> Show:
        """It, as it is now."""
        return Show(self._small)

    def with_piece(self, piece: Image.Image, box: Box) -> Show:
        """It with `piece` at `box` of the large picture."""
        left, top = (round(side * self._share) for side in box[:2])
        right, bottom = (max(1, round(side * self._share)) for side in box[2:])
        size = max(1, right - left), max(1, bottom - top)
        self._small.paste(piece.resize(size, Image.Resampling.BOX), (left, top))
        return Show(self._small)

    def _scaled(self, size: tuple[int, int]) -> tuple[int, int]:
        width, height = (max(1, round(side * self._share)) for side in size)
        return width, height
