"""Between tensors and picture files: 8-bit pixels as the webui rounds them, and PNGs that carry their parameters."""

import io

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from inference.api.result import ImageResult


def to_pixels(picture: Image.Image) -> Tensor:
    """RGB `picture` as (1, 3, H, W) fp32 in [-1, 1], on the CPU."""
    return to_unit(picture) * 2 - 1


def to_unit(picture: Image.Image) -> Tensor:
    """RGB `picture` as (1, 3, H, W) fp32 in [0, 1], on the CPU."""
    array = np.asarray(picture, dtype=np.float32) / 255
    return torch.from_numpy(array).permute(2, 0, 1).unsqueeze(0).contiguous()


def to_picture(pixels: Tensor) -> Image.Image:
    """Decoded `pixels` (1, 3, H, W) in about [-1, 1] as RGB: clamped, then truncated to 8 bits, never rounded (webui)."""
    scaled = ((pixels[0].float() + 1) / 2).clamp(0, 1) * 255
    return _image(scaled)


def _image(levels: Tensor) -> Image.Image:
    return Image.fromarray(levels.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy())


def encode_png(picture: Image.Image, *, seed: int, infotext: str, postprocessing: str = "") -> ImageResult:
    """`picture` as a PNG (level 1: a third of the time of the default for a tenth more bytes) with `infotext` inside.

    `postprocessing` is what was done to it afterwards, which the webui keeps under two keys of its own.
    """
    chunk = PngInfo()
    if infotext:
        chunk.add_text("parameters", infotext)
    for key in ("postprocessing", "extras") if postprocessing else ():
        chunk.add_text(key, postprocessing)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1, pnginfo=chunk)
    return ImageResult(buffer.getvalue(), picture.width, picture.height, seed, infotext)
