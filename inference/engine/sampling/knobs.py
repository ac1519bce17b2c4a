"""What every sampler is given besides x and its noise levels: what a person may turn, and where fresh noise comes from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from inference.api.sampling import UniPC
from inference.engine.work import Sampling

Noise = Callable[[float, float], Tensor]
"""Standard normal noise like x for a step from one sigma to another. Only SDE samplers' noise depends on the two."""


_UNIPC = UniPC()


@dataclass(frozen=True, slots=True)
class Span:
    """Where a sampler that finds its own way begins and ends (sigmas), and how many calls it may take."""

    high: float
    low: float
    calls: int


@dataclass(frozen=True, slots=True)
class Knobs:
    """What a person may turn. `eta` scales fresh noise; `churn` and its bounds are Karras et al.'s; `unipc` is UniPC's.

    `onward` says that x is a picture noised up to the first level, not noise (img2img).
    """

    eta: float
    s_noise: float = 1.0
    churn: float = 0.0
    churn_from: float = 0.0
    churn_to: float = math.inf
    unipc: UniPC = _UNIPC
    onward: bool = False


SpanSampler = Callable[[Tensor, Span, Knobs, Noise], Sampling]
"""Takes x in the same convention from one sigma to another on a way of its own."""
SigmaSampler = Callable[[Tensor, Sequence[float], Knobs, Noise], Sampling]
"""Walks x (in k-diffusion's convention: clean + sigma·noise) down a falling list of sigmas, and returns it."""


def ancestral_step(sigma: float, following: float, eta: float) -> tuple[float, float]:
    """(down, up): how far to denoise and how much fresh noise to add, so that together they reach `following`."""
    if not eta:
        return following, 0.0
    up = min(following, eta * math.sqrt(max(0.0, following**2 * (sigma**2 - following**2) / sigma**2)))
    return math.sqrt(following**2 - up**2), up


def churned(
    x: Tensor, sigma: float, following: float, *, steps: int, knobs: Knobs, noise: Noise
) -> tuple[Tensor, float]:
    """x raised to a little more noise than `sigma`, and that level (Karras et al. 2022, algorithm 2, lines 5 and 6)."""
    if knobs.churn <= 0:
        return x, sigma
    fresh = noise(sigma, following)  # drawn even where it is unused: the stream must move as in the webui
    if not knobs.churn_from <= sigma <= knobs.churn_to:
        return x, sigma
    raised = sigma * (1 + min(knobs.churn / steps, math.sqrt(2) - 1))
    return x + fresh * (knobs.s_noise * math.sqrt(raised**2 - sigma**2)), raised
