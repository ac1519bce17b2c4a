"""M-LSD: straight lines, as of houses and rooms (Gu et al. 2022), found by their middles and the way to both ends.

Owns the large network, under the names of `mlsd_large_512_fp32.pth`, and how lines are read from its answer. Easel ships it.
"""

from collections.abc import Generator
from typing import Any, Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.engine.annotators.annotation import Chosen, Pixels, Traced, tensor_of
from inference.engine.work import Apply

Growth = Literal["never", "before", "after"]
SIDE = 512
"""Pixels of the square for which the network was trained; it answers for half of them."""
_MOST_LINES, _NEIGHBOURS = 200, 3
_COST = 350.0
"""In latent pixels through the UNet, by operations."""
_SETTINGS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
"""MobileNetV2's stages: expansion, channels, layers, stride."""
_TAPPED = (1, 3, 6, 10, 13)
"""Layers of the trunk whose features are used."""
_SEVEN = 7
"""The first channels of the answer are of no use after training."""


class ConvNormAct(nn.Sequential):
    """Convolution, batch norm, ReLU6; where it halves both sides, padded below and right only (as TensorFlow Lite)."""

    def __init__(self, before: int, after: int, *, kernel: int = 3, stride: int = 1, groups: int = 1) -> None:
        padding = 0 if stride == 2 else kernel // 2
        super().__init__(
            nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(after)
        )
        self._halves = stride == 2

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that torch gives it
        """(N, C, H, W) to (N, C', H, W), or half of both sides."""
        return F.relu6(super().forward(F.pad(input, (0, 1, 0, 1)) if self._halves else input))


class Inverted(nn.Module):
    """MobileNetV2's inverted residual."""

    def __init__(self, before: int, after: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [ConvNormAct(before, inner, kernel=1)]
        layers += [
            ConvNormAct(inner, inner, stride=stride, groups=inner),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        ]
        self.conv = nn.Sequential(*layers)
        self._adds = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H, W), or half of both sides."""
        return x + self.conv(x) if self._adds else self.conv(x)


class Trunk(nn.Module):
    """MobileNetV2, as far as it is used, on four channels: red, green, blue and one."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvNormAct(4, 32, stride=2)]
        before = 32
        for expansion, after, count, stride in _SETTINGS:
            for number in range(count):
                layers.append(Inverted(before, after, stride=1 if number else stride, expansion=expansion))
                before = after
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 4, H, W) to features at five depths."""
        tapped: list[Tensor] = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in _TAPPED:
                tapped.append(x)
        return tapped


def _conv(before: int, after: int, *, kernel: int = 3, dilation: int = 1) -> nn.Sequential:
    """Convolution with bias, batch norm and ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, padding=padding, dilation=dilation), nn.BatchNorm2d(after), nn.ReLU()
    )


class Join(nn.Module):
    """Fine features beside coarse ones, which are enlarged where they are half as large."""

    def __init__(self, fine: int, coarse: int, *, grows: Growth) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv(coarse, 64, kernel=1), _conv(fine, 64, kernel=1)
        self._grows: Growth = grows

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Both to (N, 128, H, W)."""
        if self._grows == "before":
            coarse = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        below = self.conv1(coarse)
        if self._grows == "after":
            below = F.interpolate(below, scale_factor=2.0, mode="bilinear", align_corners=True)
        return torch.cat((self.conv2(fine), below), dim=1)


class Mix(nn.Module):
    """128 channels to 64."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv(128, 128), _conv(128, 64)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 128, H, W) to (N, 64, H, W)."""
        return self.conv2(self.conv1(x) + x)


class Answer(nn.Module):
    """64 channels to 16 of lines."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv(64, 64, dilation=5), _conv(64, 64)
        self.conv3 = nn.Conv2d(64, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 64, H, W) to (N, 16, H, W)."""
        return self.conv3(self.conv2(self.conv1(x)))


class MLSD(nn.Module):
    """The large network. Its authors enlarge features before they narrow them, the version for torch after that (`grows`)."""

    def __init__(self, *, grows: Growth = "after") -> None:
        super().__init__()
        self.backbone = Trunk()
        self.block15, self.block16 = Join(64, 96, grows="never"), Mix()
        self.block17, self.block18 = Join(32, 64, grows=grows), Mix()
        self.block19, self.block20 = Join(24, 64, grows=grows), Mix()
        self.block21, self.block22 = Join(16, 64, grows=grows), Mix()
        self.block23 = Answer()

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, 512, 512) RGB, 0 to 255, to (N, 9, 256, 256): middles of lines, then x and y to both ends, …"""
        ones = torch.ones_like(pixels[:, :1])
        one, two, three, four, five = self.backbone(torch.cat((pixels, ones), dim=1) / 127.5 - 1)
        x = self.block16(self.block15(four, five))
        x = self.block18(self.block17(three, x))
        x = self.block20(self.block19(two, x))
        x = self.block22(self.block21(one, x))
        return self.block23(x)[:, _SEVEN:]


def lines_of(answer: Tensor, *, score: float, distance: float) -> np.ndarray:
    """Lines (N, 4) in a picture of 512²: x, y of one end and of the other, from what the network answered (9, h, w).

    Those whose middle is at least as sure as `score`, and whose ends are further apart than `distance` (in halves).
    """
    heat = answer[0].sigmoid()
    best = F.max_pool2d(heat[None], _NEIGHBOURS, stride=1, padding=_NEIGHBOURS // 2)[0]
    scores, places = torch.where(best == heat, heat, 0.0).flatten().topk(min(_MOST_LINES, heat.numel()))
    rows, columns = places // heat.shape[1], places % heat.shape[1]
    ways = answer[1:5, rows, columns].T
    long = (ways[:, :2] - ways[:, 2:]).square().sum(dim=1).sqrt()
    kept = (scores > score) & (long > distance)
    middles = torch.stack((columns, rows), dim=1).to(ways.dtype).repeat(1, 2)
    return ((middles + ways) * 2)[kept].float().cpu().numpy()


def straight_lines(pixels: Pixels, chosen: Chosen, network: nn.Module) -> Generator[Apply, Any, Traced]:
    """White straight lines on black: those surer than `a` and longer than `b`."""
    height, width = pixels.shape[:2]
    square = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    answer: Tensor = yield Apply(network, (tensor_of(square),), cost=_COST)
    canvas = np.zeros((height, width), np.uint8)
    scale = np.array([width / SIDE, height / SIDE] * 2)
    for line in lines_of(answer[0], score=chosen.a, distance=chosen.b) * scale:
        x, y, to_x, to_y = (int(place) for place in line)
        cv2.line(canvas, (x, y), (to_x, to_y), 255, 1)
    return Traced(canvas)
