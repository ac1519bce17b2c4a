"""Paint with the three networks, from an exported file or from training states: Euler a and guidance, as Easel paints.

It is written for itself, without Easel's engine, so that a fault of one does not hide in the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor

from tools.default_model.drawing import SQUARE
from tools.default_model.export import fold_scale, load_exported
from tools.default_model.painter import signal_levels
from tools.default_model.shapes import GUIDANCE, SCALE, UNET, VAE
from tools.default_model.text import Vocabulary, small_text_model
from tools.default_model.training import Run, load_state
from tools.default_model.vae import FACTOR, to_signal

STEPS = 20  # as in Easel's config.toml
AT_ONCE = 16  # pictures


@dataclass(frozen=True)
class Artist:
    """A UNet, a VAE whose latents have deviation 1 / 0.18215, and sentences to features [N, 77, 128]."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    say: Callable[[list[str]], Tensor]

    @torch.no_grad()
    def paint(
        self, sentences: list[str], *, seed: int, size: tuple[int, int] = SQUARE, cfg: float = GUIDANCE
    ) -> Tensor:
        """Uint8 pictures [N, 3, height, width] of a `size` (width, height); sentence k has the seed `seed + k`."""
        pictures, empty = [], self.say([""])
        for start in range(0, len(sentences), AT_ONCE):
            spoken = self.say(sentences[start : start + AT_ONCE])
            noises = [torch.Generator().manual_seed(seed + start + k) for k in range(len(spoken))]
            latents = euler_a(self.unet, spoken, empty, noises=noises, size=size, cfg=cfg)
            pictures.append(to_pictures(self.vae, latents))
        return torch.cat(pictures)


def from_file(path: Path) -> Artist:
    """The artist in an exported file."""
    unet, vae, text = load_exported(path)
    words = Vocabulary([0])

    @torch.no_grad()
    def say(sentences: list[str]) -> Tensor:
        return text(words.tokens(sentences)).last_hidden_state

    return Artist(unet=unet, vae=vae, say=say)


def from_states(run: Run, *, painter: str = "painter.pt") -> Artist:
    """The artist in the training states of the data folder; the UNet is its moving average."""
    state, text = load_state(run.data / painter), load_state(run.data / "text.pt")
    unet = UNet2DConditionModel(**UNET).eval().requires_grad_(requires_grad=False)
    for parameter, value in zip(unet.parameters(), state["average"], strict=True):
        parameter.copy_(value)
    words = Vocabulary(text["known"])
    speaker = small_text_model(len(words.known)).eval()
    speaker.load_state_dict(text["model"])

    @torch.no_grad()
    def say(sentences: list[str]) -> Tensor:
        return speaker(words.rows(sentences)).last_hidden_state

    return Artist(unet=unet, vae=folded_vae(load_state(run.data / "vae.pt")), say=say)


def folded_vae(state: dict[str, Any]) -> AutoencoderKL:
    """The autoencoder of a training state, with its latents brought to Stable Diffusion's scale."""
    vae = AutoencoderKL(**VAE).eval().requires_grad_(requires_grad=False)
    vae.load_state_dict(fold_scale(state["model"], mean=state["mean"], std=state["std"]))
    return vae


def schedule(steps: int) -> tuple[Tensor, Tensor]:
    """Times [steps] from 999 to 0 and their sigmas [steps + 1], of which the last is 0."""
    levels = signal_levels()
    times = torch.linspace(999, 0, steps)
    table = ((1 - levels) / levels).sqrt()
    low = times.floor().long()
    sigmas = table[low].log().lerp(table[(low + 1).clamp(max=999)].log(), times - low).exp()
    return times, torch.cat([sigmas, sigmas.new_zeros(1)])


@torch.no_grad()
def euler_a(
    unet: UNet2DConditionModel,
    spoken: Tensor,
    empty: Tensor,
    *,
    noises: list[torch.Generator],
    size: tuple[int, int],
    cfg: float,
    steps: int = STEPS,
) -> Tensor:
    """Ancestral Euler (Crowson's k-diffusion); features [N, 77, 128] to latents [N, 4, H, W], one generator a picture."""
    times, sigmas = schedule(steps)
    shape = (4, size[1] // FACTOR, size[0] // FACTOR)
    rows = torch.cat([spoken, empty.expand_as(spoken)])
    x = sigmas[0] * torch.stack([torch.randn(shape, generator=noise) for noise in noises])
    for time, sigma, following in zip(times, sigmas[:-1], sigmas[1:], strict=True):
        width = (1 + sigma**2).sqrt()
        velocity = unet(torch.cat([x, x]) / width, time, rows).sample
        denoised = torch.cat([x, x]) / width**2 - velocity * sigma / width
        asked, free = denoised.chunk(2)
        guided = free + cfg * (asked - free)
        fresh = torch.minimum(following, following * ((sigma**2 - following**2) / sigma**2).sqrt())
        x = guided + (x - guided) * ((following**2 - fresh**2).sqrt() / sigma)
        x = x + fresh * torch.stack([torch.randn(shape, generator=noise) for noise in noises])
    return x


@torch.no_grad()
def to_pictures(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Latents [N, 4, H, W] of the model's scale to uint8 pictures [N, 3, 8 H, 8 W]."""
    made = torch.cat([vae.decode(part / SCALE).sample for part in latents.split(AT_ONCE)])
    return ((made + 1) * 127.5).round().clamp(0, 255).byte()


@torch.no_grad()
def through_vae(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Uint8 pictures after encoding and decoding."""
    latents = [vae.encode(to_signal(part)).latent_dist.mode() * SCALE for part in pictures.split(AT_ONCE)]
    return to_pictures(vae, torch.cat(latents))
