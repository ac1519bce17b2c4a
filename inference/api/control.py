"""What a request says about steering by a picture: ControlNet units, and a preprocessor run for its own sake.

Names, ranges and modes follow the webui's ControlNet extension (v1.1). Refuses to know how a map is made or applied.
"""

from typing import Literal

import msgspec

from inference.api.errors import require

MAX_UNITS = 10
MAX_CONTROL_WEIGHT = 2.0
MAX_RESOLUTION = 4096
NO_PREPROCESSOR = "none"

ControlMode = Literal["balanced", "prompt", "control"]
"""Which matters more, as the extension words it: Balanced, My prompt, ControlNet."""


class Preprocessor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a picture becomes a map. `id` is a row of the catalogue's PREPROCESSORS ("none" takes the picture as it is).

    `resolution` is the map's short side in pixels, 0 the preprocessor's own; `pixel_perfect` takes it from the canvas
    instead. `threshold_a` and `threshold_b` are its sliders, None where its own defaults hold. `seed` is for those that
    draw by chance.
    """

    id: str = NO_PREPROCESSOR
    resolution: int = 0
    pixel_perfect: bool = False
    threshold_a: float | None = None
    threshold_b: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require(
            self.resolution == 0 or 64 <= self.resolution <= MAX_RESOLUTION,
            f"A preprocessor's resolution must be between 64 and {MAX_RESOLUTION:,}, not {self.resolution:,}.",
        )


class ControlUnit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One ControlNet at work. `model` is the name of a file on the shelf `controls`.

    `picture` is the sha256 of the control picture's bytes; "" takes the request's source. `mask` (white is painted) is for
    the preprocessors of inpainting. The unit acts while `start` ≤ progress ≤ `end`, in shares of the steps that run.
    `resize_mode`: 0 stretch, 1 crop and resize, 2 resize and fill. `during` says in which pass of hires fix.
    `region` is the sha256 of a grey picture by which the effect is weighed from place to place.
    """

    model: str
    picture: str = ""
    preprocessor: Preprocessor = Preprocessor()
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    mode: ControlMode = "balanced"
    resize_mode: Literal[0, 1, 2] = 1
    during: Literal["both passes", "first pass", "second pass"] = "both passes"
    mask: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        require(bool(self.model), "A control needs a ControlNet; choose one from the list.")
        require(
            0.0 <= self.weight <= MAX_CONTROL_WEIGHT,
            f"A control's weight must be between 0 and {MAX_CONTROL_WEIGHT:g}, not {self.weight:g}.",
        )
        require(
            0.0 <= self.start <= self.end <= 1.0,
            f"A control starts and ends at shares between 0 and 1, the start first; not {self.start:g} and {self.end:g}.",
        )

    @property
    def attachments(self) -> tuple[str, ...]:
        """Content hashes of the pictures that it needs."""
        return tuple(digest for digest in (self.picture, self.mask, self.region) if digest)


class PreprocessRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="preprocess"):
    """Make the map of one picture and show it, without painting. `picture` is the sha256 of its bytes."""

    picture: str
    preprocessor: Preprocessor
