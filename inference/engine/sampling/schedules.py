"""Noise levels from first to last: which sigmas a sampler visits. Each function is one row of the catalogue."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from inference.engine.noise_table import TRAINED, ModelTable
from inference.engine.sampling.anchors import ALIGN_YOUR_STEPS, ALIGN_YOUR_STEPS_32, GITS, Anchors


@dataclass(frozen=True, slots=True)
class Range:
    """How many sigmas, and between which. `rho` 0 is the schedule's own; `alpha` and `beta` are the beta distribution's."""

    steps: int
    low: float
    high: float
    rho: float = 0.0
    alpha: float = 0.6
    beta: float = 0.6


Schedule = Callable[[ModelTable, Range], Sequence[float]]


def uniform(table: ModelTable, span: Range) -> list[float]:
    """Even steps in time, from the last trained timestep to the first, whatever the range."""
    first, last = (table.timestep(float(table.sigmas[end])) for end in (-1, 0))
    return [*table.sigma(torch.linspace(first, last, span.steps)).tolist(), 0.0]


def normal(table: ModelTable, span: Range) -> list[float]:
    """Even steps in time between the ends of the range (ComfyUI's)."""
    first, last = table.timestep(span.high), table.timestep(span.low)
    return [*table.sigma(torch.linspace(first, last, span.steps)).tolist(), 0.0]


def sgm_uniform(table: ModelTable, span: Range) -> list[float]:
    """One step more than asked, of which the last is left out (Stability AI's generative models)."""
    first, last = table.timestep(span.high), table.timestep(span.low)
    return [*table.sigma(torch.linspace(first, last, span.steps + 1)[:-1]).tolist(), 0.0]


def karras(table: ModelTable, span: Range) -> list[float]:
    """Karras et al. 2022, equation 5, rho 7: more steps at low noise."""
    del table
    rho = span.rho or 7.0
    first, last = span.high ** (1 / rho), span.low ** (1 / rho)
    return [*((first + torch.linspace(0, 1, span.steps) * (last - first)) ** rho).tolist(), 0.0]


def exponential(table: ModelTable, span: Range) -> list[float]:
    """Even steps in ln sigma."""
    del table
    return [*torch.linspace(math.log(span.high), math.log(span.low), span.steps).exp().tolist(), 0.0]


def polyexponential(table: ModelTable, span: Range) -> list[float]:
    """Steps in ln sigma along a ramp to the power of rho, 1 if none is given (k-diffusion)."""
    del table
    ramp = torch.linspace(1, 0, span.steps) ** (span.rho or 1.0)
    low, high = math.log(span.low), math.log(span.high)
    return [*(ramp * (high - low) + low).exp().tolist(), 0.0]


def kl_optimal(table: ModelTable, span: Range) -> list[float]:
    """Even steps in arctan sigma (Sabour et al. 2024, theorem 3.1); it ends at the lowest sigma, not at 0."""
    del table
    low, high = torch.tensor(span.low).atan(), torch.tensor(span.high).atan()
    share = torch.arange(span.steps + 1) / span.steps
    return (share * low + (1.0 - share) * high).tan().tolist()


def simple(table: ModelTable, span: Range) -> list[float]:
    """Every so many entries of the model's table, from the noisiest."""
    trained = table.sigmas.tolist()
    stride = len(trained) / span.steps
    return [*(trained[-(1 + int(number * stride))] for number in range(span.steps)), 0.0]


def ddim(table: ModelTable, span: Range) -> list[float]:
    """Entries 1, 1 + k … of the model's table, k = ⌊entries/steps⌋: may be one or two more than asked (webui)."""
    trained = table.sigmas.tolist()
    return [*trained[1 :: max(len(trained) // span.steps, 1)][::-1], 0.0]


def beta(table: ModelTable, span: Range) -> list[float]:
    """Quantiles of the beta distribution in sigma, not in time as elsewhere (Lee et al. 2024, as the webui has it)."""
    from scipy.special import betaincinv  # scipy takes half a second to import, and few ask for this schedule

    del table
    shares = betaincinv(span.alpha, span.beta, 1 - np.linspace(0, 1, span.steps))
    return [*torch.from_numpy(span.low + shares * (span.high - span.low)).float().tolist(), 0.0]


def turbo(table: ModelTable, span: Range) -> list[float]:
    """Whole timesteps, evenly from the last (Forge's, for SDXL Turbo)."""
    times = torch.arange(1, span.steps + 1).flip(0) * float(TRAINED / span.steps) - 1
    return [*table.sigma(times.round().clamp(0, TRAINED - 1)).tolist(), 0.0]


def anchored(anchors: Anchors) -> Schedule:
    """A published table, resampled evenly in ln sigma where another number of steps is asked."""

    def schedule(table: ModelTable, span: Range) -> list[float]:
        levels = anchors.sdxl if table.xl else anchors.sd1
        if span.steps != len(levels):
            places = np.linspace(0, 1, len(levels))
            logs = np.interp(np.linspace(0, 1, span.steps), places, np.log(levels[::-1]))
            levels = np.exp(logs)[::-1].tolist()
        return [*torch.tensor(levels).tolist(), 0.0]

    return schedule


SCHEDULES: dict[str, Schedule] = {
    "uniform": uniform,
    "karras": karras,
    "exponential": exponential,
    "polyexponential": polyexponential,
    "sgm_uniform": sgm_uniform,
    "kl_optimal": kl_optimal,
    "align_your_steps": anchored(ALIGN_YOUR_STEPS),
    "simple": simple,
    "normal": normal,
    "ddim": ddim,
    "beta": beta,
    "turbo": turbo,
    "align_your_steps_gits": anchored(GITS),
    "align_your_steps_11": anchored(ALIGN_YOUR_STEPS),
    "align_your_steps_32": anchored(ALIGN_YOUR_STEPS_32),
}
"""The catalogue's schedules; "automatic" is resolved before. Each gives its sigmas with the final 0, where it has one."""


def ddim_timesteps(steps: int) -> list[int]:
    """1, 1 + k, 1 + 2k … below 1000, k = ⌊1000/steps⌋: one more than asked where 1000 is no multiple (webui)."""
    return [min(timestep + 1, TRAINED - 1) for timestep in range(0, TRAINED, max(TRAINED // steps, 1))]
