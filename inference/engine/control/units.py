"""One control at work on the rows of a picture: its net, its map, and how strongly it acts where and on what.

Owns what is computed once and kept: the map as the net reads it, the region at each size. Refuses to know batches.
"""

from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from inference.engine.control.nets import SteeringNet


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """`hint` is the fitted map (1, 3, H, W) fp32: 0 to 1, and -1 where an inpainting ControlNet sees nothing.

    `scales` are for its residuals (or an adapter's features) in their order. `wanted_only`: it does not act on the negative
    prompt's rows. `region` (1, 1, H, W) in [0, 1] weighs it from place to place. Pictures of one job share the object.
    """

    net: SteeringNet
    hint: Tensor
    scales: tuple[float, ...]
    wanted_only: bool = False
    region: Tensor | None = None
    _read: dict[int, tuple[Tensor, ...]] = field(default_factory=dict[int, tuple[Tensor, ...]])
    _regions: dict[tuple[int, int], Tensor] = field(default_factory=dict[tuple[int, int], Tensor])

    def read(self) -> tuple[Tensor, ...]:
        """The map as the net reads it; computed when it is first asked for."""
        if 0 not in self._read:
            self._read[0] = self.net.read(self.hint)
        return self._read[0]

    def region_at(self, like: Tensor) -> Tensor | None:
        """The region (1, 1, h, w) at the size of a residual `like` (…, h, w), and where that is."""
        if self.region is None:
            return None
        size = int(like.shape[-2]), int(like.shape[-1])
        if size not in self._regions:
            small = F.interpolate(self.region, size=size, mode="bilinear", align_corners=False)
            self._regions[size] = small.to(like.device, like.dtype)
        return self._regions[size]
