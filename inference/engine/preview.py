"""A small picture of what a latent is becoming, from one matrix multiplication: no decoder runs.

SD 1/2 and SDXL have known factors (the webui's "approx cheap"). For any other VAE a least-squares fit over a few drawn
pictures that its own encoder is shown finds them once.
"""

import io
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from inference.engine.forward import PaintingModel

_SD = (512, 512, 256, 128)
_SD1 = ((0.298, 0.207, 0.208), (0.187, 0.286, 0.173), (-0.158, 0.189, 0.264), (-0.184, -0.271, -0.473), (0.0, 0.0, 0.0))
_SDXL = (
    (0.3448, 0.4168, 0.4395),
    (-0.1953, -0.029, 0.025),
    (0.1074, 0.0886, -0.0163),
    (-0.373, -0.2499, -0.2088),
    (0.0, 0.0, 0.0),
)
SIDE = 256
"""Longest side of a preview in pixels."""


@dataclass(slots=True)
class Previews:
    """Draws previews; remembers the factors of the last few VAEs."""

    _factors: dict[int, tuple[Any, Tensor]] = field(default_factory=dict[int, tuple[Any, Tensor]])

    def draw(self, model: PaintingModel, latent: Tensor) -> tuple[bytes, int, int]:
        """JPEG bytes, width and height of scaled `latent` (1, C, h, w)."""
        factors = self._factors_of(model)
        levels = torch.einsum("chw,cr->hwr", latent[0].float().cpu(), factors[:-1]) + factors[-1]
        small = Image.fromarray(((levels + 1) * 127.5).clamp(0, 255).to(torch.uint8).numpy())
        scale = min(model.downsampling, max(1, SIDE // max(small.size)))
        return jpeg_of(small.resize((small.width * scale, small.height * scale), Image.Resampling.BILINEAR))

    def _factors_of(self, model: PaintingModel) -> Tensor:
        known = self._factors.get(id(model.vae))
        if known is not None and known[0] is model.vae:
            return known[1]
        if tuple(model.vae.config.block_out_channels) == _SD[::-1] and model.channels == 4:
            factors = torch.tensor(_SDXL if model.vae_scale < 0.15 else _SD1)
        else:
            factors = fit_factors(model)
        self._factors = {id(model.vae): (model.vae, factors), **dict(list(self._factors.items())[:3])}
        return factors


def jpeg_of(picture: Image.Image) -> tuple[bytes, int, int]:
    """JPEG bytes, width and height of RGB `picture`."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=75)
    return buffer.getvalue(), picture.width, picture.height


def fit_factors(model: PaintingModel) -> Tensor:
    """(C + 1, 3) fp32 factors that map a scaled latent and 1 to RGB in [-1, 1], by least squares over drawn pictures."""
    generator = torch.Generator().manual_seed(0)
    patches = torch.rand(6, 3, 4, 4, generator=generator) * 2 - 1
    smooth = F.interpolate(patches[:3], size=64, mode="bilinear")
    pictures = torch.cat((smooth, F.interpolate(patches[3:], size=64, mode="nearest")))
    encoded = model.vae.encode(pictures.to(model.device, model.vae.dtype), return_dict=False)[0].mode()
    latents = encoded.float().cpu() * model.vae_scale
    wanted = F.adaptive_avg_pool2d(pictures, latents.shape[-2:]).permute(0, 2, 3, 1).reshape(-1, 3)
    seen = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    seen = torch.cat((seen, torch.ones(len(seen), 1)), dim=1)
    # A little ridge keeps a channel that says nothing about colour from getting a huge factor.
    gram = seen.T @ seen + 1e-3 * torch.eye(seen.shape[1])
    return torch.linalg.solve(gram, seen.T @ wanted)
