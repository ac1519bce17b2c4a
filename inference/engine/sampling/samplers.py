"""The samplers: each a generator that asks for estimates and returns the final latent, in the order of its paper.

x is in k-diffusion's convention (clean + sigma·noise). `draw` gives fresh noise like x.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from inference.engine.sampling.schedules import ModelTable
from inference.engine.work import Evaluate, Sampling


@dataclass(frozen=True, slots=True)
class Knobs:
    """What a person may turn. `eta` scales fresh noise; `churn` and its bounds are Karras et al.'s."""

    eta: float
    s_noise: float = 1.0
    churn: float = 0.0
    churn_from: float = 0.0
    churn_to: float = math.inf


Draw = Callable[[], Tensor]


def euler(x: Tensor, sigmas: Sequence[float], knobs: Knobs, draw: Draw) -> Sampling:
    """Euler's method, with churn (Karras et al. 2022, algorithm 2 without the second-order correction)."""
    for sigma, following in pairwise(sigmas):
        raised = sigma
        if knobs.churn > 0:
            noise = draw()  # drawn even where it is unused: the stream must move as in the webui
            if knobs.churn_from <= sigma <= knobs.churn_to:
                raised = sigma * (1 + min(knobs.churn / (len(sigmas) - 1), math.sqrt(2) - 1))
                x = x + noise * (knobs.s_noise * math.sqrt(raised**2 - sigma**2))
        denoised = yield Evaluate(x, raised)
        x = denoised + (x - denoised) * (following / raised)
    return x


def ancestral_step(sigma: float, following: float, eta: float) -> tuple[float, float]:
    """(down, up): how far to denoise and how much fresh noise to add, so that together they reach `following`."""
    if not eta:
        return following, 0.0
    up = min(following, eta * math.sqrt(following**2 * (sigma**2 - following**2) / sigma**2))
    return math.sqrt(following**2 - up**2), up


def euler_a(x: Tensor, sigmas: Sequence[float], knobs: Knobs, draw: Draw) -> Sampling:
    """Euler's method with ancestral noise (k-diffusion's euler_ancestral)."""
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        down, up = ancestral_step(sigma, following, knobs.eta)
        x = denoised + (x - denoised) * (down / sigma)
        if following > 0:
            x = x + draw() * up
    return x


def dpmpp_2m(x: Tensor, sigmas: Sequence[float], knobs: Knobs, draw: Draw) -> Sampling:
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), in sigma."""
    del knobs, draw
    before: tuple[Tensor, float] | None = None
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        if following == 0:
            x = denoised
            continue
        step = math.log(sigma / following)
        target = denoised
        if before is not None:
            last, last_step = before
            target = denoised + (denoised - last) * (step / (2 * last_step))
        x = x * (following / sigma) - target * math.expm1(-step)
        before = denoised, step
    return x


def ddim(x: Tensor, timesteps: Sequence[int], knobs: Knobs, draw: Draw, table: ModelTable) -> Sampling:
    """DDIM (Song et al. 2021, equation 12). `x` is variance preserving; `timesteps` rise, and the first is never evaluated.

    The result is the latent at the first timestep, as in the webui.
    """
    alphas = table.alphas_cumprod.double()
    for previous, now in reversed(list(pairwise(timesteps))):
        alpha, alpha_previous = float(alphas[now]), float(alphas[previous])
        root, sigma = math.sqrt(alpha), math.sqrt((1 - alpha) / alpha)
        denoised = yield Evaluate(x / root, sigma)
        noise = (x / root - denoised) / sigma
        fresh = knobs.eta * math.sqrt((1 - alpha_previous) / (1 - alpha) * (1 - alpha / alpha_previous))
        x = denoised * math.sqrt(alpha_previous) + noise * math.sqrt(1 - alpha_previous - fresh**2)
        if fresh:
            x = x + draw() * fresh
    return x


SAMPLERS: dict[str, Callable[[Tensor, Sequence[float], Knobs, Draw], Sampling]] = {
    "euler": euler,
    "euler_a": euler_a,
    "dpmpp_2m": dpmpp_2m,
}
"""Samplers that walk down a list of sigmas."""
TIMESTEP_SAMPLERS = {"ddim": ddim}
"""Samplers that walk down a list of timesteps."""
