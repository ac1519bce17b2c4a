"""SRVGGNetCompact: a chain of 3x3 convolutions with PReLU that ends in a pixel shuffle (Real-ESRGAN, Wang et al. 2021).

Owns the architecture and how its size is read from a file's tensors; refuses to know about tiles.
"""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn


class Compact(nn.Module):
    """`depth` inner convolutions of `width` channels; input and output in [0, 1], enlarged `scale` times."""

    def __init__(self, *, channels: int, width: int, depth: int, scale: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(depth):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        layers.append(nn.Conv2d(width, channels * scale * scale, 3, padding=1))
        self.body = nn.ModuleList(layers)
        self.channels = channels
        self.scale = scale
        self.context = depth + 2
        """Pixels of surroundings that an output pixel depends on."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C, h·scale, w·scale): what the convolutions add to the nearest-neighbour enlargement."""
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def is_compact(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether tensors of these `shapes` are of this kind: a chain called `body` in which convolution and PReLU alternate."""
    return len(shapes.get("body.0.weight", ())) == 4 and len(shapes.get("body.1.weight", ())) == 1


def build_compact(tensors: Mapping[str, Tensor]) -> Compact:
    """The network that `tensors` are the weights of. Raises RuntimeError, KeyError where they do not fit together."""
    convolutions = sorted(int(key.split(".")[1]) for key, value in tensors.items() if value.ndim == 4)
    first, last = tensors["body.0.weight"], tensors[f"body.{convolutions[-1]}.weight"]
    channels = first.shape[1]
    network = Compact(
        channels=channels,
        width=last.shape[1],
        depth=len(convolutions) - 2,
        scale=round((last.shape[0] / channels) ** 0.5),
    )
    network.load_state_dict(dict(tensors))
    return network
