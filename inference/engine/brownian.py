"""Brownian paths for the SDE samplers: noise that depends on a picture's seed and on noise levels, never on the steps taken.

The path is the one that torchsde 0.2.6's BrownianTree walks (Li et al. 2020, "Scalable Gradients for Stochastic
Differential Equations", §4: a tree of bridges whose seeds are split from one), with the webui's numbers at its nodes. Ours
draws from either of our generators, and a whole descent at once. Owns the tree; refuses to know samplers.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from inference.engine.philox import philox_rows

_DIGITS = 6
"""Decimals to which noise levels are told apart (torchsde's tolerance of 1e-6)."""
_POOL = 24
_WORD = 0xFFFFFFFF
_BEGIN_A, _MULTIPLY_A, _BEGIN_B, _MULTIPLY_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT = 0xCA01F9DD, 0x4973F715
_SKIP_POOL = pow(_MULTIPLY_A, _POOL, 1 << 32)
_AFTER_POOL = _BEGIN_A * pow(_SKIP_POOL, _POOL, 1 << 32) & _WORD
"""numpy's constants, and its hash constant once a pool is mixed: it moves on with each of 24 × 24 words."""
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
        self._shape, self._source, self._device = shape, source, device
        self._low, self._high = _single(low), _single(high)
        self._tree = _Seeds(entropy)
        self._total = self._draws([self._tree.whole])[0] * math.sqrt(self._high - self._low)
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
            seeds.append(self._tree.bridge(key, depth))
            bridges.append((low, middle, high))
            if level > middle:
                low, key = middle, 2 * key + 1
            else:
                high, key = middle, 2 * key
            depth += 1
        weights = torch.from_numpy(_weights(bridges, level)).to(self._device)
        return torch.tensordot(weights[1:], self._draws(seeds), dims=1) + self._total * weights[0]

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


def _weights(bridges: Sequence[tuple[float, float, float]], level: float) -> Any:
    """What the whole increment and each bridge's normal number add to W at `level`, (1 + bridges,)."""
    position, increment, units = np.zeros(len(bridges) + 1), np.zeros(len(bridges) + 1), np.eye(len(bridges) + 1)
    increment[0] = 1.0
    for (start, middle, end), unit in zip(bridges, units[1:], strict=True):
        left, right, whole = middle - start, end - middle, end - start
        first = increment * (left / whole) + unit * math.sqrt(left * right / whole)
        if level > middle:
            position, increment = position + first, increment - first
        else:
            increment = first
    return position + increment


class _Seeds:
    """Seeds of a tree: the first words of numpy's SeedSequence (O'Neill 2015, "Developing a seed_seq Alternative").

    numpy mixes its whole pool anew for each bridge. Of that only the first word matters here, and only what the bridge's
    own place adds to it, which is a hundred times faster.
    """

    def __init__(self, entropy: int) -> None:
        self._first = int(np.random.SeedSequence(entropy, pool_size=_POOL).pool[0])

    @property
    def whole(self) -> int:
        """Seed of the increment over everything."""
        return self._out(self._first)

    def bridge(self, key: int, depth: int) -> int:
        """Seed of the bridge that is number `key` of its `depth`."""
        value, constant = self._first, _AFTER_POOL
        for word in (*_words(key), depth):
            mixed = (word ^ constant) * (constant * _MULTIPLY_A & _WORD) & _WORD
            value = (_MIX_LEFT * value - _MIX_RIGHT * (mixed ^ mixed >> 16)) & _WORD
            value ^= value >> 16
            constant = constant * _SKIP_POOL & _WORD
        return self._out(value)

    @staticmethod
    def _out(value: int) -> int:
        value = (value ^ _BEGIN_B) * (_BEGIN_B * _MULTIPLY_B & _WORD) & _WORD
        return value ^ value >> 16


def _words(number: int) -> list[int]:
    """`number` in words of 32 bits, lowest first."""
    return [number & _WORD, *(_words(number >> 32) if number >> 32 else ())]
