"""A loaded network as its users see it: what it needs of a picture, and one pass over one of any size.

Owns padding, channels and the order of tiles. Refuses to know files and architectures' insides.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from inference.engine.picture import to_unit
from inference.engine.upscalers.mosaic import Mosaic
from inference.engine.upscalers.tiles import Tiling, side_of
from inference.engine.work import Apply, UpscaleTile

Pass = Generator[UpscaleTile | Apply, Any, Image.Image]
"""One run of a network over a picture."""

WEIGHTS_A_PIXEL = 98e6
"""Weights that SD's UNet uses for a latent pixel: half its operations, 0.8 TFLOP for 64². An upscaler uses all of its own."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a network says of itself.

    `scale` is how many times it enlarges; `channels` (1 or 3) what it sees; sides must be at least `minimum`, multiples of
    `multiple`, and equal where `square`. `half` says that it may be computed in fp16.
    """

    architecture: str
    scale: int
    tiling: Tiling
    channels: int = 3
    minimum: int = 1
    multiple: int = 1
    square: bool = False
    half: bool = True


class Upscaler(nn.Module):
    """`network` behind its `traits`. `call` runs it where that is more than `network(x)`."""

    def __init__(self, network: nn.Module, traits: Traits, call: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.network = network
        self.traits = traits
        self._call = call or network.forward
        self._weights = sum(value.numel() for value in network.parameters())

    @property
    def scale(self) -> int:
        """How many times it enlarges."""
        return self.traits.scale

    def forward(self, x: Tensor) -> Tensor:
        """RGB `x` (N, 3, h, w) in [0, 1] to (N, 3, h·scale, w·scale), clamped.

        What is too small or of the wrong size is continued by its mirror image, which is cut off again. A network of one channel
        sees the three one by one.
        """
        rows, _, height, width = x.shape
        if self.traits.channels == 1:
            x = x.reshape(rows * 3, 1, height, width)
        answer = self._call(padded(x, self.traits))
        answer = answer[..., : height * self.scale, : width * self.scale].clamp(0, 1)
        return answer.reshape(rows, 3, *answer.shape[-2:])

    def enlarge_once(self, picture: Image.Image, scale: float) -> Pass:
        """RGB `picture` through the network, tile by tile; it becomes `traits.scale` times as large, whatever `scale` is."""
        del scale
        k = self.scale
        down, across = (side_of(side, self.traits.tiling) for side in (picture.height, picture.width))
        mosaic = Mosaic((picture.width * k, picture.height * k), band=down.tile * k)
        cost = self._weights * across.tile * down.tile / WEIGHTS_A_PIXEL
        columns = [across.weights(left, picture.width, scale=k) for left in across.origins]
        for top in down.origins:
            mosaic.close(top * k)
            row = down.weights(top, picture.height, scale=k)
            for left, column in zip(across.origins, columns, strict=True):
                tile = picture.crop((left, top, left + across.tile, top + down.tile))
                answer = yield UpscaleTile(self, to_unit(tile), cost)
                mosaic.lay(answer[0], torch.outer(row, column), left=left * k, top=top * k)
        return mosaic.finished()

    def calls(self, size: tuple[int, int], scale: float) -> int:
        """How many tiles `enlarge_once` asks for with a picture of `size` (width, height)."""
        del scale
        width, height = (len(side_of(side, self.traits.tiling).origins) for side in size)
        return width * height

    def size_after(self, size: tuple[int, int], scale: float) -> tuple[int, int]:
        """Width and height of what `enlarge_once` makes of a picture of `size`."""
        del scale
        return size[0] * self.scale, size[1] * self.scale


def padded(x: Tensor, traits: Traits) -> Tensor:
    """`x` (N, C, h, w) continued right and below until its sides are what `traits` ask for: mirrored, then repeated."""
    sides = [-(-max(side, traits.minimum) // traits.multiple) * traits.multiple for side in x.shape[-2:]]
    if traits.square:
        sides = [max(sides)] * 2
    missing = [wanted - side for wanted, side in zip(sides, x.shape[-2:], strict=True)]
    if not any(missing):
        return x
    mirrored = [min(more, side - 1) for more, side in zip(missing, x.shape[-2:], strict=True)]
    x = F.pad(x, (0, mirrored[1], 0, mirrored[0]), mode="reflect")
    return F.pad(x, (0, missing[1] - mirrored[1], 0, missing[0] - mirrored[0]), mode="replicate")
