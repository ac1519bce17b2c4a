"""A file of control, of whichever kind, into a net that steers a checkpoint.

Owns the choice by header and the sentences for whoever asked. Refuses to know memory limits (`residency`) and units.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from inference.api.result import ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.control.adapters import Adapter, load_adapter
from inference.engine.control.controlnets import ControlNet, load_controlnet, structure_of
from inference.engine.control.files import identify_control
from inference.engine.weights import WeightsFile, read_shapes

SteeringNet = ControlNet | Adapter


def load_control(info: ModelFile, checkpoint: Checkpoint, *, device: torch.device, dtype: torch.dtype) -> SteeringNet:
    """Load the file of `info` for the UNet of `checkpoint`. Raises BrokenModel with a sentence for whoever asked for it."""
    try:
        with WeightsFile(Path(info.path)) as file:
            kind = identify_control(file.shapes)
            pooled = "shuffle" in Path(info.path).name.lower()
            if kind.kind == "adapter":
                return Adapter(load_adapter(file, kind, checkpoint, device=device, dtype=dtype), pooled=pooled)
            return ControlNet(load_controlnet(file, kind, checkpoint, device=device, dtype=dtype), pooled=pooled)
    except BadFile as error:
        raise BrokenModel(f"“{info.name}” cannot steer “{checkpoint.info.name}”: it {error}") from error
    except OSError as error:
        raise BrokenModel(f"The ControlNet “{info.name}” cannot be read: {error.strerror or error}.") from error


@dataclass(frozen=True, slots=True)
class Berth:
    """Where a loaded net is kept: under which `key`, and about how many `bytes` it takes.

    The key is its file, and for which checkpoints it is the same: those of one structure; a net that holds differences is
    another for each checkpoint.
    """

    key: tuple[str, str]
    bytes: int


def berth_of(info: ModelFile, checkpoint: Checkpoint, *, dtype: torch.dtype) -> Berth:
    """Where the net in `info` for `checkpoint` belongs, by the file's header. Raises BrokenModel."""
    try:
        shapes = read_shapes(Path(info.path))[0]
        kind = identify_control(shapes)
    except BadFile as error:
        raise BrokenModel(f"The ControlNet “{info.name}” cannot be used: it {error}") from error
    except OSError as error:
        raise BrokenModel(f"The ControlNet “{info.name}” cannot be read: {error.strerror or error}.") from error
    numbers = sum(math.prod(shape) for key, shape in shapes.items() if key.startswith(kind.prefix))
    structure = repr(sorted(structure_of(checkpoint.unet.config).items()))
    return Berth((info.path, checkpoint.info.path if kind.difference else structure), numbers * dtype.itemsize)
