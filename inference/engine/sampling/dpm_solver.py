"""DPM-Solver of third order (Lu et al. 2022, arXiv 2206.00927): with a fixed number of calls, and choosing its own steps.

These need only the ends of a schedule. λ = -ln sigma; eps is the noise in x, (x - D) / sigma.
"""

import math
from collections.abc import Generator
from typing import Any

import torch
from torch import Tensor

from inference.engine.sampling.knobs import Knobs, Noise, Span, ancestral_step
from inference.engine.work import Evaluate, Sampling

Pair = Generator[Evaluate, Any, tuple[Tensor, Tensor]]
_RELATIVE, _ABSOLUTE = 0.05, 0.0078
_FIRST_STEP, _SAFETY = 0.05, 0.81
_MOST_STEPS = 1_000
"""An adaptive descent of a network takes a few dozen; one that takes so many has lost its way."""


def dpm_fast(x: Tensor, span: Span, knobs: Knobs, noise: Noise) -> Sampling:
    """DPM-Solver-fast (§3.4): steps of order three and a shorter rest."""
    high, low, calls = span.high, span.low, span.calls
    count = calls // 3 + 1
    orders = [3] * (count - 2) + [2, 1] if calls % 3 == 0 else [3] * (count - 1) + [calls % 3]
    ends = [high * (low / high) ** (number / count) for number in range(count + 1)]
    for order, sigma, following in zip(orders, ends, ends[1:], strict=False):
        down, up = _split(sigma, following, low=low, eta=knobs.eta)
        eps = (x - (yield Evaluate(x, sigma))) / sigma
        if order == 1:
            x = _first(x, eps, sigma, down)
        elif order == 2:
            x, _ = yield from _second(x, eps, sigma, down)
        else:
            _, x = yield from _third(x, eps, sigma, down)
        x = x + noise(sigma, following) * (up * knobs.s_noise)
    return x


def dpm_adaptive(x: Tensor, span: Span, knobs: Knobs, noise: Noise) -> Sampling:
    """DPM-Solver-12/23's adaptive steps (appendix C.3), its step held by k-diffusion's integral controller.

    A picture's error is measured over all of x, so pictures that should not share steps must not share x.
    """
    # As in k-diffusion, the controller counts an order of 1.5 where noise is added.
    power = 1 / (1.5 if knobs.eta else 3)
    level, end, step, before = -math.log(span.high), -math.log(span.low), _FIRST_STEP, x
    for _ in range(_MOST_STEPS):
        if level >= end - 1e-5:
            break
        target = min(end, level + step)
        sigma, following = math.exp(-level), math.exp(-target)
        down, up = _split(sigma, following, low=span.low, eta=knobs.eta)
        eps = (x - (yield Evaluate(x, sigma))) / sigma
        rough, fine = yield from _third(x, eps, sigma, down)
        bound = (torch.maximum(rough.abs(), before.abs()) * _RELATIVE).clamp(min=_ABSOLUTE)
        error = float(torch.linalg.vector_norm((rough - fine) / bound)) / math.sqrt(x.numel())
        if not math.isfinite(error):
            return fine  # no step is small enough for a network that has broken down; what it gave is seen to later
        factor = 1 + math.atan((1 / (error + 1e-8)) ** power - 1)
        if factor >= _SAFETY:
            before, level = rough, target
            x = fine + noise(sigma, following) * (up * knobs.s_noise)
        step *= factor
    return x


def _split(sigma: float, following: float, *, low: float, eta: float) -> tuple[float, float]:
    """Where to denoise to, not below `low`, and the noise that leads back to `following`."""
    if not eta:
        return following, 0.0
    down = max(low, ancestral_step(sigma, following, eta)[0])
    return down, math.sqrt(max(0.0, following**2 - down**2))


def _first(x: Tensor, eps: Tensor, sigma: float, following: float) -> Tensor:
    return x - eps * (following * math.expm1(math.log(sigma / following)))


def _second(x: Tensor, eps: Tensor, sigma: float, following: float) -> Pair:
    """Algorithm 4 with r1 = 1/2; the second result is the same as the first, for the callers' sake."""
    h = math.log(sigma / following)
    middle = sigma * math.exp(-h / 2)
    ahead = x - eps * (middle * math.expm1(h / 2))
    eps_middle = (ahead - (yield Evaluate(ahead, middle))) / middle
    result = x - eps_middle * (following * math.expm1(h))
    return result, result


def _third(x: Tensor, eps: Tensor, sigma: float, following: float) -> Pair:
    """Algorithm 5 with r1 = 1/3, r2 = 2/3: the results of second and of third order."""
    h = math.log(sigma / following)
    one, two = sigma * math.exp(-h / 3), sigma * math.exp(-2 * h / 3)
    ahead = x - eps * (one * math.expm1(h / 3))
    eps_one = (ahead - (yield Evaluate(ahead, one))) / one
    base = x - eps * (following * math.expm1(h))
    rough = base - (eps_one - eps) * (following * math.expm1(h) * 3 / 2)
    bend = math.expm1(2 * h / 3) / (2 * h / 3) - 1 if h else 0.0
    ahead = x - eps * (two * math.expm1(2 * h / 3)) - (eps_one - eps) * (two * 2 * bend)
    eps_two = (ahead - (yield Evaluate(ahead, two))) / two
    bend = math.expm1(h) / h - 1 if h else 0.0
    return rough, base - (eps_two - eps) * (following * 3 / 2 * bend)
