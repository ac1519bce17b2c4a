"""How large a picture becomes: the webui's arithmetic for hires fix (v1.10.1), shared by request, cost and painter."""

import msgspec

LATENT = 8
"""Pixels along a side of one latent pixel, by which the webui counts whatever the VAE."""


class HiresSize(msgspec.Struct, frozen=True):
    """Sizes (width, height) of hires fix: `target` in pixels before cropping, `crop` and `latent` in latent pixels."""

    target: tuple[int, int]
    crop: tuple[int, int]
    latent: tuple[int, int]

    @property
    def final(self) -> tuple[int, int]:
        """The finished picture in pixels."""
        return self.latent[0] * LATENT, self.latent[1] * LATENT


def hires_size(first: tuple[int, int], *, scale: float, resize: tuple[int, int] | None) -> HiresSize:
    """What becomes of a picture of `first` (width, height) pixels.

    `resize` None: both sides times `scale`. One side 0: in proportion. Both: cover it, and crop the latent.
    """
    width, height = first
    wide, high = resize or (0, 0)
    crop = (0, 0)
    if wide == high == 0:
        target = int(width * scale), int(height * scale)
    elif high == 0:
        target = wide, wide * height // width
    elif wide == 0:
        target = high * width // height, high
    else:
        target = (wide, wide * height // width) if width / height < wide / high else (high * width // height, high)
        crop = (target[0] - wide) // LATENT, (target[1] - high) // LATENT
    latent = target[0] // LATENT - crop[0], target[1] // LATENT - crop[1]
    return HiresSize(target, crop, latent)
