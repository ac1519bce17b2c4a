"""Second-order samplers that look ahead with further calls: Heun's method, the midpoint methods, and Restart."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

from inference.engine.sampling.knobs import Knobs, Noise, ancestral_step, churned
from inference.engine.work import Evaluate, Sampling

_RESTART_AT, _RESTART_FROM = 0.1, 2.0
"""Restart goes back up from the level nearest to the first to the one nearest to the second."""


def heun(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Heun's method with churn (Karras et al. 2022, algorithm 2)."""
    for sigma, following in pairwise(sigmas):
        x, raised = churned(x, sigma, following, steps=len(sigmas) - 1, knobs=knobs, noise=noise)
        x = yield from _heun_step(x, raised, following)
    return x


def _heun_step(x: Tensor, sigma: float, following: float) -> Sampling:
    denoised = yield Evaluate(x, sigma)
    slope = (x - denoised) / sigma
    ahead = x + slope * (following - sigma)
    if following == 0:
        return ahead
    denoised = yield Evaluate(ahead, following)
    return x + (slope + (ahead - denoised) / following) * ((following - sigma) / 2)


def heunpp2(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Heun++: slopes at up to two levels ahead, weighed by their sigma (Forge's HeunPP2)."""
    for number, (sigma, following) in enumerate(pairwise(sigmas)):
        x, raised = churned(x, sigma, following, steps=len(sigmas) - 1, knobs=knobs, noise=noise)
        levels = [raised, *(level for level in sigmas[number + 1 : number + 3] if level != sigmas[-1])]
        ahead, slopes = x, list[Tensor]()
        for level, lower in pairwise([*levels, levels[-1]]):
            denoised = yield Evaluate(ahead, level)
            slopes.append((ahead - denoised) / level)
            ahead = ahead + slopes[-1] * (lower - level)
        weights = [level / (len(levels) * sigmas[0]) for level in levels[1:]]
        mean = slopes[0] * (1 - sum(weights))
        for slope, weight in zip(slopes[1:], weights, strict=True):
            mean = mean + slope * weight
        x = x + mean * (following - raised)
    return x


def dpm2(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """DPM-Solver-2 in sigma: the slope at the geometric midpoint over the whole step (k-diffusion's dpm_2)."""
    for sigma, following in pairwise(sigmas):
        x, raised = churned(x, sigma, following, steps=len(sigmas) - 1, knobs=knobs, noise=noise)
        x = yield from _midpoint_step(x, raised, following)
    return x


def dpm2_a(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """The same down to where ancestral noise takes over (k-diffusion's dpm_2_ancestral)."""
    for sigma, following in pairwise(sigmas):
        down, up = ancestral_step(sigma, following, knobs.eta)
        x = yield from _midpoint_step(x, sigma, down)
        if down > 0:
            x = x + noise(sigma, following) * (up * knobs.s_noise)
    return x


def _midpoint_step(x: Tensor, sigma: float, following: float) -> Sampling:
    denoised = yield Evaluate(x, sigma)
    slope = (x - denoised) / sigma
    if following == 0:
        return x + slope * (following - sigma)
    middle = math.sqrt(sigma * following)
    ahead = x + slope * (middle - sigma)
    denoised = yield Evaluate(ahead, middle)
    return x + (ahead - denoised) * ((following - sigma) / middle)


def restart(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Restart sampling (Xu et al. 2023, algorithm 2) with Heun's method: noise is added again to mend earlier mistakes."""
    level = math.inf
    for sigma, following in restart_steps(sigmas):
        if sigma > level:
            x = x + noise(level, sigma) * (knobs.s_noise * math.sqrt(sigma**2 - level**2))
        x = yield from _heun_step(x, sigma, following)
        level = following
    return x


def restart_steps(sigmas: Sequence[float]) -> list[tuple[float, float]]:
    """The steps of Restart: those of `sigmas` below 20 of them; else fewer, on Karras' schedule, and the way back down.

    The way is gone once with 9 steps, from 36 steps on twice with a quarter of them each.
    """
    steps = len(sigmas) - 1
    if steps < 20:
        return list(pairwise(sigmas))
    back, times = (9, 1) if steps < 36 else (steps // 4, 2)
    main = [*_karras(steps - back * times, high=sigmas[0], low=sigmas[-2]), 0.0]
    turn = min(range(len(main)), key=lambda place: abs(main[place] - _RESTART_AT))
    top = min(range(len(main)), key=lambda place: abs(main[place] - _RESTART_FROM))
    walk = list(pairwise(main))
    if not 0 < turn < len(main) or top >= turn:
        return walk
    again = list(pairwise(_karras(back + 1, high=main[top], low=main[turn])))
    return [*walk[:turn], *(again * times), *walk[turn:]]


def _karras(steps: int, *, high: float, low: float, rho: float = 7.0) -> list[float]:
    first, last = high ** (1 / rho), low ** (1 / rho)
    return [(first + place / max(1, steps - 1) * (last - first)) ** rho for place in range(steps)]
