"""LDSR: a picture four times as large, painted by diffusion beside the small one (Rombach et al. 2021, CompVis' bsr_sr model).

Owns the steps (DDIM with eta 1), the windows of UNet and decoder and what becomes of the picture's size; each window is work for
the loop. The noise always begins at the same seed, so a picture has one enlargement. Refuses to know the file's names (`layout`).
"""

import math
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from torch import Tensor, nn

from inference.engine.bad_file import BadFile
from inference.engine.picture import to_pixels
from inference.engine.upscalers.ldsr_layout import (
    FIRST_STAGE,
    UNET,
    converted,
    decoder_names,
    decoder_sizes,
    unet_names,
    unet_sizes,
)
from inference.engine.upscalers.mosaic import Mosaic
from inference.engine.upscalers.network import Pass, Traits
from inference.engine.upscalers.tiles import Tiling
from inference.engine.weights import WeightsFile
from inference.engine.work import Apply

STEPS, ETA, SCALE = 100, 1.0, 4
WINDOW, STRIDE = 128, 64
"""Latent pixels of a window's side, and from one to the next."""
LIGHTEST, HEAVIEST = 0.01, 0.5
"""Bounds of a window's weights, which are each pixel's distance from the border as a share of the side."""
SEED = 0
UNET_COST, DECODE_COST = 0.1, 1.0
"""A latent pixel through UNet and decoder, in latent pixels through SD's UNet (counted: 0.32 and 3.1 TFLOP a window)."""
_QUANTISED = 2048
"""Latent pixels whose nearest code is looked for at once: 64 MB of distances to 8,192 codes."""


class Denoiser(nn.Module):
    """The UNet: (N, 6, h, w) and timesteps (N,) to noise (N, 3, h, w)."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x: Tensor, timestep: Tensor) -> Tensor:
        """What noise is in the first three channels of `x`; the others are the picture that is enlarged."""
        return self.unet(x, timestep, return_dict=False)[0]


class Decoder(nn.Module):
    """The first stage: latents (N, 3, h, w), brought to the nearest codes, to pixels (N, 3, 4h, 4w) in about [-1, 1]."""

    def __init__(self, first_stage: Any) -> None:
        super().__init__()
        self.first_stage = first_stage

    def forward(self, latent: Tensor) -> Tensor:
        """The pixels. Distances are computed in fp32, of which halves are too coarse to tell 8,192 codes apart."""
        codes = self.first_stage.quantize.embedding.weight
        rows, channels, height, width = latent.shape
        flat = latent.permute(0, 2, 3, 1).reshape(-1, channels).float()
        nearest = [torch.cdist(part, codes.float()).argmin(dim=1) for part in flat.split(_QUANTISED)]
        quantised = codes[torch.cat(nearest)].reshape(rows, height, width, channels).permute(0, 3, 1, 2)
        return self.first_stage.decode(quantised.contiguous(), force_not_quantize=True, return_dict=False)[0]


class Ldsr(nn.Module):
    """The loaded model. `betas` (1000,) fp32 are the noise it was trained with; `steps` is how many it takes."""

    def __init__(self, denoiser: Denoiser, decoder: Decoder, *, betas: Tensor, steps: int = STEPS) -> None:
        super().__init__()
        self.denoiser, self.decoder = denoiser, decoder
        self.steps = steps
        self.traits = Traits("ldsr", SCALE, Tiling(WINDOW, WINDOW - STRIDE))
        self._kept = torch.cumprod(1 - betas.double(), dim=0)

    @property
    def scale(self) -> int:
        """How many times it enlarges what it sees."""
        return SCALE

    def size_after(self, size: tuple[int, int], scale: float) -> tuple[int, int]:
        """Width and height of what `enlarge_once` makes of a picture of `size`: `scale` times, rounded up to fours."""
        width, height = seen_size(size, scale)
        return width * SCALE, height * SCALE

    def calls(self, size: tuple[int, int], scale: float) -> int:
        """How many windows `enlarge_once` asks for: each at every step, and once to be decoded."""
        width, height = padded_size(seen_size(size, scale))
        return len(_origins(width)) * len(_origins(height)) * (len(ddim_timesteps(self.steps)) + 1)

    def enlarge_once(self, picture: Image.Image, scale: float) -> Pass:
        """RGB `picture`, first brought to a quarter of what is wanted, painted four times as large."""
        seen = picture.resize(seen_size(picture.size, scale), Image.Resampling.LANCZOS)
        beside = to_pixels(continued(seen))
        generator = torch.Generator().manual_seed(SEED)
        latent = torch.randn(beside.shape, generator=generator)
        times = ddim_timesteps(self.steps)
        for index in reversed(range(len(times))):
            noise = yield from self._noise_in(latent, beside, times[index])
            before = self._kept[times[index - 1]] if index else self._kept[0]
            latent = ddim_step(latent, noise, self._kept[times[index]], before, generator=generator)
        whole = yield from self._decoded(latent)
        return whole.crop((0, 0, seen.width * SCALE, seen.height * SCALE))

    def _noise_in(self, latent: Tensor, beside: Tensor, timestep: int) -> Generator[Apply, Any, Tensor]:
        """The UNet's estimate for the whole `latent`, window by window, weighted towards their middles."""
        total, weight = torch.zeros_like(latent), torch.zeros(latent.shape[-2:])
        weights = window_weights(WINDOW)
        both, time = torch.cat((latent, beside), dim=1), torch.tensor([timestep])
        for top in _origins(latent.shape[-2]):
            for left in _origins(latent.shape[-1]):
                area = slice(top, top + WINDOW), slice(left, left + WINDOW)
                window = both[:, :, area[0], area[1]].contiguous()
                answer = yield Apply(self.denoiser, (window, time), cost=UNET_COST * WINDOW * WINDOW)
                total[:, :, area[0], area[1]] += answer.cpu() * weights
                weight[area] += weights
        return total / weight

    def _decoded(self, latent: Tensor) -> Pass:
        height, width = latent.shape[-2:]
        mosaic = Mosaic((width * SCALE, height * SCALE), band=WINDOW * SCALE, rounded=False)
        weights = window_weights(WINDOW * SCALE)
        for top in _origins(height):
            mosaic.close(top * SCALE)
            for left in _origins(width):
                window = latent[:, :, top : top + WINDOW, left : left + WINDOW].contiguous()
                answer = yield Apply(self.decoder, (window,), cost=DECODE_COST * WINDOW * WINDOW)
                mosaic.lay((answer[0] + 1) / 2, weights, left=left * SCALE, top=top * SCALE)
        return mosaic.finished()


