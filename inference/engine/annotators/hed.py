"""HED: soft outlines of what is in a picture (Xie and Tu 2015), from the five scales of a VGG network.

Owns the architecture, under the names of `ControlNetHED.pth` (thirteen convolutions, five projections), and the maps that are
made of its answer.
"""

from collections.abc import Generator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.engine.annotators.annotation import Chosen, Pixels, Traced, tensor_of
from inference.engine.annotators.thinning import pencilled
from inference.engine.work import Apply

_WIDTHS, _DEPTHS = (3, 64, 128, 256, 512, 512), (2, 2, 3, 3, 3)
PIXEL_COST = 0.2 / 64
"""Latent pixels through the UNet that a pixel costs, by operations."""
_SAFE_STEPS = 2

Outlining = Generator[Apply, Any, Traced]


class Block(nn.Module):
    """Convolutions at one scale, and what they say about edges."""

    def __init__(self, before: int, after: int, depth: int) -> None:
        super().__init__()
        widths = [before, *[after] * depth]
        self.convs = nn.ModuleList(nn.Conv2d(one, other, 3, padding=1) for one, other in pairwise(widths))
        self.projection = nn.Conv2d(after, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) to features (N, C', H, W) and edges (N, 1, H, W)."""
        for layer in self.convs:
            x = F.relu(layer(x))
        return x, self.projection(x)


class HED(nn.Module):
    """Thirteen convolutions at five scales, each twice as coarse as the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(1, 3, 1, 1))
        for number, depth in enumerate(_DEPTHS):
            self.add_module(f"block{number + 1}", Block(_WIDTHS[number], _WIDTHS[number + 1], depth))

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) RGB, 0 to 255, to edges (N, 1, H, W), 0 to 1: the mean of the scales, through a sigmoid."""
        x, scales = pixels - self.norm, list[Tensor]()
        for number in range(len(_DEPTHS)):
            x, edges = self.get_submodule(f"block{number + 1}")(F.max_pool2d(x, 2) if number else x)
            scales.append(F.interpolate(edges, pixels.shape[-2:], mode="bilinear"))
        return torch.stack(scales).double().mean(dim=0).sigmoid().to(pixels.dtype)


def _edges(pixels: Pixels, network: nn.Module) -> Generator[Apply, Any, np.ndarray]:
    height, width = pixels.shape[:2]
    answer: Tensor = yield Apply(network, (tensor_of(pixels),), cost=PIXEL_COST * height * width)
    return answer[0, 0].float().cpu().numpy()


def outlines(pixels: Pixels, _: Chosen, network: nn.Module) -> Outlining:
    """Edges, the brighter the surer."""
    return Traced(_levels((yield from _edges(pixels, network))))


def safe_outlines(pixels: Pixels, _: Chosen, network: nn.Module) -> Outlining:
    """Edges in three levels only, in which no picture can hide."""
    edges = yield from _edges(pixels, network)
    stepped = (edges * (_SAFE_STEPS + 1)).astype(np.int32) / _SAFE_STEPS
    return Traced(_levels(stepped))


def scribbled(pixels: Pixels, _: Chosen, network: nn.Module) -> Outlining:
    """Edges as somebody would scribble them."""
    return Traced(pencilled(_levels((yield from _edges(pixels, network)))))


def _levels(edges: np.ndarray) -> Pixels:
    return (edges * 255).clip(0, 255).astype(np.uint8)
