"""The calls that cost: UNet, VAE and upscaler, each for a whole batch, and what to do when memory runs out.

Owns stacking, scaling and dtypes. Refuses to know jobs: it is handed rows and gives rows back.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from inference.api.request import Sampling
from inference.engine import vae
from inference.engine.bad_file import BrokenModel
from inference.engine.control.nets import SteeringNet
from inference.engine.control.residuals import Inputs, steering
from inference.engine.control.units import Control
from inference.engine.guidance import Conditions, NoiseLevels, Prediction, input_scale, output_scales
from inference.engine.noise_table import ModelTable, default_alphas, table_of
from inference.engine.tiling import wrap_edges
from inference.engine.token_merging import merge_tokens

T = TypeVar("T")
_NO_NUMBERS = (
    "The model answered with numbers that are none (NaN), so there is no picture; "
    "a lower CFG scale, LoRAs at lower strengths or another checkpoint can help."
)
_NO_PIXELS = "The network answered with numbers that are none (NaN), so there is no picture; choose another one."


def _stay_bare() -> None:
    """Nothing to put on."""


@dataclass(frozen=True, slots=True, eq=False)
class PaintingModel:
    """What a picture is painted with. `unet` and `vae` are diffusers modules; `vae_scale` is what latents are multiplied by.

    `wear` dresses the UNet in `adapters` (LoRAs), which other pictures of the same checkpoint need not share; so it is with
    `tiling` and `merging`, the share of its tokens that merge. `alphas_cumprod` (1000,) fp32 is what it was trained with;
    `xl` says that it is an SDXL. `controls` are the nets of the request's units, in order, None where one does not act.
    """

    unet: Any
    vae: Any
    vae_scale: float
    prediction: Prediction
    levels: NoiseLevels
    adapters: Hashable = ()
    wear: Callable[[], None] = _stay_bare
    tiling: bool = False
    merging: float = 0.0
    alphas_cumprod: Tensor = field(default_factory=default_alphas)
    xl: bool = False
    controls: tuple[SteeringNet | None, ...] = ()

    @property
    def device(self) -> torch.device:
        """Where it is painted."""
        return next(self.unet.parameters()).device

    @property
    def downsampling(self) -> int:
        """Pixels along a side of one latent pixel (8 for Stable Diffusion's own VAE)."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def channels(self) -> int:
        """Channels of a latent."""
        return int(self.vae.config.latent_channels)

    def table_of(self, sampling: Sampling) -> ModelTable:
        """Its noise levels, as `sampling` wants them."""
        return table_of(self.alphas_cumprod, sampling, xl=self.xl)

    @property
    def sees_mask(self) -> bool:
        """Whether the UNet was made for inpainting: beside x it sees the mask and what is left of the source."""
        return int(self.unet.config.in_channels) == 2 * self.channels + 1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a UNet batch: `x` (1, C, H, W) fp32 at `sigma`, seen under `conditions`, beside `hint` if it has one.

    `timestep` is what the network is told; None is the one at which the model was trained with `sigma`. `controls` steer it.
    """

    x: Tensor
    sigma: float
    conditions: Conditions
    timestep: float | None = None
    hint: Tensor | None = None
    controls: tuple[Control, ...] = ()


@dataclass(slots=True)
class Forwards:
    """Runs batches. `calls` counts UNet, VAE and upscaler forwards since the start; it moves when one begins and ends."""

    calls: int = 0
    _stacked: tuple[tuple[Conditions, ...], Tensor, dict[str, Tensor] | None] | None = field(default=None)

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
        """Denoised estimates (N, C, H, W) fp32 of `rows`, which agree in shape and context length."""
        device = rows[0].x.device
        context, added = self._conditions(tuple(row.conditions for row in rows))
        x = torch.cat([row.x for row in rows])
        table = torch.tensor(
            [
                (
                    input_scale(row.sigma),
                    model.levels.timestep(row.sigma) if row.timestep is None else row.timestep,
                    *output_scales(row.sigma, model.prediction),
                )
                for row in rows
            ],
            dtype=torch.float32,
        ).to(device, non_blocking=True)
        scale, timestep, keep, weight = table.unbind(1)
        self.calls += 1
        model.wear()
        wrap_edges(model.unet, on=model.tiling)
        merge_tokens(model.unet, ratio=model.merging)
        seen = x * scale.view(-1, 1, 1, 1)
        steered: dict[str, Any] = {}
        if any(row.controls for row in rows):
            inputs = Inputs(seen.to(context.dtype), timestep, context, added)
            steered = steering([row.controls for row in rows], inputs, config=model.unet.config)
        if rows[0].hint is not None:
            seen = torch.cat((seen, torch.cat([row.hint for row in rows if row.hint is not None])), dim=1)
        output = model.unet(
            seen.to(context.dtype),
            timestep,
            encoder_hidden_states=context,
            added_cond_kwargs=added,
            return_dict=False,
            **steered,
        )[0]
        return x.mul_(keep.view(-1, 1, 1, 1)).addcmul_(output.float(), weight.view(-1, 1, 1, 1))

    def _conditions(self, rows: tuple[Conditions, ...]) -> tuple[Tensor, dict[str, Tensor] | None]:
        """Contexts of `rows` in one tensor. A batch mostly has the rows of the one before it: then nothing is copied."""
        last = self._stacked
        if last is not None and len(last[0]) == len(rows) and all(a is b for a, b in zip(last[0], rows, strict=True)):
            return last[1], last[2]
        context = torch.cat([row.context for row in rows])
        added: dict[str, Tensor] | None = None
        if rows[0].pooled is not None:
            added = {
                "text_embeds": torch.cat([row.pooled for row in rows if row.pooled is not None]),
                "time_ids": torch.cat([row.sizes for row in rows if row.sizes is not None]),
            }
        self._stacked = rows, context, added
        return context, added

    def decode(self, model: PaintingModel, latents: Sequence[Tensor]) -> Tensor:
        """Pixels (N, 3, H, W) fp32 of scaled latents (1, C, h, w). Raises BrokenModel where they are no numbers."""
        self.calls += 1
        wrap_edges(model.vae, on=model.tiling)
        pixels = vae.decode(cast("Any", model), torch.cat(list(latents)))
        if bool(pixels.isnan().any()):
            raise BrokenModel(_NO_NUMBERS)
        return pixels

    def encode(self, model: PaintingModel, pixels: Sequence[Tensor]) -> Tensor:
        """Scaled latents (N, C, h, w) fp32 of pixels (1, 3, H, W) in [-1, 1]: the posterior's mode, so nothing is random."""
        self.calls += 1
        wrap_edges(model.vae, on=model.tiling)
        return vae.encode(cast("Any", model), torch.cat(list(pixels)))

    def upscale(self, network: nn.Module, tiles: Sequence[Tensor]) -> Tensor:
        """Enlarged tiles (N, 3, h·s, w·s) of tiles (1, 3, h, w) in [0, 1]."""
        self.calls += 1
        weight = next(network.parameters())
        answer = network(torch.cat(list(tiles)).to(weight.device, weight.dtype))
        if bool(answer.isnan().any()):
            raise BrokenModel(_NO_PIXELS)
        return answer

    def tiles_at_once(self, network: nn.Module, most: int) -> int:
        """How many tiles `network` is given in one call: on a processor one, whose planes its caches hold; two take 1.6 times
        as long as one and one (`benchmarks/upscaling.py`)."""
        return 1 if next(network.parameters()).device.type == "cpu" else most

    def apply(self, network: nn.Module, rows: Sequence[tuple[Tensor, ...]]) -> Tensor:
        """Answers (N, …) fp32 of `network` to `rows` of inputs, each tensor of one row; floats get its weights' dtype."""
        self.calls += 1
        weight = next(network.parameters())
        inputs = [
            torch.cat(column).to(weight.device, weight.dtype if column[0].is_floating_point() else None)
            for column in zip(*rows, strict=True)
        ]
        answer = network(*inputs).float()
        if bool(answer.isnan().any()):
            raise BrokenModel(_NO_PIXELS)
        return answer


class OutOfMemory(Exception):
    """Even one row of this work does not fit the memory."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is a device's or the CPU allocator's way to say that memory ran out."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def within_memory(
    run: Callable[[Sequence[T]], Tensor], items: Sequence[T], *, limit: int, free: Callable[[], bool]
) -> tuple[Tensor, int]:
    """Run `items` in chunks of at most `limit`; where memory runs out, `free` some once, then halve the chunks.

    Returns the answers in order and the chunk size that fitted in the end. Raises OutOfMemory when one alone is too much.
    """
    size, answers, at, may_free = max(1, min(limit, len(items))), list[Tensor](), 0, True
    while at < len(items):
        full = False
        try:
            answers.append(run(items[at : at + size]))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            full = True
        if not full:
            at += size
        elif may_free and free():
            may_free = False
        elif size == 1:
            raise OutOfMemory
        else:
            size, may_free = max(1, size // 2), False
    return (answers[0] if len(answers) == 1 else torch.cat(answers)), size
