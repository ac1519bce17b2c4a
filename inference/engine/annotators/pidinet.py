"""PiDiNet: soft outlines by convolutions of differences between neighbours (Su et al. 2021), a lighter HED.

Owns the architecture, under the names of `table5_pidinet.pth` (carv4, 60 channels, with attention). Its maps are made as HED's.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_WIDTH, _REDUCED, _ATTENTION = 60, 24, 4
_SCALES = (1, 2, 4, 4)
"""Channels of the four scales, in widths."""
Difference = Literal["centre", "angle", "ring", "none"]
_ORDER: tuple[Difference, ...] = ("centre", "angle", "ring", "none") * 4
"""What each of the sixteen layers looks at."""
_CLOCKWISE = (3, 0, 1, 6, 4, 2, 7, 8, 5)
"""For each of nine places the one before it, around the middle."""
_OUTER = (0, 2, 4, 10, 14, 20, 22, 24)
_INNER = (6, 7, 8, 11, 13, 16, 17, 18)
"""Places of a 5 × 5 kernel: what lies outside is compared with what lies inside."""


class DifferenceConv(nn.Module):
    """A 3 × 3 convolution of differences: to the middle, around it, or from an outer ring to an inner one."""

    def __init__(self, before: int, after: int, *, of: Difference, groups: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(after, before // groups, 3, 3))
        self._of, self._groups = of, groups

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H, W)."""
        weight = self._kernel()
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=self._groups)

    def _kernel(self) -> Tensor:
        flat = self.weight.flatten(2)
        match self._of:
            case "centre":
                middle = F.pad(flat.sum(-1)[..., None, None], (1, 1, 1, 1))
                return self.weight - middle
            case "angle":
                return (flat - flat[:, :, _CLOCKWISE]).view_as(self.weight)
            case "ring":
                ring = flat.new_zeros(*flat.shape[:2], 25)
                ring[:, :, _OUTER], ring[:, :, _INNER] = flat[:, :, 1:], -flat[:, :, 1:]
                return ring.view(*flat.shape[:2], 5, 5)
            case _:
                return self.weight


class Block(nn.Module):
    """Differences channel by channel, mixed, beside a shortcut; at the beginning of a scale both sides are halved."""

    def __init__(self, before: int, after: int, *, of: Difference, halves: bool) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(before, after, 1) if halves else None
        self.conv1 = DifferenceConv(before, before, of=of, groups=before)
        self.conv2 = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H, W), or half of both sides."""
        if self.shortcut is None:
            return self.conv2(F.relu(self.conv1(x))) + x
        x = F.max_pool2d(x, 2)
        return self.conv2(F.relu(self.conv1(x))) + self.shortcut(x)


class Dilations(nn.Module):
    """The same features seen four times, ever more widely."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, _REDUCED, 1)
        for number, reach in enumerate((5, 7, 9, 11), start=1):
            layer = nn.Conv2d(_REDUCED, _REDUCED, 3, padding=reach, dilation=reach, bias=False)
            self.add_module(f"conv2_{number}", layer)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 24, H, W)."""
        x = self.conv1(F.relu(x))
        return torch.stack([self.get_submodule(f"conv2_{number}")(x) for number in range(1, 5)]).sum(dim=0)


class Attention(nn.Module):
    """Where to look."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(_REDUCED, _ATTENTION, 1)
        self.conv2 = nn.Conv2d(_ATTENTION, 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 24, H, W), weighed."""
        return x * self.conv2(self.conv1(F.relu(x))).sigmoid()


class Reduce(nn.Module):
    """Features to edges."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(_REDUCED, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 24, H, W) to (N, 1, H, W)."""
        return self.conv(x)


class PiDiNet(nn.Module):
    """Four scales of four layers, each scale with edges of its own, and one view of them all."""

    def __init__(self) -> None:
        super().__init__()
        self.init_block = DifferenceConv(3, _WIDTH, of=_ORDER[0])
        before = _WIDTH
        for number, name in enumerate(_names()[1:], start=1):
            after = _WIDTH * _SCALES[number // 4]
            self.add_module(name, Block(before, after, of=_ORDER[number], halves=number % 4 == 0))
            before = after
        self.dilations = nn.ModuleList(Dilations(_WIDTH * scale) for scale in _SCALES)
        self.attentions = nn.ModuleList(Attention() for _ in _SCALES)
        self.conv_reduces = nn.ModuleList(Reduce() for _ in _SCALES)
        self.classifier = nn.Conv2d(len(_SCALES), 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) RGB, 0 to 255, to edges (N, 1, H, W), 0 to 1."""
        x, scales = pixels.flip(1) / 255, list[Tensor]()
        for number, name in enumerate(_names()):
            x = self.get_submodule(name)(x)
            if number % 4 == 3:
                place = number // 4
                edges = self.conv_reduces[place](self.attentions[place](self.dilations[place](x)))
                scales.append(F.interpolate(edges, pixels.shape[-2:], mode="bilinear"))
        return self.classifier(torch.cat(scales, dim=1)).sigmoid()


def _names() -> list[str]:
    """The sixteen layers: one alone, three more of its scale, then three scales of four."""
    first = ["init_block", *(f"block1_{number}" for number in range(1, 4))]
    return first + [f"block{scale}_{number}" for scale in range(2, 5) for number in range(1, 5)]
