"""All controls of a batch of rows at once: each net runs over the rows that it steers, and what they give is summed.

Rows without a control get nothing added, whoever they share the batch with; a batch without any costs nothing. Owns the
arithmetic between nets and the UNet's inputs. Refuses to know jobs and schedules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from inference.engine.control.adapters import Adapter
from inference.engine.control.nets import SteeringNet
from inference.engine.control.units import Control

Pairs = list[tuple[int, Control]]
"""Numbers of rows, each with a control that acts on it."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the UNet is about to see of N rows: `seen` (N, C, h, w), `timestep` (N,), `context` (N, L, C'), SDXL's `added`."""

    seen: Tensor
    timestep: Tensor
    context: Tensor
    added: Mapping[str, Tensor] | None = None


def steering(controls: Sequence[Sequence[Control]], inputs: Inputs, *, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a diffusers UNet with `config` is further called with, when row i is steered by `controls[i]`."""
    work: dict[SteeringNet, Pairs] = {}
    for number, acting in enumerate(controls):
        for control in acting:
            work.setdefault(control.net, []).append((number, control))
    residuals, features = _Sum(len(controls)), _Sum(len(controls))
    for net, pairs in work.items():
        if isinstance(net, Adapter):
            _add_features(features, pairs, _sizes(inputs.seen, config))
        else:
            _add_residuals(residuals, pairs, inputs)
    extra: dict[str, Any] = {}
    if residuals.parts:
        *extra["down_block_additional_residuals"], extra["mid_block_additional_residual"] = residuals.listed()
    if features.parts:
        extra["down_intrablock_additional_residuals"] = features.listed()
    return extra


@dataclass(slots=True)
class _Sum:
    """Sums of what controls add at each place of the UNet, over all `rows`."""

    rows: int
    parts: dict[int, Tensor] = field(default_factory=dict[int, Tensor])

    def add(self, place: int, numbers: Sequence[int], part: Tensor) -> None:
        """Add `part` (n, C, h, w) to the rows `numbers`, in which one may be twice."""
        whole = list(numbers) == list(range(self.rows))
        held = self.parts.get(place)
        if held is None and whole:
            self.parts[place] = part
        elif held is not None and whole:
            self.parts[place] = held + part
        else:
            held = part.new_zeros((self.rows, *part.shape[1:])) if held is None else held
            self.parts[place] = held.index_add(0, torch.tensor(numbers, device=part.device), part)

    def listed(self) -> list[Tensor]:
        """The sums in the order of places."""
        return [self.parts[place] for place in sorted(self.parts)]


def _add_residuals(total: _Sum, pairs: Pairs, inputs: Inputs) -> None:
    """Run one ControlNet over the rows of `pairs`."""
    net: Any = pairs[0][1].net
    numbers = [number for number, _ in pairs]
    size = tuple(inputs.seen.shape[-2:])
    read = torch.cat([_sized(control.read()[0], size) for _, control in pairs])
    added = None if inputs.added is None else {name: _rows(value, numbers) for name, value in inputs.added.items()}
    context, timestep = _rows(inputs.context, numbers), _rows(inputs.timestep, numbers)
    parts = net.residuals(_rows(inputs.seen, numbers), timestep, context, added, read)
    for place, part in enumerate(parts):
        total.add(place, numbers, _weighed(part, pairs, place))


def _add_features(total: _Sum, pairs: Pairs, sizes: Sequence[tuple[int, int]]) -> None:
    """Add the features of one adapter, which has read its maps already, to the rows of `pairs`."""
    numbers = [number for number, _ in pairs]
    read = [control.read() for _, control in pairs]
    for place, size in enumerate(sizes[: len(read[0])]):
        part = torch.cat([_sized(features[place], size) for features in read])
        total.add(place, numbers, _weighed(part, pairs, place))


def _weighed(part: Tensor, pairs: Pairs, place: int) -> Tensor:
    """`part` (n, C, h, w) at the strength that each control has at `place`."""
    if pairs[0][1].net.pooled:
        part = part.mean((2, 3), keepdim=True).expand(part.shape)
    scales = [control.scales[place] for _, control in pairs]
    regions = [control.region_at(part) for _, control in pairs]
    if all(region is None for region in regions):
        if len(set(scales)) == 1:
            return part if scales[0] == 1 else part * scales[0]
        return part * torch.tensor(scales, device=part.device, dtype=part.dtype).view(-1, 1, 1, 1)
    whole = part.new_ones((1, 1, *part.shape[-2:]))
    weights = [(whole if region is None else region) * scale for region, scale in zip(regions, scales, strict=True)]
    return part * torch.cat(weights)


def _rows(value: Tensor, numbers: Sequence[int]) -> Tensor:
    return value if list(numbers) == list(range(len(value))) else value[list(numbers)]


def _sized(value: Tensor, size: tuple[int, ...]) -> Tensor:
    """`value` at the latent's `size`: they differ where a map or a latent is no whole number of squares."""
    return value if tuple(value.shape[-2:]) == size else F.interpolate(value, size=size, mode="nearest")


def _sizes(seen: Tensor, config: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Heights and widths at which a UNet takes in an adapter's features: after each block of its encoder, then in the middle.

    A block that attends takes them in before it makes things smaller, any other after.
    """
    height, width = int(seen.shape[-2]), int(seen.shape[-1])
    kinds, sizes = config["down_block_types"], list[tuple[int, int]]()
    for number, kind in enumerate(kinds):
        smaller = (height, width) if number == len(kinds) - 1 else (-(-height // 2), -(-width // 2))
        sizes.append((height, width) if kind.startswith("CrossAttn") else smaller)
        height, width = smaller
    return [*sizes, (height, width)]
