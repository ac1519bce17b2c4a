"""Where the noise of a picture comes from: one stream a picture, the same on every machine.

"gpu" is CUDA's Philox generator computed on the CPU (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"), so
that a seed gives what it gives in the webui; "cpu" is torch's Mersenne twister. Owns streams, variations and seed resizing.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from inference.api.request import Seeds

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_ROUNDS = 10


def philox_normals(seed: int, draw: int, count: int) -> Tensor:
    """The `draw`-th call's `count` normal numbers (fp32) of CUDA's generator seeded with `seed`."""
    index = np.arange(count, dtype=np.uint64)
    counter = [np.full(count, draw, np.uint64), np.zeros(count, np.uint64), index, np.zeros(count, np.uint64)]
    key = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]
    for _ in range(_ROUNDS):
        first, second = counter[0] * _MULTIPLIERS[0], counter[2] * _MULTIPLIERS[1]
        counter = [
            (second >> _SHIFT) ^ counter[1] ^ np.uint64(key[0]),
            second & _LOW,
            (first >> _SHIFT) ^ counter[3] ^ np.uint64(key[1]),
            first & _LOW,
        ]
        key = [(part + step) & 0xFFFFFFFF for part, step in zip(key, _WEYL, strict=True)]
    # Box and Muller's transform, of which CUDA hands out the sine half first.
    radius = counter[0].astype(np.float32) * np.float32(2**-32) + np.float32(2**-33)
    angle = (counter[1].astype(np.float32) * np.float32(2**-32) + np.float32(2**-33)) * np.float32(2 * np.pi)
    return torch.from_numpy((np.sqrt(np.float32(-2) * np.log(radius)) * np.sin(angle)).astype(np.float32))


class NoiseStream:
    """Normal numbers of one picture, draw after draw."""

    def __init__(self, seed: int, source: Literal["gpu", "cpu"] = "gpu") -> None:
        self._seed, self._draws = seed % (1 << 64), 0
        self._generator = torch.Generator().manual_seed(seed) if source == "cpu" else None

    def next(self, shape: Sequence[int]) -> Tensor:
        """The next draw, fp32 on the CPU, of any shape; a draw counts as one, however large it is."""
        if self._generator is not None:
            return torch.randn(tuple(shape), generator=self._generator)
        self._draws += 1
        return philox_normals(self._seed, self._draws - 1, int(np.prod(shape))).view(*shape)


def slerp(share: float, low: Tensor, high: Tensor) -> Tensor:
    """Spherical interpolation of (B, C, H, W) noise, along the rows of each column as the webui does it.

    Where both point the same way it falls back on a straight mix, whose weights are the wrong way round in the webui; a
    variation must look the same, so here too.
    """
    dot = (low / low.norm(dim=-2, keepdim=True) * (high / high.norm(dim=-2, keepdim=True))).sum(-2, keepdim=True)
    if dot.mean() > 0.9995:
        return low * share + high * (1 - share)
    omega = torch.acos(dot)
    return (torch.sin((1 - share) * omega) * low + torch.sin(share * omega) * high) / torch.sin(omega)


def initial_noise(seeds: Seeds, index: int, shape: Sequence[int], *, ensd: int = 0) -> tuple[Tensor, NoiseStream]:
    """First noise (1, C, h, w) of picture `index`, and the stream its sampler goes on with.

    Pictures have seed + index, or one seed and variation_seed + index where a variation is asked. `ensd` (eta noise seed
    delta) begins the sampler's stream anew at seed + ensd.
    """
    varied = seeds.variation_strength > 0
    seed = seeds.seed if varied else seeds.seed + index
    stream = NoiseStream(seed, seeds.source)
    drawn = stream.next(shape)
    first = drawn
    small = shape if seeds.resize_from is None else (*shape[:-2], *(side // 8 for side in seeds.resize_from[::-1]))
    if varied or seeds.resize_from is not None:
        first = NoiseStream(seed, seeds.source).next(small)
    if varied:
        other = NoiseStream(seeds.variation_seed + index, seeds.source).next(small)
        first = slerp(seeds.variation_strength, first, other)
    if tuple(small) != tuple(shape):
        first = _pasted(first, drawn.clone())
    return first, stream if ensd == 0 else NoiseStream(seed + ensd, seeds.source)


def _pasted(small: Tensor, canvas: Tensor) -> Tensor:
    """`small` in the middle of `canvas`, cropped where it is larger."""
    spans: list[tuple[slice, slice]] = []
    for inner, outer in zip(small.shape[-2:], canvas.shape[-2:], strict=True):
        gap = (outer - inner) // 2
        length = min(inner, outer)
        to, start = max(gap, 0), max(-gap, 0)
        spans.append((slice(to, to + length), slice(start, start + length)))
    (rows, from_rows), (columns, from_columns) = spans
    canvas[..., rows, columns] = small[..., from_rows, from_columns]
    return canvas
