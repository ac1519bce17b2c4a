"""Hires fix: what the second pass asks for, and how the first pass's latent or picture grows (webui v1.10.1).

Owns the six ways to stretch a latent, and cropping. Refuses to know of noise and models.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from msgspec.structs import replace
from torch import Tensor

from inference.api.catalog import SAMPLERS
from inference.api.request import GenerationRequest, Guidance, Hires, Sampling
from inference.api.sizes import HiresSize, hires_size

LATENT_UPSCALERS: dict[str, tuple[str, bool]] = {
    "latent": ("bilinear", False),
    "latent_antialiased": ("bilinear", True),
    "latent_bicubic": ("bicubic", False),
    "latent_bicubic_antialiased": ("bicubic", True),
    "latent_nearest": ("nearest", False),
    "latent_nearest_exact": ("nearest-exact", False),
}
"""Ids of the catalogue: torch's mode of interpolation, and whether it is antialiased."""
_ORDER = {row.id: row.order for row in SAMPLERS}


@dataclass(frozen=True, slots=True)
class SecondPass:
    """What the second pass does differently, everything resolved. `before` are the model calls that prompts count first."""

    positive: str
    negative: str
    sampling: Sampling
    guidance: Guidance
    calls: int
    before: int


def second_pass(request: GenerationRequest, hires: Hires) -> SecondPass:
    """Resolve what `hires` leaves out from the first pass of `request`."""
    sampling = replace(
        request.sampling,
        steps=hires.steps or request.sampling.steps,
        sampler=hires.sampler or request.sampling.sampler,
        schedule=hires.schedule or request.sampling.schedule,
    )
    cfg = request.guidance.cfg_scale if hires.cfg_scale is None else hires.cfg_scale
    return SecondPass(
        positive=hires.prompt or request.prompt.positive,
        negative=hires.negative or request.prompt.negative,
        sampling=sampling,
        guidance=replace(request.guidance, cfg_scale=cfg),
        calls=asked_calls(sampling),
        before=asked_calls(request.sampling),
    )


def asked_calls(sampling: Sampling) -> int:
    """Model calls by which prompts count: steps, twice for samplers of second order."""
    return sampling.steps * _ORDER[sampling.sampler]


def size_of(request: GenerationRequest, hires: Hires, *, step: int) -> HiresSize:
    """Sizes of the second pass with a VAE whose latent pixels have `step` pixels along a side."""
    first = request.canvas.width, request.canvas.height
    return hires_size(first, scale=hires.scale, resize=hires.resize, step=step)


def stretched(latent: Tensor, upscaler: str, size: HiresSize) -> Tensor:
    """`latent` (1, C, h, w) brought to the target of `size` by a latent `upscaler`."""
    mode, antialias = LATENT_UPSCALERS[upscaler]
    height, width = size.target[1] // size.step, size.target[0] // size.step
    return F.interpolate(latent, size=(height, width), mode=mode, antialias=antialias)


def cropped(latent: Tensor, size: HiresSize) -> Tensor:
    """`latent` without what `size` cuts off: half on each side, the odd one right and below."""
    across, down = size.crop
    height, width = latent.shape[-2:]
    return latent[:, :, down // 2 : height - (down + 1) // 2, across // 2 : width - (across + 1) // 2]
