"""The DPM-Solver++ family (Lu et al. 2022, arXiv 2211.01095) in sigma: deterministic, ancestral, and as SDEs.

λ = -ln sigma; h is a step in λ.
"""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

from torch import Tensor

from inference.engine.sampling.knobs import Knobs, Noise, ancestral_step
from inference.engine.work import Evaluate, Sampling


def dpmpp_2m(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """DPM-Solver++(2M) (algorithm 2)."""
    del knobs, noise
    before: tuple[Tensor, float] | None = None
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        if following == 0:
            x = denoised
            continue
        h = math.log(sigma / following)
        target = denoised
        if before is not None:
            last, last_h = before
            target = denoised + (denoised - last) * (h / (2 * last_h))
        x = x * (following / sigma) - target * math.expm1(-h)
        before = denoised, h
    return x


def dpmpp_2s_a(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """DPM-Solver++(2S) (algorithm 1, midpoint) down to where ancestral noise takes over."""
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        down, up = ancestral_step(sigma, following, knobs.eta)
        if down == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * down)
            denoised = yield Evaluate(_towards(x, denoised, middle / sigma), middle)
            x = _towards(x, denoised, down / sigma)
        if following > 0:
            x = x + noise(sigma, following) * (up * knobs.s_noise)
    return x


def dpmpp_sde(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """DPM-Solver++ as an SDE (k-diffusion's dpmpp_sde): midpoint in λ, fresh noise at both calls."""
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        if following == 0:
            x = denoised
            continue
        middle = math.sqrt(sigma * following)
        down, up = ancestral_step(sigma, middle, knobs.eta)
        ahead = _towards(x, denoised, down / sigma) + noise(sigma, middle) * (up * knobs.s_noise)
        denoised = yield Evaluate(ahead, middle)
        down, up = ancestral_step(sigma, following, knobs.eta)
        x = _towards(x, denoised, down / sigma) + noise(sigma, following) * (up * knobs.s_noise)
    return x


def _towards(x: Tensor, denoised: Tensor, share: float) -> Tensor:
    """x with only `share` of its distance from `denoised`."""
    return denoised + (x - denoised) * share


def _dpmpp_2m_sde(
    x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise, *, solver: Literal["midpoint", "heun"]
) -> Sampling:
    """SDE-DPM-Solver++(2M) (appendix B.2)."""
    before: tuple[Tensor, float] | None = None
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        if following == 0:
            x = denoised
            continue
        h = math.log(sigma / following)
        reach = h * (1 + knobs.eta)
        x = x * (following / sigma * math.exp(-knobs.eta * h)) - denoised * math.expm1(-reach)
        if before is not None:
            last, last_h = before
            bend = -math.expm1(-reach) / 2 if solver == "midpoint" else 1 + math.expm1(-reach) / reach
            x = x + (denoised - last) * (bend * h / last_h)
        x = _with_noise(x, sigma, following, knobs=knobs, noise=noise)
        before = denoised, h
    return x


dpmpp_2m_sde = partial(_dpmpp_2m_sde, solver="midpoint")
dpmpp_2m_sde_heun = partial(_dpmpp_2m_sde, solver="heun")


def dpmpp_3m_sde(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """SDE-DPM-Solver++ of third order from memory (k-diffusion's dpmpp_3m_sde)."""
    known: list[tuple[Tensor, float]] = []
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        if following == 0:
            x = denoised
            continue
        h = math.log(sigma / following)
        reach = h * (1 + knobs.eta)
        x = x * math.exp(-reach) - denoised * math.expm1(-reach)
        phi_2 = 1 + math.expm1(-reach) / reach
        if len(known) == 1:
            ((last, last_h),) = known
            x = x + (denoised - last) * (phi_2 * h / last_h)
        elif known:
            (last, last_h), (oldest, oldest_h) = known
            r0, r1 = last_h / h, oldest_h / h
            first, second = (denoised - last) / r0, (last - oldest) / r1
            curve = (first - second) / (r0 + r1)
            x = x + (first + curve * r0) * phi_2 - curve * (phi_2 / reach - 0.5)
        x = _with_noise(x, sigma, following, knobs=knobs, noise=noise)
        known = [(denoised, h), *known[:1]]
    return x


def _with_noise(x: Tensor, sigma: float, following: float, *, knobs: Knobs, noise: Noise) -> Tensor:
    """x and the noise that the SDE gathers on the way from `sigma` to `following`."""
    if not knobs.eta:
        return x
    spread = math.sqrt(-math.expm1(-2 * knobs.eta * math.log(sigma / following)))
    return x + noise(sigma, following) * (following * spread * knobs.s_noise)
