"""A file of control, of whichever kind, into a net that steers a checkpoint.

Owns the choice by header and the sentences for whoever asked. Refuses to know memory limits (`residency`) and units.
"""

from pathlib import Path

import torch

from inference.api.result import ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.control.adapters import Adapter, load_adapter
from inference.engine.control.controlnets import ControlNet, load_controlnet, structure_of
from inference.engine.control.files import ControlFile, identify_control
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


def key_of(info: ModelFile, checkpoint: Checkpoint) -> tuple[str, str]:
    """What a loaded net is kept under: its file, and for which checkpoints it is the same.

    Those of one structure; a net that holds differences is another for each checkpoint. Raises BrokenModel.
    """
    try:
        difference = kind_of(info).difference
    except BadFile as error:
        raise BrokenModel(f"The ControlNet “{info.name}” cannot be used: it {error}") from error
    except OSError as error:
        raise BrokenModel(f"The ControlNet “{info.name}” cannot be read: {error.strerror or error}.") from error
    structure = repr(sorted(structure_of(checkpoint.unet.config).items()))
    return info.path, checkpoint.info.path if difference else structure


def kind_of(info: ModelFile) -> ControlFile:
    """What the file of `info` is, by its header. Raises BadFile, OSError."""
    return identify_control(read_shapes(Path(info.path))[0])
