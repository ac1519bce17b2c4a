"""UniPC (Zhao et al. 2023, arXiv 2302.04867): a predictor of any order and a corrector that costs no further call.

Time runs from 1 to 0.001, the network's timestep is 1000·time - 1; α, σ and λ = ln(α/σ) are those of the variance-
preserving process. Data prediction (x0), as in the webui.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from inference.engine.noise_table import TRAINED, ModelTable
from inference.engine.sampling.knobs import Knobs, Noise
from inference.engine.work import Evaluate, Sampling

Vector = Any
_LAST = 1 / TRAINED


class Clock:
    """α, σ and λ at any time between trained timesteps: ln α is linear in time."""

    def __init__(self, table: ModelTable) -> None:
        self._logs = 0.5 * table.alphas_cumprod.double().log().numpy()
        self._times = np.arange(1, len(self._logs) + 1) / len(self._logs)

    def at(self, time: float) -> "Moment":
        """The moment `time`."""
        log_alpha = float(np.interp(time, self._times, self._logs))
        sigma = math.sqrt(-math.expm1(2 * log_alpha))
        return Moment(time, math.exp(log_alpha), sigma, log_alpha - math.log(sigma))

    def of(self, lam: float) -> float:
        """The time at which λ is `lam`."""
        log_alpha = -0.5 * float(np.logaddexp(0.0, -2.0 * lam))
        return float(np.interp(log_alpha, self._logs[::-1], self._times[::-1]))

    def times(self, begin: float, steps: int, skip: str) -> list[float]:
        """`steps` + 1 times from `begin` to the last: evenly, evenly in the root, or evenly in λ."""
        if skip == "logSNR":
            return [self.of(lam) for lam in np.linspace(self.at(begin).lam, self.at(_LAST).lam, steps + 1).tolist()]
        power = 2 if skip == "time_quadratic" else 1
        return (np.linspace(begin ** (1 / power), _LAST ** (1 / power), steps + 1) ** power).tolist()


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, and α, σ and λ there."""

    time: float
    alpha: float
    sigma: float
    lam: float

    def call(self, x: Tensor) -> Evaluate:
        """Ask for the clean estimate of variance-preserving `x` at this moment."""
        return Evaluate(x / self.alpha, self.sigma / self.alpha, timestep=TRAINED * self.time - 1)


def unipc(x: Tensor, timesteps: Sequence[int], knobs: Knobs, noise: Noise, table: ModelTable) -> Sampling:
    """As many steps as `timesteps` has entries, whose values count only for where a picture as source begins."""
    del noise
    steps = len(timesteps)
    if not steps:
        return x
    clock, knob = Clock(table), knobs.unipc
    begin = (timesteps[-1] + 1) / TRAINED if knobs.onward else 1.0
    moments = tuple(clock.at(time) for time in clock.times(begin, steps, knob.skip))
    known = [(yield moments[0].call(x))]
    walk = _steps(moments, min(knob.order, steps), knob.variant, lower_order_final=knob.lower_order_final)
    for number, (moment, step) in enumerate(zip(moments[1:], walk, strict=True), start=1):
        before, x = x, _mixed(x * step.kept, known, step.predictor)
        if number < steps:
            estimate = yield moment.call(x)
            x = _mixed(before * step.kept, [estimate, *known], step.corrector)
            known = [estimate, *known[: knob.order - 1]]
    return x


@dataclass(frozen=True, slots=True)
class Step:
    """One step as weights: of x before it, and of the clean estimates, newest first, of which the corrector has one more."""

    kept: float
    predictor: tuple[float, ...]
    corrector: tuple[float, ...]


@lru_cache(maxsize=16)
def _steps(moments: tuple[Moment, ...], order: int, variant: str, *, lower_order_final: bool) -> tuple[Step, ...]:
    """Every step from one of `moments` to the next: worked out once for all pictures that have them in common."""
    count, found = len(moments) - 1, list[Step]()
    for number in range(1, count + 1):
        now = min(number, order, count + 1 - number) if lower_order_final else min(number, order)
        found.append(_step(moments[number - now : number][::-1], moments[number], variant))
    return tuple(found)


def _step(known: Sequence[Moment], moment: Moment, variant: str) -> Step:
    """The step from known[0], the newest, to `moment`; its order is how many are known.

    The paper weighs differences to the newest estimate, over distances in λ in parts of the step: here each estimate's share
    in all of them.
    """
    last = known[0]
    h = moment.lam - last.lam
    ratios = [(other.lam - last.lam) / h for other in known[1:]]
    solve = _vary_coefficients if variant == "vary_coeff" else _b_of_h
    decay = moment.alpha * math.expm1(-h)
    shares: list[tuple[float, ...]] = []
    for weights in solve(-h, np.array([*ratios, 1.0]), variant):
        parts = (-moment.alpha * weights / np.array([*ratios, 1.0])[: len(weights)]).tolist()
        shares.append((-decay - sum(parts), *parts))
    (newest, *older), (newest_too, *others) = shares
    # The corrector's last difference is of the estimate at `moment` itself, which comes first from now on.
    return Step(moment.sigma / last.sigma, (newest, *older), (others[-1], newest_too, *others[:-1]))


def _b_of_h(h: float, ratios: Vector, variant: str) -> tuple[Vector, Vector]:
    """Weights from R·ρ = b with B(h) = h ("bh1") or e^h - 1 ("bh2") (equation 8 and appendix C)."""
    order = len(ratios)
    scale = h if variant == "bh1" else math.expm1(h)
    goal = np.array([phi * math.factorial(number) / scale for number, phi in enumerate(_phis(h, order)[1:], 1)])
    powers = np.stack([ratios**number for number in range(order)])
    # Of order two the predictor, of order one the corrector has the simple weight of the paper's own code.
    predictor = np.array([0.5]) if order == 2 else np.linalg.solve(powers[:-1, :-1], goal[:-1])
    corrector = np.array([0.5]) if order == 1 else np.linalg.solve(powers, goal)
    return predictor * scale, corrector * scale


def _vary_coefficients(h: float, ratios: Vector, variant: str) -> tuple[Vector, Vector]:
    """Weights that vary with the step (equation 9), with the corrector's last one as the paper's own code has it."""
    del variant
    order = len(ratios)
    phis = np.array(_phis(h, order)[1:])
    table = np.stack([ratios**power / math.factorial(power + 1) for power in range(order)], axis=1)
    inner, outer = np.linalg.inv(table[:-1, :-1]), np.linalg.inv(table)
    newest = phis[order - 1] * outer[max(order - 2, 0), -1]
    return phis[: order - 1] @ inner, np.append(phis[: order - 1] @ outer[: order - 1, :-1], newest)


def _phis(h: float, count: int) -> list[float]:
    """h·φ1(h), h·φ2(h) … of exponential integrators: each is the one before over h, less 1/k!."""
    found = [math.expm1(h)]
    for number in range(1, count + 1):
        found.append(found[-1] / h - 1 / math.factorial(number))
    return found


def _mixed(total: Tensor, parts: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """`total`, which is lost, and as many of `parts` as there are weights."""
    for part, weight in zip(parts, weights, strict=False):
        total = total.add_(part, alpha=weight)
    return total
