"""Segmentation: what each place of a picture shows, in the colours of ADE20K, by any network of transformers that knows them.

Refuses to know how networks are read (`networks`).
"""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.engine.annotators.annotation import Chosen, Pixels, Traced, tensor_of
from inference.engine.annotators.depth import MEAN, SPREAD
from inference.engine.annotators.palette import ADE20K
from inference.engine.work import Apply

PIXEL_COST = 0.3 / 64
"""Latent pixels through the UNet that a pixel costs, by operations."""


class Segmenter(nn.Module):
    """A network of transformers that gives every place a score for each of 150 kinds of thing."""

    mean: Tensor
    spread: Tensor

    def __init__(self, model: Any, *, mean: Sequence[float] = MEAN, spread: Sequence[float] = SPREAD) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(spread).view(1, -1, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) RGB, 0 to 255, to (N, 1, H, W): the number of the likeliest kind."""
        scores = self.model((pixels / 255 - self.mean) / self.spread).logits
        return F.interpolate(scores, pixels.shape[-2:], mode="bilinear").argmax(dim=1, keepdim=True).float()


def segments(pixels: Pixels, _: Chosen, network: nn.Module) -> Generator[Apply, Any, Traced]:
    """Each kind of thing in its colour."""
    height, width = pixels.shape[:2]
    answer: Tensor = yield Apply(network, (tensor_of(pixels),), cost=PIXEL_COST * height * width)
    return Traced(ADE20K[answer[0, 0].cpu().numpy().astype(np.int64)])
