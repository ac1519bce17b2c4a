"""The noise levels a model was trained at: Stable Diffusion's own, those a checkpoint brings, and the webui's variants.

Owns the way between sigmas and timesteps. Refuses to know samplers and prompts.
"""

from bisect import bisect_right
from functools import cached_property

import torch
from torch import Tensor

from inference.api.sampling import Sampling
from inference.engine.guidance import NoiseLevels

TRAINED = 1000
"""Timesteps a model is trained at."""
TERMINAL_ALPHA = 4.8973451890853435e-08
"""What a zero-terminal-SNR table ends with instead of 0, so that the largest sigma is finite (webui)."""
_CONSISTENCY_STRIDE = 20


def default_alphas() -> Tensor:
    """Stable Diffusion's noise table: betas linear in their root from 0.00085 to 0.012; (1000,) fp32."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, TRAINED, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


def zero_terminal(alphas_cumprod: Tensor) -> Tensor:
    """`alphas_cumprod` shifted and scaled so that it ends (almost) without signal (Lin et al. 2023, arXiv 2305.08891).

    In the table's own precision, as the webui does: the last sigmas are so steep that its rounding shows.
    """
    root = alphas_cumprod.sqrt()
    scaled = (root - root[-1]) * (root[0] / (root[0] - root[-1]))
    table = scaled**2
    table[-1] = TERMINAL_ALPHA
    return table


class ModelTable:
    """The noise levels of a model: `alphas_cumprod` (1000,) falling, fp32 or the webui's old half precision.

    `sigmas` rise with the timestep. `xl` says that published tables for SDXL are meant. A `snapped` table knows only the
    timesteps that it holds. Entry i is timestep `first` + i·`stride`.
    """

    def __init__(
        self, alphas_cumprod: Tensor, *, xl: bool = False, snapped: bool = False, first: int = 0, stride: int = 1
    ) -> None:
        self.alphas_cumprod, self.xl, self.snapped = alphas_cumprod, xl, snapped
        self._first, self._stride = first, stride
        self._levels = NoiseLevels(alphas_cumprod)

    @cached_property
    def sigmas(self) -> Tensor:
        """Of every entry, rising, in the table's own precision."""
        return ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()

    @cached_property
    def logs(self) -> Tensor:
        """Natural logarithms of `sigmas`, fp32 (of a table in half precision rounded to that first)."""
        return self.sigmas.log().float()

    @cached_property
    def _between(self) -> list[float]:
        """Where one entry ends to be the nearest (in ln sigma) and the next begins."""
        logs = self.logs.double()
        return ((logs[1:] + logs[:-1]) / 2).tolist()

    def timestep(self, sigma: float) -> float:
        """Timestep of `sigma`, held at both ends: between two entries by ln sigma, or of a snapped table the nearest's."""
        if self.snapped:
            return float(self._first + self._stride * bisect_right(self._between, float(torch.tensor(sigma).log())))
        return self._first + self._stride * self._levels.timestep(sigma)

    def sigma(self, timesteps: Tensor) -> Tensor:
        """Sigmas at fractional `timesteps`, interpolated in ln sigma, fp32."""
        place = ((timesteps - self._first) / self._stride).clamp(0, len(self.logs) - 1)
        return torch.lerp(self.logs[place.floor().long()], self.logs[place.ceil().long()], place.frac()).exp()

    def consistency(self) -> "ModelTable":
        """The fifty entries that latent consistency models were distilled at (Luo et al. 2023): 19, 39 … 999."""
        first = _CONSISTENCY_STRIDE - 1
        alphas = self.alphas_cumprod[first::_CONSISTENCY_STRIDE].float()
        return ModelTable(alphas, xl=self.xl, snapped=True, first=first, stride=_CONSISTENCY_STRIDE)


def table_of(alphas_cumprod: Tensor, sampling: Sampling, *, xl: bool = False) -> ModelTable:
    """The table that `sampling` asks for, made from a checkpoint's `alphas_cumprod` (1000,) fp32."""
    alphas = alphas_cumprod.half() if sampling.downcast_alphas else alphas_cumprod
    if sampling.zero_terminal_snr:
        alphas = zero_terminal(alphas.float())  # half precision holds no number as small as its end
    return ModelTable(alphas, xl=xl, snapped=sampling.quantize)
