"""Words for parts of the picture: how strongly each AND part guides each cell of a latent, and for how long.

Latent Couple ("two-shot", opparco's extension of the webui) to the cell and to the step. Owns rectangles, weights, soft borders
and the extension's way to count steps. Refuses to know what the words are and how guidance sums them up (`guidance`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from inference.api.catalog import SAMPLERS
from inference.api.regional import Region, Regional
from inference.api.request import GenerationRequest

_STRIDES: Final[Mapping[str, tuple[int, int]]] = {row.id: (row.order, 1) for row in SAMPLERS} | {
    "dpm_fast": (3, 1),
    "dpm_adaptive": (3, 3),
    "plms": (1, 2),
    "unipc": (1, 2),
}
"""By sampler: model calls of a step, and how many calls later the webui's counter shows that a step is finished. Most tell of a
step within its first call; PLMS, UniPC and DPM adaptive at its end."""


def last_finished(call: int, sampler: str) -> int:
    """The webui's `sampling_step` at model call `call` (from 0): the last step that `sampler` told of, 0 before the first."""
    stride, delay = _STRIDES[sampler]
    return max(0, (call - delay) // stride)


def rectangle(region: Region, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns (first, behind the last) of `region` in a latent of `size` (height, width): floors, as the extension.

    Multiplied before it is divided, so that a last part ends with the picture (15 / 11 · 11 is a little below 15).
    """
    rows, columns = (
        (math.floor(side * first / count), math.floor(side * last / count))
        for side, count, (first, last) in zip(size, region.divisions, (region.rows, region.columns), strict=True)
    )
    return rows, columns


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """The regions of one pass. The feather is counted in pixels of `canvas` (width, height), steps as `sampler` makes them."""

    regional: Regional
    canvas: tuple[int, int]
    sampler: str
    _made: dict[tuple[int, int, int, str], Tensor] = field(default_factory=dict[tuple[int, int, int, str], Tensor])

    def is_on(self, call: int) -> bool:
        """Whether they guide model call `call`: end + 1 steps, none for an end of 0."""
        return last_finished(call, self.sampler) < self.regional.end_step

    def filters(self, count: int, like: Tensor) -> Tensor:
        """What the guidance of each of `count` AND parts is multiplied by: (count, 1, h, w) fp32 for latents as `like`.

        Parts beyond the regions guide everywhere, regions beyond the parts nothing.
        """
        height, width = like.shape[-2:]
        key = count, height, width, str(like.device)
        if key not in self._made:
            masks = [self._mask(region, (height, width)) for region in self.regional.regions[:count]]
            masks += [torch.ones(height, width)] * (count - len(masks))
            self._made[key] = torch.stack(masks).unsqueeze(1).to(like.device)
        return self._made[key]

    def _mask(self, region: Region, size: tuple[int, int]) -> Tensor:
        """`region` on (height, width) cells: its weight inside, 0 outside, a slope between where there is a feather."""
        across, down = self.canvas
        sides = [
            _profile(side, edges, fade=self.regional.feather * side / pixels)
            for side, edges, pixels in zip(size, rectangle(region, size), (down, across), strict=True)
        ]
        return region.weight * torch.outer(*sides)


def regions_of(request: GenerationRequest, *, sampler: str) -> Regions | None:
    """The regions of `request` in a pass of `sampler`; None where it has none."""
    if request.regional is None:
        return None
    return Regions(request.regional, (request.canvas.width, request.canvas.height), sampler)


def _profile(length: int, edges: tuple[int, int], *, fade: float) -> Tensor:
    """1 between `edges`, 0 elsewhere (length,) fp32; each edge inside the picture is a slope of `fade` cells around it.

    Neighbours' slopes add up to 1 everywhere, however narrow they are.
    """
    cells = torch.arange(length, dtype=torch.float32) + 0.5

    def risen(edge: int) -> Tensor:
        if edge <= 0 or edge >= length:
            return torch.full_like(cells, float(edge <= 0))
        if not fade:
            return (cells > edge).float()
        return ((cells - edge) / fade + 0.5).clamp(0, 1)

    return risen(edges[0]) - risen(edges[1])
