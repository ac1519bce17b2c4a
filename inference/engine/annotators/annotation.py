"""What a preprocessor hands on, and what it is told: small values, and how a control picture is opened.

Owns how transparency is read. Refuses to know what a map shows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Pixels = np.ndarray[Any, np.dtype[Any]]
"""(H, W, 3) RGB or (H, W) grey, 8 bits, 0 to 255."""

PLAIN_LOW, PLAIN_HIGH = 5, 250
"""A mask with nothing over the first or nothing under the second is blank (the extension's numbers)."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A map as its preprocessor made it: 8-bit RGB, not fitted to any canvas yet.

    `mask` (grey, of the same size) says where an inpainting ControlNet sees nothing: over 127. `notes` are sentences for the
    person who asked.
    """

    picture: Image.Image
    mask: Image.Image | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one preprocessor is told: its sliders, settled, and a seed for those that draw by chance."""

    a: float = 0.0
    b: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Traced:
    """What one preprocessor answers: a map of the size it was given, and sentences for the person who asked."""

    pixels: Pixels
    notes: tuple[str, ...] = ()


def flattened(picture: Image.Image) -> Image.Image:
    """`picture` as RGB, on white where it is transparent.

    A drawing that white paper swallows whole (white strokes on nothing) is read from its transparency instead.
    """
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    over = picture.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    alpha = over.getchannel("A")
    blank = not np.ptp(np.asarray(flat).reshape(-1, 3), axis=0).any()
    return alpha.convert("RGB") if blank and is_drawn(alpha) else flat


def is_drawn(mask: Image.Image) -> bool:
    """Whether grey `mask` says anything: not all of it is black, and not all of it white."""
    levels = np.asarray(mask.convert("L"))
    return int(levels.max()) > PLAIN_LOW and int(levels.min()) < PLAIN_HIGH


def tensor_of(pixels: Pixels) -> Tensor:
    """(H, W, 3) as a network's input (1, 3, H, W) fp32, 0 to 255."""
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None].contiguous()
