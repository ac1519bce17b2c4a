"""What a request says about painting a large picture tile by tile over an enlargement of its source.

Two ways: Ultimate SD Upscale (an inpaint per tile, seams mended after) and the webui's older SD upscale (overlapping tiles).
"""

from typing import Literal

import msgspec

from inference.api.errors import require

MIN_TARGET, MAX_TARGET = 64, 8192
MAX_TARGET_PIXELS = 4096 * 4096
"""What still travels as one PNG within a frame of the wire."""
SIZE_STEP = 64
MAX_BAND = 4096
"""A band is as long as the picture and painted in one piece; no canvas has a longer side."""


def _require_target(size: tuple[int, int]) -> None:
    require(
        min(size) >= MIN_TARGET and max(size) <= MAX_TARGET and size[0] * size[1] <= MAX_TARGET_PIXELS,
        f"A tiled upscale makes pictures of {MIN_TARGET} to {MAX_TARGET:,} pixels a side and {MAX_TARGET_PIXELS:,} in all, "
        f"not {size[0]:,} × {size[1]:,}.",
    )


class SeamFix(msgspec.Struct, frozen=True, omit_defaults=True):
    """A further pass over the tiles' borders: bands, half tiles, or half tiles and their intersections."""

    type: Literal["band", "half tile", "intersections"]
    denoising_strength: float = 0.35
    width: int = 64
    mask_blur: int = 4
    padding: int = 16

    def __post_init__(self) -> None:
        require(
            0.0 <= self.denoising_strength <= 1.0, f"Strength must be between 0 and 1, not {self.denoising_strength:g}."
        )
        require(0 <= self.width <= 128, f"A seam's width must be between 0 and 128, not {self.width}.")
        require(0 <= self.mask_blur <= 64, f"A seam's mask blur must be between 0 and 64, not {self.mask_blur}.")
        require(0 <= self.padding <= 128, f"A seam's padding must be between 0 and 128, not {self.padding}.")


class UltimateUpscale(msgspec.Struct, frozen=True, omit_defaults=True, tag="ultimate"):
    """Ultimate SD Upscale to `size` (width, height in pixels). `upscaler` enlarges the source first.

    Of `tile` (width, height) a 0 copies the other side. The strength is the source's.
    """

    size: tuple[int, int]
    upscaler: str = "none"
    order: Literal["linear", "chess", "none"] = "linear"
    tile: tuple[int, int] = (512, 0)
    mask_blur: int = 8
    padding: int = 32
    seams: SeamFix | None = None

    def __post_init__(self) -> None:
        _require_target(self.size)
        require(
            max(self.tile) >= 64 and min(self.tile) >= 0 and max(self.tile) <= 2048,
            f"A tile has 64 to 2,048 pixels a side, not {self.tile[0]} × {self.tile[1]}.",
        )
        require(0 <= self.mask_blur <= 64, f"Mask blur must be between 0 and 64, not {self.mask_blur}.")
        require(0 <= self.padding <= 512, f"Padding must be between 0 and 512, not {self.padding}.")
        require(
            self.order != "none" or self.seams is not None,
            "Neither tiles nor seams would be painted; choose an order of the tiles, or a way to mend seams.",
        )
        require(
            self.seams is None or self.seams.type != "band" or max(self.size) <= MAX_BAND,
            f"Seams are mended in bands on sides of up to {MAX_BAND:,} pixels; choose half tiles for larger pictures.",
        )


class SdUpscale(msgspec.Struct, frozen=True, omit_defaults=True, tag="sd upscale"):
    """The webui's SD upscale: the source enlarged to `size`, cut into tiles of the canvas that share `overlap` pixels."""

    size: tuple[int, int]
    upscaler: str = "none"
    overlap: int = 64

    def __post_init__(self) -> None:
        _require_target(self.size)
        require(0 <= self.overlap <= 256, f"Tiles overlap by 0 to 256 pixels, not {self.overlap}.")


Redraw = UltimateUpscale | SdUpscale
