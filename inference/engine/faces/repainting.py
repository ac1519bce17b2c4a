"""Faces painted over: the way that needs no restorer. It is img2img at the size that the model paints best, and no GFPGAN.

Each face is cut out with room around it, enlarged to the model's own size, painted over a little in the words of the picture,
made small again and laid back under a soft edge. Owns the crop and the edge. Refuses to know of prompts and models: a `Hand`
paints.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from inference.api.faces import FaceRestoration
from inference.api.request import Canvas, GenerationRequest, SourcePicture
from inference.engine.faces.detection import Face
from inference.engine.redraw.pieces import Hand
from inference.engine.start import begin
from inference.engine.work import Painting

ROOM = 1.7
"""Times a face's longer side that a crop is wide: hair and chin belong to it."""
INSET, SOFT = 1 / 10, 1 / 30
"""Of a crop's side: what of its edge is not laid back, and sigma of the edge's softness."""
_FACE = "face"
"""Stands for the source picture, which each face is for itself."""
Box = tuple[int, int, int, int]


def face_request(request: GenerationRequest, faces: FaceRestoration, side: int) -> GenerationRequest:
    """How a face of a picture of `request` is painted over on a canvas of `side` pixels: its words and sampler, nothing else."""
    return replace(
        request,
        canvas=Canvas(side, side),
        source=SourcePicture(_FACE, faces.weight),
        hires=None,
        refiner=None,
        regional=None,
        control=(),
        redraw=None,
        faces=None,
        tiling=False,
        extra_noise=0.0,
    )


def repaint(picture: Image.Image, faces: Sequence[Face], hand: Hand, *, tell: Callable[[str], None]) -> Painting:
    """RGB `picture` with its `faces` painted over, but for those that are as large as the model paints anyway."""
    canvas, source = hand.easel.request.canvas, hand.easel.request.source
    assert source is not None  # noqa: S101 - the request of a face has one
    boxes = [crop_of(face, picture.size) for face in faces]
    small = [box for box in boxes if box[2] - box[0] < canvas.width]
    if len(small) < len(boxes):
        tell(f"A face of {canvas.width} pixels or more is as fine as the model paints; it stayed as it is.")
    for box in small:
        start = yield from begin(picture.crop(box), None, source=source, size=(canvas.width, canvas.height))
        painted = yield from hand.paint(start)
        picture = laid_back(picture, painted, box)
    return picture


def crop_of(face: Face, size: tuple[int, int]) -> Box:
    """A square around `face`, moved and where it must be shrunk to lie in a picture of `size` (width, height)."""
    left, top, right, bottom = face.box
    side = min(*size, max(8, round(max(right - left, bottom - top) * ROOM)))
    x, y = (
        min(max(0, round((first + last - side) / 2)), whole - side)
        for first, last, whole in ((left, right, size[0]), (top, bottom, size[1]))
    )
    return x, y, x + side, y + side


def laid_back(picture: Image.Image, painted: Image.Image, box: Box) -> Image.Image:
    """`picture` with `painted` at `box` under a soft edge; outside of it bit for bit as it was."""
    side = box[2] - box[0]
    shape = Image.new("L", (side, side), 0)
    inset = round(side * INSET)
    ImageDraw.Draw(shape).ellipse((inset, inset, side - 1 - inset, side - 1 - inset), fill=255)
    soft = shape.filter(ImageFilter.GaussianBlur(side * SOFT))
    edge = Image.new("L", (side, side), 0)
    edge.paste(255, (1, 1, side - 1, side - 1))
    result = picture.copy()
    result.paste(painted.resize((side, side), Image.Resampling.LANCZOS), box[:2], ImageChops.darker(soft, edge))
    return result
