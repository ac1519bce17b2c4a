"""Where the noise of a picture comes from: one stream a picture, the same on every machine.

"gpu" is CUDA's generator computed anywhere (`philox`), so that a seed gives what it gives in the webui; "cpu" is torch's
Mersenne twister. Owns streams, variations and seed resizing; the paths of SDE samplers are in `brownian`.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from inference.api.request import Seeds
from inference.engine.brownian import BrownianPath
from inference.engine.philox import philox_rows

_CPU = torch.device("cpu")
_AHEAD = 8
"""Draws that a graphics card makes at once: a hundred small kernels cost as much for eight as for one."""


class NoiseStream:
    """Normal numbers of one picture, draw after draw, as fp32 on `device`.

    `entropy` is the picture's own seed where the stream goes on from another (ENSD): what `brownian` begins from.
    """

    def __init__(
        self,
        seed: int,
        source: Literal["gpu", "cpu"] = "gpu",
        *,
        device: torch.device = _CPU,
        entropy: int | None = None,
    ) -> None:
        self._source: Literal["gpu", "cpu"] = source
        self._seed, self._device = seed % (1 << 64), device
        self._entropy = seed if entropy is None else entropy
        self._draws, self._count = 0, 0
        self._ready: deque[Tensor] = deque()
        self._generator = torch.Generator().manual_seed(seed) if source == "cpu" else None

    def next(self, shape: Sequence[int]) -> Tensor:
        """The next draw, of any shape; a draw counts as one, however large it is."""
        if self._generator is not None:
            return torch.randn(tuple(shape), generator=self._generator).to(self._device)
        count = math.prod(shape)
        if count != self._count:
            self._ready.clear()
            self._count = count
        if not self._ready:
            ahead = 1 if self._device.type == "cpu" or not self._draws else _AHEAD
            numbers = range(self._draws, self._draws + ahead)
            self._ready.extend(philox_rows([(self._seed, number) for number in numbers], count, device=self._device))
        self._draws += 1
        return self._ready.popleft().view(*shape)

    def brownian(self, low: float, high: float, shape: Sequence[int]) -> BrownianPath:
        """The picture's Brownian path between the noise levels `low` and `high`; draws of this stream do not move it."""
        return BrownianPath(self._entropy, low, high, tuple(shape), source=self._source, device=self._device)


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


def initial_noise(
    seeds: Seeds, index: int, shape: Sequence[int], *, ensd: int = 0, device: torch.device = _CPU
) -> tuple[Tensor, NoiseStream]:
    """First noise (1, C, h, w) of picture `index`, and the stream its sampler goes on with, both on `device`.

    Pictures have seed + index, or one seed and variation_seed + index where a variation is asked. `ensd` (eta noise seed
    delta) begins the sampler's stream anew at seed + ensd.
    """
    varied = seeds.variation_strength > 0
    seed = seeds.seed if varied else seeds.seed + index
    stream = NoiseStream(seed, seeds.source, device=device)
    drawn = stream.next(shape)
    first = drawn
    small = shape if seeds.resize_from is None else (*shape[:-2], *(side // 8 for side in seeds.resize_from[::-1]))
    if varied or seeds.resize_from is not None:
        first = NoiseStream(seed, seeds.source, device=device).next(small)
    if varied:
        other = NoiseStream(seeds.variation_seed + index, seeds.source, device=device).next(small)
        first = slerp(seeds.variation_strength, first, other)
    if tuple(small) != tuple(shape):
        first = _pasted(first, drawn.clone())
    if ensd:
        stream = NoiseStream(seed + ensd, seeds.source, device=device, entropy=seed)
    return first, stream


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
