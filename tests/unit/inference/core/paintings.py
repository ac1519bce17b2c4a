"""A tiny real UNet and VAE, and pictures as bare generators, for tests of the loop that need no checkpoint file."""

from collections.abc import Iterator

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL.Image import Image

from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Seeds
from inference.api.wire import Event, Submit
from inference.engine.forward import PaintingModel
from inference.engine.guidance import Conditions, Guide, NoiseLevels
from inference.engine.job import Prepared, Track
from inference.engine.picture import encode_png, to_picture
from inference.engine.work import Decode, Evaluate, Painting

WIDTH = 16
REQUEST = GenerationRequest(prompt=Prompt("x"), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("m"))


def tiny_model(seed: int = 0) -> PaintingModel:
    """A UNet of width 16 and a VAE of width 8, random but always the same."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(16, 16),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    levels = NoiseLevels((1 - betas).cumprod(0))
    return PaintingModel(unet.eval(), vae.eval(), 0.18215, "epsilon", levels)


def conditions(seed: int, tokens: int = 77) -> Conditions:
    """A random context of `tokens` vectors."""
    return Conditions(torch.randn(1, tokens, WIDTH, generator=torch.Generator().manual_seed(seed)))


def guide(*, cfg_scale: float = 7.0, seed: int = 0, tokens: int = 77, negative_tokens: int = 77) -> Guide:
    """Guidance with one positive and one negative text."""
    positive, negative = conditions(seed, tokens), conditions(1000 + seed, negative_tokens)
    return Guide(Guidance(cfg_scale=cfg_scale), 20, lambda _: ((1.0, positive),), lambda _: negative)


def descent(seed: int, sigmas: tuple[float, ...], finals: list[torch.Tensor], *, side: int = 8) -> Painting:
    """Euler's method over `sigmas`; the last latent is also put into `finals`."""
    x = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(seed)) * sigmas[0]
    for sigma, following in zip(sigmas, (*sigmas[1:], 0.0), strict=True):
        denoised = yield Evaluate(x, sigma)
        x = denoised + (x - denoised) * (following / sigma)
    finals.append(x)
    pixels = yield Decode(x)
    return to_picture(pixels)


def prepared(*tracks: Track, calls: int = 4) -> Prepared:
    """A job of these pictures."""

    def results(pictures: Iterator[Image]) -> tuple[object, ...]:
        return tuple(encode_png(picture, seed=0, infotext="") for picture in pictures)

    return Prepared(list(tracks), calls, "painting", results)  # type: ignore[arg-type]


def submit(job: int, lane: str = "") -> Submit:
    """A Submit of no particular request."""
    return Submit(job, REQUEST, {}, lane)


def kinds(events: list[Event]) -> list[str]:
    """Names of the events' types."""
    return [type(event).__name__ for event in events]
