"""What a request says about mending faces."""

import msgspec

from inference.api.errors import require

REPAINT = "repaint"
"""The way that needs no further weights: each face is enlarged, painted over at its native size, and feathered back."""


class FaceRestoration(msgspec.Struct, frozen=True, omit_defaults=True):
    """Mend the faces of a finished picture.

    `model` is REPAINT or the name of a file on the shelf `faces` (GFPGAN, CodeFormer). `weight` is CodeFormer's: 0 mends
    most, 1 keeps most; for REPAINT the denoising strength. `visibility` blends the result over what was there.
    """

    model: str = REPAINT
    weight: float = 0.5
    visibility: float = 1.0

    def __post_init__(self) -> None:
        require(bool(self.model), "Faces are mended by a model; choose one from the list.")
        require(0.0 <= self.weight <= 1.0, f"A face restorer's weight must be between 0 and 1, not {self.weight:g}.")
        require(0.0 <= self.visibility <= 1.0, f"Visibility must be between 0 and 1, not {self.visibility:g}.")
