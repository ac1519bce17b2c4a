"""First-order samplers: Euler's method, alone and with fresh noise."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

from inference.engine.sampling.knobs import Knobs, Noise, ancestral_step, churned
from inference.engine.work import Evaluate, Sampling


def euler(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Euler's method, with churn (Karras et al. 2022, algorithm 2 without the second-order correction)."""
    for sigma, following in pairwise(sigmas):
        x, raised = churned(x, sigma, following, steps=len(sigmas) - 1, knobs=knobs, noise=noise)
        denoised = yield Evaluate(x, raised)
        x = (x - denoised).mul_(following / raised).add_(denoised)
    return x


def euler_a(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Euler's method with ancestral noise (k-diffusion's euler_ancestral)."""
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        down, up = ancestral_step(sigma, following, knobs.eta)
        x = (x - denoised).mul_(down / sigma).add_(denoised)
        if following > 0:
            x.add_(noise(sigma, following) * (up * knobs.s_noise))
    return x


def ddpm(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """The posterior mean and variance of Ho et al. 2020 (algorithm 2), between any two levels (Forge's DDPM)."""
    del knobs
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        whole, rest = 1 / (1 + sigma**2), 1 / (1 + following**2)
        step = whole / rest
        eps = (x - denoised) / sigma
        x = (x * math.sqrt(whole) - eps * ((1 - step) / math.sqrt(1 - whole))) / math.sqrt(step)
        if following > 0:
            x = x + noise(sigma, following) * math.sqrt((1 - step) * (1 - rest) / (1 - whole))
            x = x / math.sqrt(rest)
    return x


def lcm(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Multistep consistency sampling (Luo et al. 2023, algorithm 3): to the clean estimate, and back up with new noise."""
    del knobs
    for sigma, following in pairwise(sigmas):
        x = yield Evaluate(x, sigma)
        if following > 0:
            x = x + noise(sigma, following) * following
    return x
