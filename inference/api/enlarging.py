"""What a request says about enlarging a finished picture (the webui's Extras), and how large the result may be."""

import msgspec

from inference.api.errors import RequestInvalid, require
from inference.api.faces import FaceRestoration

MAX_FACTOR = 8.0
MAX_RESULT_PIXELS = 8192 * 8192
"""Pixels of an enlarged picture, checked as soon as the source's size is known."""
MAX_SIDE = 65_500
"""Pixels of a side of an enlarged picture: a little less than what JPEG can say."""


class UpscaleRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="upscale"):
    """Enlarge one picture. `upscaler` is an id of the catalogue or the name of a network file that was found.

    Where `size` (width, height) is given it takes the place of `scale`: the picture grows until it covers it, and with `crop`
    what stands over is cut off all around. A `second` upscaler is blended over the first with `second_visibility`. `faces` are
    mended after. `infotext` is the parameter text that the result keeps.
    """

    picture: str
    upscaler: str
    scale: float = 2.0
    size: tuple[int, int] | None = None
    crop: bool = True
    second: str = ""
    second_visibility: float = 0.0
    faces: FaceRestoration | None = None
    infotext: str = ""

    def __post_init__(self) -> None:
        require(1.0 <= self.scale <= MAX_FACTOR, f"A picture can be enlarged 1 to 8 times, not {self.scale:g}.")
        require(
            self.scale > 1.0 or self.size is not None or self.faces is not None,
            "A picture that is enlarged once stays as it is; choose a factor over 1.",
        )
        require(
            self.size is None or (min(self.size) >= 8 and self.size[0] * self.size[1] <= MAX_RESULT_PIXELS),
            "A picture can be enlarged to sides of 8 pixels or more, and to 8,192 × 8,192 in all.",
        )
        require(
            0.0 <= self.second_visibility <= 1.0,
            f"The second upscaler's visibility must be between 0 and 1, not {self.second_visibility:g}.",
        )


def enlarged_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Width and height after enlarging, rounded down to multiples of 8 (at least 8), as in the webui."""
    width, height = (max(8, int(side * scale // 8 * 8)) for side in size)
    return width, height


def factor_of(request: UpscaleRequest, source: tuple[int, int]) -> float:
    """How many times a picture of size `source` (width, height) is enlarged: to cover a size, by its larger ratio (webui)."""
    if request.size is None:
        return request.scale
    return max(wanted / side for wanted, side in zip(request.size, source, strict=True))


def result_size(request: UpscaleRequest, source: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the result for a picture of size `source`."""
    if request.size is None:
        return enlarged_size(source, request.scale)
    if request.crop:
        return request.size
    factor = factor_of(request, source)
    width, height = (max(wanted, round(side * factor)) for wanted, side in zip(request.size, source, strict=True))
    return width, height


def check_result(request: UpscaleRequest, source: tuple[int, int]) -> tuple[int, int]:
    """Pixels of the largest picture on the way to the result (width, height). Raises RequestInvalid where it is too large.

    Ask before a job is queued, with the size of the picture that is to be enlarged.
    """
    factor = factor_of(request, source)
    width, height = (round(side * max(1.0, factor)) for side in source)
    if width * height > MAX_RESULT_PIXELS or max(width, height) > MAX_SIDE:
        most = min((MAX_RESULT_PIXELS / (source[0] * source[1])) ** 0.5, MAX_SIDE / max(source))
        advice = (
            f"at most {int(most * 10) / 10:g} times is possible" if most >= 1.1 else "it is too large to be enlarged"
        )
        raise RequestInvalid(
            f"A picture of {source[0]:,} × {source[1]:,} pixels enlarged {factor:.3g} times has {width:,} × {height:,}, "
            f"more than can be held; {advice}."
        )
    return width, height
