"""Tiny ControlNets and T2I adapters for tests: diffusers' own modules with random weights, written in each kind of file.

They fit the tiny checkpoints of `tests.checkpoints`. Every weight is random, the zero convolutions too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import ControlNetModel, T2IAdapter
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn

from inference.engine.control.files import ControlFile
from inference.engine.control.keys import adapter_keys, controlnet_keys
from tests.checkpoints import FamilyName, tiny_config, tiny_weights, write_config

Written = Literal["bare", "prefixed", "whole", "diffusers", "difference", "bare difference"]
"""Kinds of ControlNet files: bare keys, `control_model.*`, a whole SD model around it, diffusers' names, differences."""
HINTS = (4, 6, 8, 8)
"""Widths of the blocks that read a map."""
LDM = ControlFile("controlnet", "ldm", "", "unknown")


def tiny_controlnet(
    *, seed: int = 0, family: FamilyName = "sd1", config: Mapping[str, Any] | None = None
) -> ControlNetModel:
    """A random ControlNet for a tiny checkpoint of `family`, or for a UNet with `config`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(100 + seed)
        unet = UNet2DConditionModel(**(config or tiny_config(family)["unet"]))
        net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=HINTS, load_weights_from_unet=False)
        return _randomised(net)


def tiny_adapter(widths: list[int], *, form: str = "full_adapter", colours: int = 3, seed: int = 0) -> T2IAdapter:
    """A random T2I adapter whose features have `widths` channels."""
    square = 16 if form == "full_adapter_xl" else 8
    depth = 4 if form == "light_adapter" else 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(200 + seed)
        net = T2IAdapter(
            in_channels=colours,
            channels=widths,
            num_res_blocks=depth,
            downscale_factor=square,
            adapter_type=form,
        )
        return _randomised(net)


def ldm_state(net: ControlNetModel, *, prefix: str = "") -> dict[str, Tensor]:
    """Its weights under the original keys."""
    names = net.state_dict()
    keys = controlnet_keys(names, net.config, LDM, hints=2 * (len(HINTS) - 1))
    return {prefix + keys[name]: weight.clone() for name, weight in names.items()}


def adapter_state(net: T2IAdapter, *, light: bool) -> dict[str, Tensor]:
    """Its weights under TencentARC's keys."""
    names = net.state_dict()
    keys = adapter_keys(names, ControlFile("adapter", "ldm", "", "unknown"), light=light)
    return {keys[name]: weight.clone() for name, weight in names.items()}


def write_controlnet(
    path: Path, net: ControlNetModel, *, kind: Written = "prefixed", base: Mapping[str, Tensor] | None = None
) -> Path:
    """Write `net` as a file of `kind`; returns `path`. `base` are the weights of the checkpoint's file, by the file's keys.

    Differences are from `base`; what does not differ there is left out, as by the extraction scripts. A whole file has
    `base` beside the ControlNet. A `.pth` is nested under `state_dict`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "diffusers":
        weights = {name: weight.clone() for name, weight in net.state_dict().items()}
    else:
        weights = ldm_state(net, prefix="" if kind.startswith("bare") else "control_model.")
    if kind == "whole":
        weights |= dict(base or {})
    if "difference" in kind:
        weights = dict(_differences(weights, base or {})) | {"difference": torch.tensor(1.0)}
    if path.suffix == ".safetensors":
        save_file({key: weight.contiguous() for key, weight in weights.items()}, path)
    else:
        torch.save({"state_dict": weights}, path)
    return path


def write_unusual_checkpoint(path: Path, config: dict[str, Any]) -> Path:
    """Write a tiny SD1 checkpoint of another `config` than usual; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tiny_weights(config=config), path)
    write_config(path, config)
    return path


def _differences(weights: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    kept: dict[str, Tensor] = {}
    for key, weight in weights.items():
        own = base.get(f"model.diffusion_model.{key.removeprefix('control_model.')}")
        change = weight if own is None else weight - own.float()
        if own is None or float(change.abs().max()) >= 1e-6:
            kept[key] = change
    return kept


def _randomised(net: Any) -> Any:
    """Random everywhere, in sizes that keep what comes out about as large as what a UNet adds it to."""
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.1)
            elif "controlnet_" in name and not weight.any():
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
    return net.eval().requires_grad_(False)
