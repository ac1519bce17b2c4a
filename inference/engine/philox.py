"""CUDA's random normals on any device (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3": Philox4x32-10).

Owns the arithmetic only. A seed gives here what it gives in the webui on a graphics card of NVIDIA's: the same words on
every device, from one of two ways to work them out. torch's is for graphics cards; numpy's takes half its time on a CPU.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_WORD = 0xFFFFFFFF
_ROUNDS = 10
_BLOCK = 1 << 14
"""Numbers that are worked on at once on a CPU: few enough for its cache, enough that calls cost less than numbers."""
_FACTORS = tuple(map(np.uint64, _MULTIPLIERS))
_CPU = torch.device("cpu")
Array = Any


def philox_normals(seed: int, draw: int, count: int, *, device: torch.device = _CPU) -> Tensor:
    """The `draw`-th call's `count` normal numbers (fp32) of CUDA's generator seeded with `seed`, 0 to 2^64 - 1."""
    return philox_rows([(seed, draw)], count, device=device)[0]


def philox_rows(streams: Sequence[tuple[int, int]], count: int, *, device: torch.device = _CPU) -> Tensor:
    """Normals (N, count) fp32 for each (seed, draw). Many short rows, or any on a graphics card, cost hardly more than one."""
    if device.type != "cpu":
        words = torch.tensor([[seed & _WORD, seed >> 32 & _WORD, draw] for seed, draw in streams], device=device)
        return _normals(words, torch.arange(count, device=device))
    found = np.empty((2, len(streams), count), np.float32)
    together = max(1, _BLOCK // max(1, count))
    room = np.empty((6, min(_BLOCK, len(streams) * max(1, count))), np.uint64)
    for start in range(0, count, _BLOCK):
        index = np.arange(start, min(start + _BLOCK, count), dtype=np.uint64)
        for row in range(0, len(streams), together):
            found[:, row : row + together, start : start + _BLOCK] = _words(streams[row : row + together], index, room)
    first, second = torch.from_numpy(found)
    return _transformed(first, second)


def _normals(words: Tensor, index: Tensor) -> Tensor:
    """Normals (N, K) of `words` (N, 3: key low, key high, draw) at the elements `index` (K,), by torch alone.

    Ten rounds over the counter (draw, 0, index, 0). Words live in int64, whose product of two words wraps: its upper half is
    right after a shift and a mask.
    """
    low, high, draws = words.unsqueeze(-1).unbind(1)
    c0, c2 = torch.broadcast_tensors(draws, index)
    c1 = c3 = torch.zeros_like(index)
    for _ in range(_ROUNDS):
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0 = (second >> 32).bitwise_and_(_WORD).bitwise_xor_(c1).bitwise_xor_(low)
        c2 = (first >> 32).bitwise_and_(_WORD).bitwise_xor_(c3).bitwise_xor_(high)
        c1, c3 = second.bitwise_and_(_WORD), first.bitwise_and_(_WORD)
        low, high = low + _WEYL[0] & _WORD, high + _WEYL[1] & _WORD
    return _transformed(c0.float(), c1.float())


def _transformed(first: Tensor, second: Tensor) -> Tensor:
    """Box and Muller's transform of words, which are lost; CUDA hands out its sine half first."""
    radius = first.mul_(2**-32).add_(2**-33).log_().mul_(-2).sqrt_()
    angle = second.mul_(2**-32).add_(2**-33).mul_(2 * math.pi)
    return radius.mul_(angle.sin_())


class _Halves:
    """Words of 64 bits, and views of their halves of 32 (on a machine that stores the lower half first, as all do today)."""

    def __init__(self, whole: Array) -> None:
        halves = whole.view(np.uint32)
        self.whole, self.lower, self.upper = whole, halves[..., ::2], halves[..., 1::2]

    def become(self, factor: Array, number: int) -> None:
        """The product of `factor`, words of which only the lower half is used, and a multiplier."""
        np.multiply(factor, _FACTORS[number], out=self.whole)


def _words(streams: Sequence[tuple[int, int]], index: Array, room: Array) -> tuple[Array, Array]:
    """The two words (N, K) that make a normal number, of `streams` at `index` (K,). `room` is (6, N·K or more) uint64.

    The same ten rounds, of which the first two are worked out only once for what all elements of a row or all rows share,
    and of the last only what is read. Halves of a product are read where they lie.
    """
    shape = len(streams), len(index)
    c0, c2, *space = (_Halves(part[: shape[0] * shape[1]].reshape(shape)) for part in room)
    first, last_first, second, last_second = space
    lows, highs = (
        _keys([seed >> shift for seed, _ in streams], weyl) for shift, weyl in ((0, _WEYL[0]), (32, _WEYL[1]))
    )
    by_index, by_draw = _Halves(index * _FACTORS[1]), _Halves(_column([draw for _, draw in streams]) * _FACTORS[0])
    by_both = _Halves((by_draw.upper ^ highs[0].lower) * _FACTORS[1])
    c0.whole.fill(0)  # from here on the upper halves of both stay zero
    c2.whole.fill(0)
    np.bitwise_xor(by_index.upper, lows[0].lower, out=c0.lower)
    last_first.become(c0.whole, 0)
    np.bitwise_xor(by_index.lower, by_both.upper ^ lows[1].lower, out=c0.lower)
    np.bitwise_xor(last_first.upper, by_draw.lower ^ highs[1].lower, out=c2.lower)
    np.copyto(last_second.lower, by_both.lower)
    for low, high in zip(lows[2:-1], highs[2:-1], strict=True):
        first.become(c0.whole, 0)
        second.become(c2.whole, 1)
        np.bitwise_xor(second.upper, last_second.lower, out=c0.lower)
        np.bitwise_xor(first.upper, last_first.lower, out=c2.lower)
        np.bitwise_xor(c0.whole, low.whole, out=c0.whole)
        np.bitwise_xor(c2.whole, high.whole, out=c2.whole)
        first, last_first, second, last_second = last_first, first, last_second, second
    second.become(c2.whole, 1)
    np.bitwise_xor(second.upper, last_second.lower, out=c0.lower)
    np.bitwise_xor(c0.whole, lows[-1].whole, out=c0.whole)
    return c0.lower, second.lower


def _keys(begin: Sequence[int], weyl: int) -> list[_Halves]:
    """Keys (N, 1) of every round."""
    return [_Halves(_column([word + weyl * number & _WORD for word in begin])) for number in range(_ROUNDS)]


def _column(words: Sequence[int]) -> Array:
    return np.array(words, np.uint64).reshape(-1, 1)
