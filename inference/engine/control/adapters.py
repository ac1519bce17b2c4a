"""T2I adapters (Mou et al. 2023): full and light ones, for SD 1 and SDXL, from TencentARC's files or diffusers'.

An adapter reads the map alone, so it runs once a pass; its features are added inside the UNet's encoder. Refuses to know units.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from diffusers import T2IAdapter
from torch import Tensor

from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import Checkpoint, blueprint, module_bytes
from inference.engine.control.files import ControlFile
from inference.engine.control.filling import check_left, check_missing, filled, read_weights, shapes_of
from inference.engine.control.keys import RESNETS, adapter_keys
from inference.engine.weights import WeightsFile

Shapes = Mapping[str, tuple[int, ...]]


class Adapter:
    """A T2I adapter on its device. `pooled`: its features are the same all over the picture.

    `bytes` is the memory of its weights, `count` the number of its features.
    """

    def __init__(self, net: T2IAdapter, *, pooled: bool = False) -> None:
        self.pooled = pooled
        self.bytes = module_bytes(net)
        self.count = len(cast("Any", net.adapter).body)
        self._channels = int(net.config["in_channels"])
        self._square = int(net.config["downscale_factor"])
        self._net: Any = net

    def read(self, hint: Tensor) -> tuple[Tensor, ...]:
        """Features of `hint` (1, 3, H, W) in [0, 1], the finest first; one that reads one channel sees the first."""
        weight = next(self._net.parameters())
        seen = hint.to(weight.device, weight.dtype)[:, : self._channels]
        down, across = (-side % self._square for side in seen.shape[-2:])
        if down or across:
            seen = F.pad(seen, (0, across, 0, down), mode="replicate")
        return tuple(self._net(seen))


def load_adapter(
    file: WeightsFile, kind: ControlFile, checkpoint: Checkpoint, *, device: torch.device, dtype: torch.dtype
) -> T2IAdapter:
    """The adapter in `file`. Raises BadFile when it does not fit the UNet of `checkpoint` or is damaged."""
    light = f"{kind.prefix}conv_in.weight" not in file
    config = (_light if light else _full)(file.shapes, kind)
    _check_widths(config, list(checkpoint.unet.config["block_out_channels"]), light=light)
    net = cast("T2IAdapter", blueprint(lambda: T2IAdapter(**config)))
    shapes = shapes_of(net)
    keys = adapter_keys(shapes, kind, light=light)
    known = set(keys.values())
    check_left(
        key for key in file if key.startswith((f"{kind.prefix}body.", f"{kind.prefix}conv_in.")) and key not in known
    )
    state = read_weights(file, keys, shapes)
    check_missing(keys[name] for name in shapes if name not in state)
    return filled(net, state, device=device, dtype=dtype)


def _full(shapes: Shapes, kind: ControlFile) -> dict[str, Any]:
    """The config of a full adapter. The original files number all blocks in one row, two a level."""
    blocks = _blocks(shapes, kind.prefix, r"body\.(\d{1,3})\.(?:resnets\.(\d{1,3})\.)?block2\.weight")
    if kind.layout == "ldm":
        widths, depth = [width for (number, _), width in blocks.items() if number % RESNETS == 0], RESNETS
    else:
        widths = [width for (_, number), width in blocks.items() if number == 0]
        depth = len(blocks) // max(len(widths), 1)
    form: Literal["full_adapter", "full_adapter_xl"] = "full_adapter_xl" if kind.family == "sdxl" else "full_adapter"
    return _config(shapes[f"{kind.prefix}conv_in.weight"], kind, widths=widths, depth=depth, form=form)


def _light(shapes: Shapes, kind: ControlFile) -> dict[str, Any]:
    """The config of a light adapter, whose last level repeats the width of the one before."""
    blocks = _blocks(shapes, kind.prefix, r"body\.(\d{1,3})\.(?:body|resnets)\.(\d{1,3})\.block2\.weight")
    levels = sorted({level for level, _ in blocks})
    outs = [shapes.get(f"{kind.prefix}body.{level}.out_conv.weight", (0,))[0] for level in levels]
    if len(outs) < 2 or outs[-1] != outs[-2]:
        raise BadFile("is a light T2I adapter whose last two levels differ in width, which Easel does not know.")
    depth = len(blocks) // len(levels)
    entry = shapes[f"{kind.prefix}body.0.in_conv.weight"]
    return _config(entry, kind, widths=outs[:-1], depth=depth, form="light_adapter")


def _blocks(shapes: Shapes, prefix: str, pattern: str) -> dict[tuple[int, int], int]:
    """Width of each residual block by level and number, in order; the number is 0 where the file tells none."""
    found = re.compile(re.escape(prefix) + pattern)
    pairs = ((match, shape) for key, shape in shapes.items() if (match := found.fullmatch(key)) and shape)
    return dict(sorted(((int(match[1]), int(match[2] or 0)), shape[0]) for match, shape in pairs))


def _config(entry: tuple[int, ...], kind: ControlFile, *, widths: list[int], depth: int, form: str) -> dict[str, Any]:
    square = 16 if kind.family == "sdxl" else 8
    if len(entry) != 4 or entry[1] % square**2 or not widths:
        raise BadFile("is a T2I adapter that reads its map in squares of a size that Easel does not know.")
    return {
        "in_channels": entry[1] // square**2,
        "channels": widths,
        "num_res_blocks": depth,
        "downscale_factor": square,
        "adapter_type": form,
    }


def _check_widths(config: Mapping[str, Any], levels: list[int], *, light: bool) -> None:
    """A UNet takes one feature a level, and SDXL's one more in the middle."""
    widths = [*config["channels"], config["channels"][-1]] if light else list(config["channels"])
    if not len(levels) <= len(widths) <= len(levels) + 1 or widths != [*levels, levels[-1]][: len(widths)]:
        shown = [" · ".join(map(str, row)) for row in (widths, levels)]
        raise BadFile(f"gives features of {shown[0]} channels, where this model has levels of {shown[1]}.")
