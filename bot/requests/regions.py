"""Which part of a picture is painted anew: nine regions, three by three, and the request for a mask.

Owns the regions' names and edges, and how large a picture is painted over. Pure: pictures are named by hash; whoever makes
the mask's pixels takes the edges from here.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from bot.errors import RequestRefused
from bot.requests.resolve import CROP, canvas_for, size_within
from bot.settings import LimitSettings
from inference.api.errors import RequestInvalid
from inference.api.request import MIN_SIDE, SIZE_STEP, Canvas, GenerationRequest, Inpaint, SourcePicture

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom lie outside."""
Content = Literal["fill", "original", "latent noise", "latent nothing"]
ACROSS: Final = 3
REGIONS: Final = (
    "Top left",
    "Top",
    "Top right",
    "Left",
    "Middle",
    "Right",
    "Bottom left",
    "Bottom",
    "Bottom right",
)
"""By number, row after row."""
ROOM: Final = 4
"""How many times the pixels that a model was trained for a picture may have and still be painted over as it is."""


class Repaint(msgspec.Struct, frozen=True, kw_only=True):
    """How a part is painted anew, in the webui's words (`inference.api.request.Inpaint` has each field's meaning)."""

    content: Content = "original"
    only_masked: bool = False
    padding: int = 32
    blur: int = 4
    soft: bool = False
    invert: bool = False
    strength: float = 0.75


def region_boxes(size: tuple[int, int], regions: Iterable[int]) -> tuple[Box, ...]:
    """Where `regions` (0 to 8) lie in a picture of `size` (width, height): together all nine leave no pixel out."""
    across, down = ([side * part // ACROSS for part in range(ACROSS + 1)] for side in size)
    return tuple(
        (across[column], down[row], across[column + 1], down[row + 1])
        for row, column in (divmod(region, ACROSS) for region in sorted(set(regions)))
    )


def read_regions(marks: str) -> tuple[int, ...]:
    """Region numbers from `0,4,8`; what is no region is left out."""
    return tuple(int(mark) for mark in marks.split(",") if mark in _NUMBERS)


def kept_canvas(size: tuple[int, int], *, native: int, limits: LimitSettings) -> Canvas:
    """The canvas on which a picture of `size` is painted over: its own size in steps of 8, where the model can do that and it is
    allowed; else the same proportions at the model's size. Raises LimitReached where even those are too many pixels here."""
    width, height = (side - side % SIZE_STEP for side in size)
    most = min(ROOM * native * native, limits.max_megapixels * 1e6)
    if min(width, height) >= MIN_SIDE and width * height <= most:
        return Canvas(width, height)
    canvas = canvas_for(size, native=native)
    return size_within((canvas.width, canvas.height), limits)


def repainted(
    base: GenerationRequest,
    how: Repaint,
    *,
    picture: str,
    size: tuple[int, int],
    mask: str,
    native: int,
    limits: LimitSettings,
) -> GenerationRequest:
    """`base` painting over a part of `picture` (sha256; `size` in pixels) where `mask` (sha256) is white.

    Raises RequestRefused for what is out of range, LimitReached for a picture that is too large here.
    """
    try:
        part = Inpaint(
            mask=mask,
            blur=how.blur,
            content=how.content,
            only_masked=how.only_masked,
            padding=how.padding,
            invert=how.invert,
            rounded=not how.soft,
        )
        return msgspec.structs.replace(
            base,
            canvas=kept_canvas(size, native=native, limits=limits),
            source=SourcePicture(picture, how.strength, resize_mode=CROP, inpaint=part),
            hires=None,
            redraw=None,
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


_NUMBERS: Final = frozenset(str(number) for number in range(len(REGIONS)))
