"""Noise levels from first to last: which sigmas a sampler visits. Each function is one row of the catalogue."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class ModelTable:
    """The noise levels a model was trained at. `alphas_cumprod` is (1000,) fp32."""

    alphas_cumprod: Tensor

    @property
    def sigmas(self) -> Tensor:
        """(1000,) fp32, rising."""
        return ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()

    def sigma(self, timesteps: Tensor) -> Tensor:
        """Sigmas at fractional `timesteps`, interpolated in ln sigma."""
        logs = self.sigmas.log()
        low = timesteps.floor().long().clamp(0, len(logs) - 1)
        high = timesteps.ceil().long().clamp(0, len(logs) - 1)
        return torch.lerp(logs[low], logs[high], timesteps.frac()).exp()


@dataclass(frozen=True, slots=True)
class Range:
    """How many sigmas, and between which."""

    steps: int
    low: float
    high: float
    rho: float = 0.0


def uniform(table: ModelTable, span: Range) -> Tensor:
    """Even steps in time, from the last trained timestep to the first."""
    return table.sigma(torch.linspace(len(table.alphas_cumprod) - 1, 0, span.steps))


def karras(table: ModelTable, span: Range) -> Tensor:
    """Karras et al. 2022, equation 5, rho 7: more steps at low noise."""
    del table
    rho = span.rho or 7.0
    first, last = span.high ** (1 / rho), span.low ** (1 / rho)
    return (first + torch.linspace(0, 1, span.steps) * (last - first)) ** rho


SCHEDULES: dict[str, Callable[[ModelTable, Range], Tensor]] = {"uniform": uniform, "karras": karras}
"""The catalogue's schedules; "automatic" is resolved before."""


def sigmas_of(schedule: str, table: ModelTable, span: Range) -> list[float]:
    """The sigmas of `schedule` and a final 0."""
    return [*SCHEDULES[schedule](table, span).tolist(), 0.0]
