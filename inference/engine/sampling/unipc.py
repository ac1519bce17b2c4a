"""UniPC (Zhao et al. 2023, arXiv 2302.04867): a predictor of any order and a corrector that costs no further call.

Time runs from 1 to 0.001, the network's timestep is 1000·time - 1; α, σ and λ = ln(α/σ) are those of the variance-
preserving process. Data prediction (x0), as in the webui.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
    clock, order = Clock(table), min(knobs.unipc.order, steps)
    begin = (timesteps[-1] + 1) / TRAINED if knobs.onward else 1.0
    moments = [clock.at(time) for time in clock.times(begin, steps, knobs.unipc.skip)]
    known = [(moments[0], (yield moments[0].call(x)))]
    for number, moment in enumerate(moments[1:], start=1):
        now = min(number, order)
        if knobs.unipc.lower_order_final:
            now = min(now, steps + 1 - number)
        plan = _plan([entry[0] for entry in known[:now]], moment, knobs.unipc.variant)
        last, clean = known[0]
        slopes = [
            (estimate - clean) * (1 / ratio) for (_, estimate), ratio in zip(known[1:now], plan.ratios, strict=True)
        ]
        base = x * (moment.sigma / last.sigma) - clean * (moment.alpha * plan.decay)
        x = base - _weighed(slopes, plan.predictor) * moment.alpha if slopes else base
        if number < steps:
            estimate = yield moment.call(x)
            x = base - _weighed([*slopes, estimate - clean], plan.corrector) * moment.alpha
            known = [(moment, estimate), *known[: order - 1]]
    return x


@dataclass(frozen=True, slots=True)
class Plan:
    """Numbers of one step. `ratios` are the distances in λ of older estimates in parts of the step; the others weights."""

    decay: float
    ratios: tuple[float, ...]
    predictor: tuple[float, ...]
    corrector: tuple[float, ...]


def _plan(known: Sequence[Moment], moment: Moment, variant: str) -> Plan:
    """Weights of the step from known[0], the newest, to `moment`; its order is how many are known."""
    h = moment.lam - known[0].lam
    ratios = tuple((other.lam - known[0].lam) / h for other in known[1:])
    solve = _vary_coefficients if variant == "vary_coeff" else _b_of_h
    predictor, corrector = solve(-h, np.array([*ratios, 1.0]), variant)
    return Plan(math.expm1(-h), ratios, tuple(predictor.tolist()), tuple(corrector.tolist()))


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


def _weighed(parts: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    total = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        total = total + part * weight
    return total
