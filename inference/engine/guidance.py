"""How several answers of the network become one denoised estimate: guidance, AND weights, and their relatives.

Owns the arithmetic between a sampler's sigma and the UNet (AUTOMATIC1111 webui v1.10.1's model wrapper and CFG denoiser).
Refuses to know how rows are batched and where prompts come from.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from inference.api.request import Guidance
from inference.engine.regions import Regions

Prediction = Literal["epsilon", "v_prediction"]


class NoiseLevels:
    """The noise levels a model was trained at; `alphas_cumprod` is (T,) fp32, falling."""

    def __init__(self, alphas_cumprod: Tensor) -> None:
        sigmas = ((1 - alphas_cumprod) / alphas_cumprod).sqrt()
        self._logs: list[float] = sigmas.log().double().tolist()

    def timestep(self, sigma: float) -> float:
        """Fractional timestep of `sigma`: linear in ln sigma, held at both ends of the table (never rounded)."""
        logs, wanted = self._logs, math.log(sigma)
        if wanted <= logs[0]:
            return 0.0
        if wanted >= logs[-1]:
            return float(len(logs) - 1)
        above = bisect_right(logs, wanted)
        low, high = logs[above - 1], logs[above]
        return above - 1 + (wanted - low) / (high - low)


def input_scale(sigma: float) -> float:
    """What a sampler's x is multiplied with before the network sees it: 1 / sqrt(sigma² + 1)."""
    return 1.0 / math.sqrt(sigma * sigma + 1.0)


def output_scales(sigma: float, prediction: Prediction) -> tuple[float, float]:
    """(a, b) such that D = a·x + b·output: x - sigma·eps, or x/(sigma²+1) - v·sigma/sqrt(sigma²+1)."""
    if prediction == "epsilon":
        return 1.0, -sigma
    return 1.0 / (sigma * sigma + 1.0), -sigma / math.sqrt(sigma * sigma + 1.0)


@dataclass(frozen=True, slots=True)
class Conditions:
    """A prompt (part) as the UNet takes it: `context` (1, 77·k, C); for SDXL `pooled` (1, P) and
    `sizes` (1, 6), of which its refiner has five."""

    context: Tensor
    pooled: Tensor | None = None
    sizes: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What one model call asks of the network. `weights` belong to `parts`; `uncond` None means it is skipped.

    `regions` say where each of the parts guides; None is everywhere.
    """

    parts: tuple[Conditions, ...]
    weights: tuple[float, ...]
    uncond: Conditions | None
    regions: Regions | None = None

    @property
    def rows(self) -> tuple[Conditions, ...]:
        """One entry for each row of the network's batch: what the parts say, each once, then the unconditional one."""
        said = tuple({id(part): part for part in self.parts}.values())
        return said if self.uncond is None else (*said, self.uncond)

    @property
    def base(self) -> int:
        """Number of the row that guidance starts from: the unconditional one, or the first part in its place."""
        return 0 if self.uncond is None else len(self.rows) - 1

    def answers(self, denoised: Tensor) -> Tensor:
        """An estimate for each part (N, C, H, W) from those of `rows`: parts that say the same share one."""
        numbers = {id(row): number for number, row in enumerate(self.rows)}
        places = [numbers[id(part)] for part in self.parts]
        return denoised[: len(places)] if places == list(range(len(places))) else denoised[places]


@dataclass(frozen=True, slots=True)
class Guide:
    """Guidance of one picture. `calls` is how many model calls its sampler is asked for (steps, twice for second order).

    `positive` and `negative` look a call's index (from 0) up in the prompt's schedule. `regions` give AND parts their places.
    """

    settings: Guidance
    calls: int
    positive: Callable[[int], Sequence[tuple[float, Conditions]]]
    negative: Callable[[int], Conditions]
    regions: Regions | None = None

    def ask(self, call: int, level: float) -> Asked:
        """Rows of call `call` at noise `level` (`Evaluate.level`). The unconditional row runs even at CFG scale 1, as in

        the webui, unless it is skipped by Skip Early CFG (call/calls within it) or Negative Guidance minimum sigma (odd
        calls below it, or all).
        """
        weighted = self.positive(call)
        early = self.settings.skip_early > 0 and call / self.calls <= self.settings.skip_early
        asked = call % 2 == 1 or self.settings.min_sigma_uncond_all
        low = asked and level < self.settings.min_sigma_uncond
        return Asked(
            parts=tuple(part for _, part in weighted),
            weights=tuple(weight for weight, _ in weighted),
            uncond=None if early or low else self.negative(call),
            regions=self.regions if self.regions is not None and self.regions.is_on(call) else None,
        )

    def combine(self, asked: Asked, x: Tensor, sigma: float, denoised: Tensor) -> Tensor:
        """Guided estimate (1, C, H, W) from `denoised` (rows of `asked`, C, H, W): D_u + Σ w_i·cfg·f_i·(D_i - D_u).

        f_i is 1, or part i's filter where `asked` has regions. Without an unconditional row the first part stands in for it, so
        that a single prompt gives D = D_c.
        """
        count, base = len(asked.parts), denoised[asked.base : asked.base + 1]
        if count == 1 and asked.regions is None:
            guided = torch.lerp(base, denoised[:1], asked.weights[0] * self.settings.cfg_scale)
        else:
            guided = self._sum(asked, base, denoised, scale=self.settings.cfg_scale)
        if self.settings.rescale > 0:
            single = count == 1 and asked.regions is None
            conditional = denoised[:1] if single else self._sum(asked, base, denoised, scale=1.0)
            return _rescaled(guided, conditional, x, sigma, self.settings.rescale)
        return guided

    @staticmethod
    def _sum(asked: Asked, base: Tensor, denoised: Tensor, *, scale: float) -> Tensor:
        count = len(asked.parts)
        weights = torch.tensor(asked.weights, device=denoised.device).mul_(scale).view(-1, 1, 1, 1)
        if asked.regions is not None:
            weights = weights * asked.regions.filters(count, denoised)
        return base + ((asked.answers(denoised) - base) * weights).sum(0, keepdim=True)


def _rescaled(guided: Tensor, conditional: Tensor, x: Tensor, sigma: float, phi: float) -> Tensor:
    """Bring the guided v back to the conditional v's spread (Lin et al. 2023, "Common Diffusion Noise Schedules", §3.4)."""
    root = math.sqrt(sigma * sigma + 1.0)
    v_guided = (x / (sigma * sigma + 1.0) - guided) * (root / sigma)
    v_conditional = (x / (sigma * sigma + 1.0) - conditional) * (root / sigma)
    rescaled = v_guided * (v_conditional.std() / v_guided.std())
    v = torch.lerp(v_guided, rescaled, phi)
    return x / (sigma * sigma + 1.0) - v * (sigma / root)


def repeat_last(context: Tensor, length: int) -> Tensor:
    """Lengthen `context` (1, L, C) to `length` tokens by repeating its last vector (what AND parts of unequal length get)."""
    missing = length - context.shape[1]
    return context if missing <= 0 else torch.cat((context, context[:, -1:].expand(-1, missing, -1)), dim=1)
