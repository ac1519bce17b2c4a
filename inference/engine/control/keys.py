"""Names of control weights: from a file's keys, in the original layouts, to those of diffusers' modules.

Owns the renaming. The encoder of a ControlNet is named as a UNet's is, so `layout` has most of it. Refuses to know values.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from inference.engine.control.files import ControlFile
from inference.engine.layout import unet_sources

RESNETS = 2
"""Blocks at each level of a full T2I adapter (TencentARC)."""
_HINT = "controlnet_cond_embedding."
_ZERO = re.compile(r"controlnet_down_blocks\.(\d+)\.(.+)")
_HINT_BLOCK = re.compile(r"controlnet_cond_embedding\.blocks\.(\d+)\.(.+)")
_ADAPTER_BLOCK = re.compile(r"body\.(\d+)\.resnets\.(\d+)\.(.+)")
_ADAPTER_ENTRY = re.compile(r"body\.(\d+)\.(in_conv|out_conv)\.(.+)")


def controlnet_keys(
    names: Iterable[str], config: Mapping[str, Any], file: ControlFile, *, hints: int
) -> dict[str, str]:
    """Weight name of a `ControlNetModel` with `config` -> its key in `file`. `hints` counts the blocks that read the map."""
    if file.layout == "diffusers":
        return {name: file.prefix + name for name in names}
    own = {name for name in names if name.startswith("controlnet_")}
    shared = unet_sources([name for name in names if name not in own], config, prefix=file.prefix)
    return {name: source.key for name, source in shared.items()} | {
        name: file.prefix + _own_key(name, hints) for name in own
    }


def _own_key(name: str, hints: int) -> str:
    """What a ControlNet has beyond a UNet's encoder: zero convolutions, and the blocks that read the map."""
    if found := _ZERO.fullmatch(name):
        return f"zero_convs.{found[1]}.0.{found[2]}"
    if name.startswith("controlnet_mid_block."):
        return f"middle_block_out.0.{name.removeprefix('controlnet_mid_block.')}"
    if found := _HINT_BLOCK.fullmatch(name):
        return f"input_hint_block.{2 * (int(found[1]) + 1)}.{found[2]}"
    stem, leaf = name.removeprefix(_HINT).rsplit(".", 1)
    return f"input_hint_block.{0 if stem == 'conv_in' else 2 * (hints + 1)}.{leaf}"


def adapter_keys(names: Iterable[str], file: ControlFile, *, light: bool) -> dict[str, str]:
    """Weight name of a `T2IAdapter` -> its key in `file`."""
    return {name: file.prefix + _adapter_key(name.removeprefix("adapter."), file, light=light) for name in names}


def _adapter_key(name: str, file: ControlFile, *, light: bool) -> str:
    if file.layout == "diffusers":
        return name
    if found := _ADAPTER_BLOCK.fullmatch(name):
        level, block, rest = int(found[1]), int(found[2]), found[3]
        return f"body.{level}.body.{block}.{rest}" if light else f"body.{level * RESNETS + block}.{rest}"
    if (found := _ADAPTER_ENTRY.fullmatch(name)) and not light:
        return f"body.{int(found[1]) * RESNETS}.{found[2]}.{found[3]}"
    return name
