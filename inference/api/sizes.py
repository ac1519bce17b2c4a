"""How large a picture becomes: the webui's arithmetic for hires fix (v1.10.1), shared by request, cost and painter."""

import msgspec

LATENT = 8
"""Pixels along a side of one latent pixel, where nobody says otherwise."""


class HiresSize(msgspec.Struct, frozen=True):
    """Sizes (width, height) of hires fix: `target` in pixels before cropping, `crop` and `latent` in latent pixels.

    A latent pixel has `step` pixels along a side.
    """

    target: tuple[int, int]
    crop: tuple[int, int]
    latent: tuple[int, int]
    step: int = LATENT

    @property
    def final(self) -> tuple[int, int]:
        """The finished picture in pixels."""
        return self.latent[0] * self.step, self.latent[1] * self.step


def hires_size(
    first: tuple[int, int], *, scale: float, resize: tuple[int, int] | None, step: int = LATENT
) -> HiresSize:
    """What becomes of a picture of `first` (width, height) pixels.

    `resize` None: both sides times `scale`. One side 0: in proportion. Both: cover it, and crop the latent.
    `step` is the VAE's (8 for Stable Diffusion's own).
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
        crop = (target[0] - wide) // step, (target[1] - high) // step
    latent = target[0] // step - crop[0], target[1] // step - crop[1]
    return HiresSize(target, crop, latent, step)
