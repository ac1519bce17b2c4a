"""CUDA's random normals on any device (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3": Philox4x32-10).

Owns the arithmetic only. A seed gives here what it gives in the webui on a graphics card of NVIDIA's.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_WORD = 0xFFFFFFFF
_ROUNDS = 10
_BLOCK = 1 << 14
"""Numbers that are worked on at once on a CPU, so that they stay in its cache."""
_CPU = torch.device("cpu")


def philox_normals(seed: int, draw: int, count: int, *, device: torch.device = _CPU) -> Tensor:
    """The `draw`-th call's `count` normal numbers (fp32) of CUDA's generator seeded with `seed`, 0 to 2^64 - 1."""
    return philox_rows([(seed, draw)], count, device=device)[0]


def philox_rows(streams: Sequence[tuple[int, int]], count: int, *, device: torch.device = _CPU) -> Tensor:
    """Normals (N, count) fp32 for each (seed, draw). Many short rows, or any on a graphics card, cost hardly more than one."""
    words = torch.tensor([[seed & _WORD, seed >> 32 & _WORD, draw] for seed, draw in streams], device=device)
    if device.type != "cpu":
        return _normals(words, torch.arange(count, device=device))
    found, together = torch.empty(len(streams), count), max(1, _BLOCK // max(1, count))
    for start in range(0, count, _BLOCK):
        index = torch.arange(start, min(start + _BLOCK, count))
        for row in range(0, len(streams), together):
            found[row : row + together, start : start + _BLOCK] = _normals(words[row : row + together], index)
    return found


def _normals(words: Tensor, index: Tensor) -> Tensor:
    """Normals (N, K) of `words` (N, 3: key low, key high, draw) at the elements `index` (K,).

    Ten rounds over the counter (draw, 0, index, 0), then Box and Muller's transform. Words live in int64, whose product of
    two words wraps: its upper half is right after a shift and a mask.
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
    # CUDA hands out the sine half of the transform first.
    radius = c0.float().mul_(2**-32).add_(2**-33).log_().mul_(-2).sqrt_()
    angle = c1.float().mul_(2**-32).add_(2**-33).mul_(2 * math.pi)
    return radius.mul_(angle.sin_())
