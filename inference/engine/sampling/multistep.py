"""Samplers that remember slopes of earlier steps: Adams and Bashforth's method in its variants. One call a step."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor

from inference.engine.sampling.knobs import Knobs, Noise
from inference.engine.work import Evaluate, Sampling

ADAMS = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
"""Adams and Bashforth's weights for steps of equal length, newest slope first, by how many slopes there are."""
_INTEGRATED_AT, _INTEGRATED_WEIGHT = np.polynomial.legendre.leggauss(2)
_DEIS_ORDER, _DEIS_POINTS = 3, 10_000
_EDM_LOW, _EDM_HIGH, _EDM_EPSILON = 0.002, 80.0, 1e-3


def lms(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Linear multistep of order four, weights integrated in sigma (k-diffusion's lms)."""
    del knobs, noise
    slopes: deque[Tensor] = deque(maxlen=4)
    for number, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluate(x, sigma)
        slopes.appendleft((x - denoised) / sigma)
        known = np.array(sigmas[: number + 1][::-1][: len(slopes)])
        # Two points of Gauss are exact for the cubic polynomials of order four.
        at = (following - sigma) / 2 * _INTEGRATED_AT + (following + sigma) / 2
        weights = lagrange(known, at) @ _INTEGRATED_WEIGHT * ((following - sigma) / 2)
        x = x + _weighed(slopes, weights)
    return x


def ipndm(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Improved pseudo linear multistep (Zhang and Chen 2022) with Adams' weights, however unequal the steps (Forge's)."""
    del knobs, noise
    slopes: deque[Tensor] = deque(maxlen=4)
    for sigma, following in pairwise(sigmas):
        denoised = yield Evaluate(x, sigma)
        slopes.appendleft((x - denoised) / sigma)
        x = x + _weighed(slopes, ADAMS[len(slopes) - 1]) * (following - sigma)
    return x


def ipndm_v(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """The same with weights for steps of unequal length (Forge's, whose formulas are not quite Adams')."""
    del knobs, noise
    slopes: deque[Tensor] = deque(maxlen=4)
    for number, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluate(x, sigma)
        slopes.appendleft((x - denoised) / sigma)
        lengths = [sigmas[place + 1] - sigmas[place] for place in range(number, number - len(slopes), -1)]
        x = x + _weighed(slopes, _unequal(lengths)) * (following - sigma)
    return x


def _unequal(lengths: Sequence[float]) -> tuple[float, ...]:
    """Weights of ipndm_v for the last one to four step `lengths`, newest first."""
    if len(lengths) == 1:
        return (1.0,)
    h, h1 = lengths[:2]
    ratio = h / h1
    first, second = (2 + ratio) / 2, -ratio / 2
    if len(lengths) == 2:
        return first, second
    h2 = lengths[2]
    # The product stands inside the difference in the original too; pictures depend on it.
    bend = (1 - h / (3 * (h + h1)) * (h * (h + h1)) / (h1 * (h1 + h2))) / 2
    first, second, third = first + bend, second - (1 + h1 / h2) * bend, bend * h1 / h2
    if len(lengths) == 3:
        return first, second, third
    h3 = lengths[3]
    twist = (
        ((1 - h / (3 * (h + h1))) / 2 + (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2)))
        * (h * (h + h1) * (h + h1 + h2))
        / (h1 * (h1 + h2) * (h1 + h2 + h3))
    )
    fold = h1 * (h1 + h2) / (h2 * (h2 + h3))
    return (
        first + twist,
        second - (1 + h1 / h2 + fold) * twist,
        third + (h1 / h2 + fold * (1 + h2 / h3)) * twist,
        -twist * fold * h1 / h2,
    )


def deis(x: Tensor, sigmas: Sequence[float], knobs: Knobs, noise: Noise) -> Sampling:
    """Diffusion exponential integrator (Zhang and Chen 2022, tAB-DEIS) of order three (Forge's)."""
    del knobs, noise
    slopes: deque[Tensor] = deque(maxlen=_DEIS_ORDER)
    times = _edm_times(np.array(sigmas))
    for number, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluate(x, sigma)
        slopes.appendleft((x - denoised) / sigma)
        if following == 0 or len(slopes) == 1:
            x = x + slopes[0] * (following - sigma)
            continue
        known = times[: number + 1][::-1][: len(slopes)]
        x = x + _weighed(slopes, _deis_weights(known, times[number + 1]))
    return x


def _edm_betas() -> tuple[float, float]:
    """(beta_min, beta_d) of the variance-preserving process between EDM's ends (Karras et al. 2022, table 1)."""
    low, high = np.log(_EDM_LOW**2 + 1), np.log(_EDM_HIGH**2 + 1)
    slope = 2 * (low / _EDM_EPSILON - high) / (_EDM_EPSILON - 1)
    return float(high - 0.5 * slope), float(slope)


def _edm_times(sigmas: Any) -> Any:
    beta_min, beta_d = _edm_betas()
    return (np.sqrt(beta_min**2 + 2 * beta_d * np.log(sigmas**2 + 1)) - beta_min) / beta_d


def _deis_weights(known: Any, end: float) -> Any:
    """Integrals of dσ/dτ times Lagrange's polynomials in time through `known`, newest first, from known[0] to `end`.

    Summed at as many points as the original does, whose small error belongs to its pictures.
    """
    beta_min, beta_d = _edm_betas()
    at = np.linspace(known[0], end, _DEIS_POINTS)
    alpha = np.exp(-0.5 * at**2 * beta_d - at * beta_min)
    speed = 0.5 * (at * beta_d + beta_min) / np.sqrt(alpha * (1 - alpha))
    return lagrange(known, at) @ speed * ((end - known[0]) / _DEIS_POINTS)


def lagrange(known: Any, at: Any) -> Any:
    """Lagrange's basis polynomials of the points `known` (K,) at the places `at` (N,): (K, N)."""
    rows = []
    for number, point in enumerate(known):
        others = np.delete(known, number)
        rows.append(np.prod((at[None, :] - others[:, None]) / (point - others)[:, None], axis=0))
    return np.stack(rows)


def _weighed(slopes: deque[Tensor], weights: Sequence[float]) -> Tensor:
    total = slopes[0] * float(weights[0])
    for slope, weight in list(zip(slopes, weights, strict=True))[1:]:
        total = total + slope * float(weight)
    return total
