"""A picture as a generator: noise, (a source,) the sampler's steps, pixels. Reads like the recipe it is.

Owns the order of things. Refuses to know about guidance, batches, files and the wire.
"""

from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from inference.api.request import GenerationRequest
from inference.engine.noise import NoiseStream, initial_noise
from inference.engine.picture import to_picture, to_pixels
from inference.engine.sampling import sample
from inference.engine.work import Decode, Encode, Painting


@dataclass(frozen=True, slots=True)
class DeviceNoise:
    """A stream of noise whose draws arrive on `device`."""

    stream: NoiseStream
    device: torch.device

    def next(self, shape: Any) -> Tensor:
        """The next draw, fp32."""
        return self.stream.next(shape).to(self.device)


def paint(
    request: GenerationRequest,
    index: int,
    *,
    table: Any,
    shape: tuple[int, int, int, int],
    device: torch.device,
    source: Image | None = None,
) -> Painting:
    """Paint picture `index` of `request`; `shape` is (1, C, h, w) of its latent, `table` the model's noise levels.

    `source` is an RGB picture of the canvas' size to begin from (img2img).
    """
    seeds, strength = request.seeds, None
    latent: Tensor | None = None
    if source is not None and request.source is not None:
        strength = request.source.denoising_strength
        latent = yield Encode(to_pixels(source))
    noise, stream = initial_noise(seeds, index, shape, ensd=request.sampling.ensd)
    final = yield from sample(
        request.sampling,
        table=table,
        noise=noise.to(device),
        stream=DeviceNoise(stream, device),
        latent=latent,
        denoising_strength=strength,
    )
    pixels = yield Decode(final)
    return to_picture(pixels)
