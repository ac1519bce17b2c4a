"""A ControlNet for a checkpoint's UNet: built in its widths, filled from a file, differences added to the checkpoint's own.

What only a ControlNet has (how it reads the map, how deep its blocks attend) is read off its weights. Refuses to know units.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import torch
from diffusers import ControlNetModel
from torch import Tensor, nn

from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import Checkpoint, blueprint, module_bytes
from inference.engine.control.files import ControlFile
from inference.engine.control.filling import check_left, check_missing, filled, read_weights, shapes_of
from inference.engine.control.keys import controlnet_keys
from inference.engine.control.merging import merged
from inference.engine.weights import WeightsFile

_FROM_UNET = (
    "flip_sin_to_cos",
    "freq_shift",
    "down_block_types",
    "only_cross_attention",
    "block_out_channels",
    "layers_per_block",
    "downsample_padding",
    "mid_block_scale_factor",
    "mid_block_type",
    "act_fn",
    "norm_num_groups",
    "norm_eps",
    "cross_attention_dim",
    "transformer_layers_per_block",
    "attention_head_dim",
    "num_attention_heads",
    "use_linear_projection",
    "addition_embed_type",
    "addition_time_embed_dim",
    "upcast_attention",
    "resnet_time_scale_shift",
    "projection_class_embeddings_input_dim",
)
"""What a ControlNet's config has from its UNet's."""
_LATENT = 4


class ControlNet:
    """A ControlNet on its device. `pooled`: its residuals are the same all over the picture (“shuffle” models).

    `bytes` is the memory of its weights, `count` the number of its residuals.
    """

    def __init__(self, net: ControlNetModel, *, pooled: bool = False) -> None:
        self.pooled = pooled
        self.bytes = module_bytes(net)
        self.count = len(net.controlnet_down_blocks) + 1
        self._channels = int(net.config["in_channels"])
        self._reader: Any = net.controlnet_cond_embedding
        net.controlnet_cond_embedding = cast("Any", nn.Identity())  # a map is read once a pass, not at every call
        self._net: Any = net

    def read(self, hint: Tensor) -> tuple[Tensor, ...]:
        """What the net sees of `hint` (1, 3, H, W) in [0, 1]: one tensor (1, C, H/8, W/8)."""
        weight = next(self._reader.parameters())
        return (self._reader(hint.to(weight.device, weight.dtype)),)

    def residuals(
        self, seen: Tensor, timestep: Tensor, context: Tensor, added: dict[str, Tensor] | None, read: Tensor
    ) -> list[Tensor]:
        """Residuals for rows `seen` (n, C, h, w), each in the shape of one of the UNet's skips, the middle's last."""
        down, middle = self._net(
            seen[:, : self._channels],
            timestep,
            encoder_hidden_states=context,
            controlnet_cond=read,
            added_cond_kwargs=added,
            return_dict=False,
        )
        return [*down, middle]


def structure_of(unet: Mapping[str, Any]) -> dict[str, Any]:
    """What of a UNet's config a ControlNet must share."""
    return {name: unet[name] for name in _FROM_UNET if name in unet}


def load_controlnet(
    file: WeightsFile, kind: ControlFile, checkpoint: Checkpoint, *, device: torch.device, dtype: torch.dtype
) -> ControlNetModel:
    """The ControlNet in `file`. Raises BadFile when it does not fit the UNet of `checkpoint` or is damaged."""
    widths, colours = _reading(file, kind)
    entry = file.shapes.get(
        kind.prefix + ("conv_in.weight" if kind.layout == "diffusers" else "input_blocks.0.0.weight")
    )
    config: dict[str, Any] = structure_of(checkpoint.unet.config) | {
        "in_channels": entry[1] if entry is not None and len(entry) == 4 else _LATENT,
        "conditioning_channels": colours,
        "conditioning_embedding_out_channels": widths,
    }
    if kind.layout == "diffusers":
        config |= _depths(file.shapes, kind.prefix, levels=len(config["block_out_channels"]))
    net = cast("ControlNetModel", blueprint(lambda: ControlNetModel(**config)))
    shapes = shapes_of(net)
    keys = controlnet_keys(shapes, net.config, kind, hints=2 * (len(widths) - 1))
    state = read_weights(file, keys, shapes)
    known = set(keys.values())
    check_left(key for key in file if key.startswith(_marks(kind)) and key not in known)
    if kind.difference:
        base = _bare(checkpoint)
        check_missing(keys[name] for name in shapes if name not in state and name not in base)
        state = merged(state, base, shapes)
    check_missing(keys[name] for name in shapes if name not in state)
    return filled(net, state, device=device, dtype=dtype)


def _bare(checkpoint: Checkpoint) -> Mapping[str, Tensor]:
    """The UNet's weights without LoRAs; the next forward puts on again what it wants."""
    checkpoint.wardrobe.wear(())
    return checkpoint.unet.state_dict()


def _marks(kind: ControlFile) -> tuple[str, ...]:
    """How the keys begin of what must have a place in the net; a file may hold a whole checkpoint beside it."""
    if kind.layout == "diffusers":
        return tuple(
            f"{kind.prefix}{name}" for name in ("down_blocks.", "mid_block.", "controlnet_", "conv_in.", "add_")
        )
    return tuple(f"{kind.prefix}{name}" for name in ("input_", "middle_", "zero_convs.", "time_embed.", "label_emb."))


def _reading(file: WeightsFile, kind: ControlFile) -> tuple[tuple[int, ...], int]:
    """Widths of the blocks that read the map, from the finest, and its channels."""
    if kind.layout == "ldm":
        found = re.compile(re.escape(kind.prefix) + r"input_hint_block\.(\d{1,3})\.weight")
        numbers = sorted(int(match[1]) for key in file if (match := found.fullmatch(key)))
        names = [f"{kind.prefix}input_hint_block.{number}.weight" for number in numbers]
    else:
        base = f"{kind.prefix}controlnet_cond_embedding."
        count = sum(key.startswith(f"{base}blocks.") and key.endswith(".weight") for key in file)
        names = [f"{base}{name}.weight" for name in ("conv_in", *(f"blocks.{i}" for i in range(count)), "conv_out")]
    convolutions = [file.shapes.get(name, ()) for name in names]
    if len(convolutions) < 2 or len(convolutions) % 2 or any(len(shape) != 4 for shape in convolutions):
        raise BadFile("lacks some of the blocks that read the map; it is damaged.")
    return tuple(shape[0] for shape in convolutions[:-1:2]), convolutions[0][1]


def _depths(shapes: Mapping[str, tuple[int, ...]], prefix: str, *, levels: int) -> dict[str, Any]:
    """Which blocks attend, and how deep: some ControlNets for SDXL are slighter than the UNet's encoder."""
    depths = [_depth(shapes, f"{prefix}down_blocks.{level}.attentions.0.") for level in range(levels)]
    middle = _depth(shapes, f"{prefix}mid_block.attentions.0.")
    if middle and depths[-1] and middle != depths[-1]:
        raise BadFile("has a middle that attends deeper than its last block, which Easel does not know.")
    return {
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths],
        "transformer_layers_per_block": [*(depth or 1 for depth in depths[:-1]), depths[-1] or middle or 1],
        "mid_block_type": "UNetMidBlock2DCrossAttn" if middle else "UNetMidBlock2D",
    }


def _depth(shapes: Mapping[str, tuple[int, ...]], base: str) -> int:
    found = re.compile(re.escape(base) + r"transformer_blocks\.(\d{1,3})\..*")
    return max((int(match[1]) + 1 for key in shapes if (match := found.fullmatch(key))), default=0)