def seen_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """To what a picture of `size` is brought before it is painted four times as large, to be enlarged `scale` times in all."""
    width, height = (max(1, math.ceil(side * scale / SCALE)) for side in size)
    return width, height


def padded_size(size: tuple[int, int]) -> tuple[int, int]:
    """`size` rounded up to whole strides, and at least a window."""
    width, height = (max(WINDOW, -(-side // STRIDE) * STRIDE) for side in size)
    return width, height


def continued(picture: Image.Image) -> Image.Image:
    """RGB `picture` at its padded size: its last column and row go on to the right and below."""
    width, height = padded_size(picture.size)
    missing = (0, height - picture.height), (0, width - picture.width), (0, 0)
    return Image.fromarray(np.pad(np.asarray(picture), missing, mode="edge"))


def _origins(length: int) -> list[int]:
    return list(range(0, length - WINDOW + 1, STRIDE))


def window_weights(side: int) -> Tensor:
    """Weights (side, side) fp32 of a window: how far a pixel is from the border, as a share of the side, within bounds."""
    line = torch.arange(side, dtype=torch.float32) / (side - 1)
    distance = torch.minimum(line, 1 - line)
    return torch.minimum(distance[:, None], distance[None, :]).clamp(LIGHTEST, HEAVIEST)


def ddim_timesteps(steps: int, *, trained: int = 1000) -> list[int]:
    """Timesteps of DDIM, rising: every so many trained ones, and one more (Song et al. 2020, as CompVis counts them)."""
    return [min(t + 1, trained - 1) for t in range(0, trained, max(1, trained // steps))]


def ddim_step(latent: Tensor, noise: Tensor, now: Tensor, before: Tensor, *, generator: torch.Generator) -> Tensor:
    """From the level at which `now` of the picture is kept (alpha bar) to the one at which `before` is, with eta `ETA`."""
    a, b = float(now), float(before)
    sigma = ETA * math.sqrt((1 - b) / (1 - a) * (1 - a / b))
    clean = (latent - math.sqrt(1 - a) * noise) / math.sqrt(a)
    fresh = torch.randn(latent.shape, generator=generator)
    return math.sqrt(b) * clean + math.sqrt(max(0.0, 1 - b - sigma**2)) * noise + sigma * fresh


def load_ldsr(file: WeightsFile, *, steps: int = STEPS) -> Ldsr:
    """The model in `file`, with what `project.yaml` beside it says. Raises BadFile."""
    from diffusers import UNet2DModel, VQModel

    said = read_project(file.path.with_name("project.yaml"))
    sizes, first = unet_sizes(file.shapes), decoder_sizes(file.shapes)
    attends = sizes.attention
    try:
        unet = UNet2DModel(
            in_channels=6,
            out_channels=3,
            layers_per_block=sizes.layers,
            block_out_channels=sizes.channels,
            down_block_types=tuple("AttnDownBlock2D" if level else "DownBlock2D" for level in attends),
            up_block_types=tuple("AttnUpBlock2D" if level else "UpBlock2D" for level in reversed(attends)),
            attention_head_dim=said["num_head_channels"],
        )
        stage = VQModel(
            block_out_channels=first.channels,
            down_block_types=("DownEncoderBlock2D",) * len(first.channels),
            up_block_types=("UpDecoderBlock2D",) * len(first.channels),
            layers_per_block=first.layers,
            latent_channels=first.latent,
            num_vq_embeddings=first.codes,
            vq_embed_dim=first.latent,
        )
        del stage.encoder, stage.quant_conv
        unet.load_state_dict(_part(file, UNET, unet_names(sizes), head=said["num_head_channels"]))
        stage.load_state_dict(_part(file, FIRST_STAGE, decoder_names(first), head=1))
    except (RuntimeError, ValueError, KeyError) as error:
        raise BadFile("looks like LDSR, but its weights do not fit together; download it again.") from error
    ends = math.sqrt(said["linear_start"]), math.sqrt(said["linear_end"])
    betas = torch.linspace(*ends, 1000, dtype=torch.float64) ** 2
    return Ldsr(Denoiser(unet), Decoder(stage), betas=betas, steps=steps)


def _part(file: WeightsFile, prefix: str, names: Mapping[str, str], *, head: int) -> dict[str, Tensor]:
    read = ((name.removeprefix(prefix), file.read(name)) for name in file if name.startswith(prefix))
    state = converted(read, names, head=head)
    for name, value in state.items():
        if not bool(value.isfinite().all()):
            raise BadFile(f"is damaged: “{name}” holds numbers that are none (NaN or infinite); download it again.")
    return state


_PUBLISHED: Mapping[str, Any] = {"linear_start": 0.0015, "linear_end": 0.0155, "num_head_channels": 32}
"""What the published project.yaml says."""
_MAX_PROJECT = 1 << 20


def read_project(path: Path) -> dict[str, Any]:
    """Noise and width of heads that `project.yaml` gives; the published ones where there is no file. Raises BadFile."""
    if not path.exists():
        return dict(_PUBLISHED)
    text = path.read_bytes()[:_MAX_PROJECT]
    try:
        params = yaml.safe_load(text)["model"]["params"]
        unet = params.get("unet_config", {}).get("params", {})
        said = {
            "linear_start": float(params.get("linear_start", _PUBLISHED["linear_start"])),
            "linear_end": float(params.get("linear_end", _PUBLISHED["linear_end"])),
            "num_head_channels": int(unet.get("num_head_channels", _PUBLISHED["num_head_channels"])),
        }
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadFile("has a project.yaml beside it that is not the one of LDSR; download that again too.") from error
    if not (0 < said["linear_start"] < said["linear_end"] < 1 and 1 <= said["num_head_channels"] <= 1024):
        raise BadFile("has a project.yaml beside it whose numbers make no model; download that again too.")
    return said
