"""What a request says about enlarging a finished picture (the webui's Extras)."""

import msgspec

from inference.api.errors import require
from inference.api.faces import FaceRestoration

MAX_FACTOR = 8.0
MAX_RESULT_PIXELS = 8192 * 8192
"""Pixels of an enlarged picture, checked as soon as the source's size is known."""


class UpscaleRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="upscale"):
    """Enlarge one picture. `upscaler` is an id of the catalogue or the name of a network file that was found.

    Where `size` (width, height) is given it takes the place of `scale`; with `crop` what stands over is cut off, without it
    the picture fits inside. A `second` upscaler is blended over the first with `second_visibility`. `faces` are mended after.
    `infotext` is the parameter text that the result keeps.
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
