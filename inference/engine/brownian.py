"""Brownian paths for the SDE samplers: noise that depends on a picture's seed and on noise levels, never on the steps taken.

The path is the one that torchsde 0.2.6's BrownianTree walks (Li et al. 2020, "Scalable Gradients for Stochastic
Differential Equations", §4: a tree of bridges whose seeds are split from one), with the webui's numbers at its nodes. Ours
draws from either of our generators, and a whole descent at once. Owns the tree; refuses to know samplers.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from inference.engine.philox import philox_rows

_DIGITS = 6
"""Decimals to which noise levels are told apart (torchsde's tolerance of 1e-6)."""
_POOL = 24
_CPU = torch.device("cpu")


class BrownianPath:
    """The path of one picture: `__call__` gives its increments, normalised; `low` < `high` are noise levels.

    `entropy` is the picture's seed, `shape` (…, C, h, w) of a draw, `source` as in NoiseStream; numbers are on `device`.
    """

    def __init__(
        self,
        entropy: int,
        low: float,
        high: float,
        shape: tuple[int, ...],
        *,
        source: Literal["gpu", "cpu"] = "gpu",
        device: torch.device = _CPU,
    ) -> None:
        self._entropy, self._shape, self._source, self._device = entropy, shape, source, device
        self._low, self._high = _single(low), _single(high)
        (total,) = self._draws([_seeds(entropy)])
        self._total = total * math.sqrt(self._high - self._low)
        self._known: dict[float, Tensor] = {}

    def __call__(self, sigma: float, following: float) -> Tensor:
        """(W(following) - W(sigma)) / sqrt(|following - sigma|): of unit variance, fp32, zeros where both are one level."""
        begin, end = _single(sigma), _single(following)
        if begin == end:
            return torch.zeros(self._shape, device=self._device)
        ends = [round(min(max(level, self._low), self._high), _DIGITS) for level in (begin, end)]
        self._known = {level: self._known[level] if level in self._known else self._position(level) for level in ends}
        before, after = (self._known[level] for level in ends)
        return (after - before).div_(math.sqrt(abs(end - begin))).float()

    def _position(self, level: float) -> Tensor:
        """W at `level` (fp64), by bridges from both ends down to it; W is 0 at the lower end.

        The ways down are known before a number is drawn, so that all are drawn at once.
        """
        low, high = round(self._low, _DIGITS), round(self._high, _DIGITS)
        if level in (low, high):
            return self._total if level == high else torch.zeros_like(self._total)
        seeds: list[int] = []
        bridges: list[tuple[float, float, float]] = []
        key = depth = 0
        while level != high:
            middle = round(0.5 * (high + low), _DIGITS)
            seeds.append(_seeds(self._entropy, key, depth))
            bridges.append((low, middle, high))
            if level < middle:
                high, key = middle, 2 * key
            elif level > middle:
                low, key = middle, 2 * key + 1
            else:
                high = middle
            depth += 1
        position, increment = torch.zeros_like(self._total), self._total
        for (start, middle, end), normal in zip(bridges, self._draws(seeds), strict=True):
            left, right, whole = middle - start, end - middle, end - start
            first = increment * (left / whole) + normal * math.sqrt(left * right / whole)
            if level > middle:
                position, increment = position + first, increment - first
            else:
                increment = first
        return position + increment

    def _draws(self, seeds: Sequence[int]) -> Tensor:
        """For each seed the first draw of a fresh generator, fp64 (N, *shape)."""
        count = math.prod(self._shape)
        if self._source == "gpu":
            rows = philox_rows([(seed, 0) for seed in seeds], count, device=self._device)
        else:
            generator = torch.Generator()
            rows = torch.stack([torch.randn(count, generator=generator.manual_seed(seed)) for seed in seeds])
        return rows.view(-1, *self._shape).to(self._device, torch.float64)


def _single(value: float) -> float:
    """`value` as the nearest fp32: a path is not smooth, and the webui asks for fp32 noise levels."""
    return float(np.float32(value))


def _seeds(entropy: int, *spawn: int) -> int:
    """Seed of the whole interval's increment, or of the bridge at `spawn` (its place in its row, its depth)."""
    return int(np.random.SeedSequence(entropy, spawn_key=spawn, pool_size=_POOL).generate_state(4)[0])
