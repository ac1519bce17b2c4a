"""SRVGGNetCompact: a chain of 3x3 convolutions with PReLU that ends in a pixel shuffle (Real-ESRGAN, Wang et al. 2021).

Owns the architecture and how its size is read from a file's tensors; refuses to know about tiles.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


class BrokenUpscaler(ValueError):
    """The file is no upscaler that can be used; the message is a sentence for a person."""


class CompactUpscaler(nn.Module):
    """`depth` inner convolutions of `width` channels; input and output are RGB in [0, 1], enlarged `scale` times."""

    def __init__(self, *, width: int, depth: int, scale: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(depth):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        layers.append(nn.Conv2d(width, 3 * scale * scale, 3, padding=1))
        self.body = nn.ModuleList(layers)
        self.scale = scale
        self.context = depth + 2
        """Pixels of surroundings that an output pixel depends on."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, h, w) to (B, 3, h·scale, w·scale): what the convolutions add to the nearest-neighbour enlargement."""
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def load_upscaler(path: Path, *, device: torch.device, dtype: torch.dtype) -> CompactUpscaler:
    """Read the network in `path` (.safetensors). Raises BrokenUpscaler."""
    try:
        tensors: Mapping[str, Tensor] = load_file(path)
        convolutions = sorted(int(key.split(".")[1]) for key, value in tensors.items() if value.ndim == 4)
        last = tensors[f"body.{convolutions[-1]}.weight"]
        network = CompactUpscaler(
            width=last.shape[1], depth=len(convolutions) - 2, scale=round((last.shape[0] / 3) ** 0.5)
        )
        network.load_state_dict(dict(tensors))
    except Exception as error:  # a file can be wrong in any way; all of them mean the same
        raise BrokenUpscaler(
            f"{path.name} is not an upscaler of a kind that Easel knows (Real-ESRGAN compact, .safetensors)."
        ) from error
    return network.to(device=device, dtype=dtype).eval().requires_grad_(requires_grad=False)
