"""Between pixels and latents: the VAE in half precision with a way out, and VAEs from files of their own.

Owns decoding, encoding and loading. Refuses to choose: `inference.api.lookup.choose_vae` does.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from inference.api.result import ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint, load_vae_weights, read_config
from inference.engine.families import share_latents
from inference.engine.weights import WeightsFile


@torch.inference_mode()
def decode(checkpoint: Checkpoint, latents: Tensor) -> Tensor:
    """Pixels (B, 3, H, W) fp32, about [-1, 1], of scaled `latents` (B, C, H/8, W/8).

    A half-precision VAE that answers with NaN is turned to fp32 for good, and asked again (webui's way).
    """
    return _steadily(checkpoint.vae, latents / checkpoint.vae_scale, lambda vae, x: vae.decode(x).sample)


@torch.inference_mode()
def encode(checkpoint: Checkpoint, pixels: Tensor) -> Tensor:
    """Scaled latents (B, C, H/8, W/8) fp32 of `pixels` (B, 3, H, W) in [-1, 1]: the posterior's mode, never a draw."""
    mode = _steadily(checkpoint.vae, pixels, lambda vae, x: vae.encode(x).latent_dist.mode())
    return mode * checkpoint.vae_scale


def _steadily(vae: Any, x: Tensor, run: Callable[[Any, Tensor], Tensor]) -> Tensor:
    """`run` on the VAE in its own precision; in fp32 from then on if the answer holds NaN. fp32 answer."""
    weight = next(vae.parameters())
    answer = run(vae, x.to(weight.device, weight.dtype)).float()
    if weight.dtype != torch.float32 and bool(answer.isnan().any()):
        vae.to(torch.float32)
        answer = run(vae, x.to(weight.device, torch.float32))
    return answer


def load_vae(info: ModelFile, *, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> AutoencoderKL:
    """The VAE in the file of `info`, with the widths of `checkpoint`'s.

    Raises BrokenModel when the file is damaged, of another shape, or made for another family.
    """
    family = checkpoint.family
    if not share_latents(info.family, family.id):
        raise BrokenModel(
            f"The VAE “{info.name}” is made for another family than the {family.label} model “{checkpoint.info.name}”; "
            "choose Automatic."
        )
    config = read_config(Path(checkpoint.info.path), family)["vae"]
    try:
        with WeightsFile(Path(info.path)) as file:
            prefix = "first_stage_model." if any(key.startswith("first_stage_model.") for key in file) else ""
            return load_vae_weights(file, config, device=device, dtype=dtype, prefix=prefix)
    except BadFile as error:
        raise BrokenModel(f"The VAE “{info.name}” cannot be used: it {error}") from error
    except OSError as error:
        raise BrokenModel(f"The VAE “{info.name}” cannot be read: {error.strerror or error}.") from error


def with_vae(checkpoint: Checkpoint, vae: AutoencoderKL) -> Checkpoint:
    """`checkpoint` with another VAE; UNet and text encoders are shared with it."""
    return replace(checkpoint, vae=vae)
