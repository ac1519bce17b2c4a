"""Small networks with random weights under the names that real files use, and pictures to enlarge."""

import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from diffusers import UNet2DModel, VQModel
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from inference.engine.architectures import _registry
from inference.engine.upscalers.loading import Enlarger, load_upscaler
from inference.engine.upscalers.rrdb import Rrdb
from inference.engine.work import Apply, Borrow, UpscaleTile

CPU = torch.device("cpu")


def randomised(network: torch.nn.Module, *, seed: int = 0, gain: float = 1.0) -> dict[str, Tensor]:
    """The state of `network` with weights drawn anew, so that nothing in it is zero or a default."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.named_parameters():
        wide = max(1, value[0].numel()) if value.ndim > 1 else 4
        value.data = torch.randn(value.shape, generator=generator) * gain / wide**0.5
        if "norm" in name and name.endswith("weight"):
            value.data += 1
    return {name: value.detach().clone().contiguous() for name, value in network.state_dict().items()}


def rrdb(*, ups: int = 2, fold: int = 1, blocks: int = 2, channels: int = 3) -> Rrdb:
    """A small RRDB network with random weights."""
    network = Rrdb(channels=channels, width=8, growth=32, blocks=blocks, ups=ups, fold=fold)
    randomised(network)
    return network.eval()


def named(state: Mapping[str, Tensor], form: str) -> dict[str, Tensor]:
    """The weights of `Rrdb` under the names of a `form`: new, bsrgan or old."""
    ups = sum(name.startswith("conv_up") and name.endswith("weight") for name in state)
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("body."))
    return {_name(name, form, ups=ups, blocks=blocks): value for name, value in state.items()}


def _name(name: str, form: str, *, ups: int, blocks: int) -> str:
    kind, leaf = name.rsplit(".", 1)
    dense = re.fullmatch(r"body\.(\d+)\.rdb(\d)\.conv(\d)", kind)
    up = re.fullmatch(r"conv_up\.(\d)", kind)
    if form == "new":
        return f"conv_up{int(up[1]) + 1}.{leaf}" if up else name
    if form == "bsrgan":
        if dense:
            return f"RRDB_trunk.{dense[1]}.RDB{dense[2]}.conv{dense[3]}.{leaf}"
        if up:
            return f"upconv{int(up[1]) + 1}.{leaf}"
        return f"{ {'conv_body': 'trunk_conv', 'conv_hr': 'HRconv'}.get(kind, kind) }.{leaf}"
    if dense:
        return f"model.1.sub.{dense[1]}.RDB{dense[2]}.conv{dense[3]}.0.{leaf}"
    if up:
        return f"model.{3 * (int(up[1]) + 1)}.{leaf}"
    ends = {
        "conv_first": "model.0",
        "conv_body": f"model.1.sub.{blocks}",
        "conv_hr": f"model.{3 * ups + 2}",
        "conv_last": f"model.{3 * ups + 4}",
    }
    return f"{ends[kind]}.{leaf}"


def saved(state: Mapping[str, Any], path: Path) -> Path:
    """`state` in a file of the kind that `path` ends with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(dict(state), path)
    else:
        torch.save(state, path)
    return path


def loaded(path: Path) -> Enlarger:
    """The network in a file, in fp32 on the CPU."""
    return load_upscaler(path, device=CPU, dtype=torch.float32)


def architecture(name: str) -> Any:
    """Spandrel's module that defines the networks of that architecture."""
    registry = _registry()
    assert registry is not None, "spandrel is pinned in requirements-alone.txt"
    return registry[name].architecture


def noise(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """A picture of soft blotches with hard edges among them, in which a seam has nowhere to hide."""
    generator = np.random.default_rng(seed)
    small = Image.fromarray(generator.integers(0, 256, (max(1, height // 8), max(1, width // 8), 3), dtype=np.uint8))
    soft = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    hard = (np.add.outer(np.arange(height) // 7, np.arange(width) // 7) % 2)[..., None] * 40
    return Image.fromarray((soft + hard).clip(0, 255).astype(np.uint8))


def run(work: Generator[Any, Any, Any], **networks: Any) -> tuple[Any, int]:
    """Answer all that a generator asks for, as the loop does; what it returns, and how many calls of networks it took."""
    answer, calls = None, 0
    with torch.inference_mode():
        while True:
            try:
                wanted = work.send(answer)
            except StopIteration as end:
                return end.value, calls
            match wanted:
                case Borrow(name=name):
                    answer = networks[name]
                    continue
                case UpscaleTile(network=network, tile=tile):
                    answer = network(tile)
                case Apply(network=network, inputs=inputs):
                    answer = network(*inputs)
                case _:
                    raise AssertionError(wanted)
            calls += 1


_CHANNELS = (32, 64, 64, 96)
_PROJECT = {
    "model": {
        "params": {
            "linear_start": 0.0015,
            "linear_end": 0.0155,
            "unet_config": {"params": {"num_head_channels": 32, "model_channels": 32}},
        }
    }
}


def ldsr_networks() -> tuple[UNet2DModel, VQModel]:
    """The two networks as diffusers builds them, small, with random weights."""
    unet = UNet2DModel(
        in_channels=6,
        out_channels=3,
        layers_per_block=2,
        block_out_channels=_CHANNELS,
        down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
        attention_head_dim=32,
    )
    vq = VQModel(
        block_out_channels=(32, 32, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=2,
        latent_channels=3,
        num_vq_embeddings=64,
        vq_embed_dim=3,
    )
    randomised(unet, seed=1, gain=0.7)
    randomised(vq, seed=2)
    return unet.eval(), vq.eval()


_RES = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0"}
_RES |= {"conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def _original_unet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Diffusers' weights under the names of CompVis' file: blocks counted through, query, key and value woven head by head."""
    out: dict[str, Tensor] = {}
    woven: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        kind, _, leaf = name.rpartition(".")
        where, rest = _place(kind)
        if rest in ("to_q", "to_k", "to_v"):
            woven.setdefault(f"{where}.qkv.{leaf}", {})[rest] = value
        elif rest in ("to_out.0", "group_norm"):
            new = {"to_out.0": "proj_out", "group_norm": "norm"}[rest]
            out[f"{where}.{new}.{leaf}"] = value[..., None] if rest == "to_out.0" and value.ndim == 2 else value
        else:
            out[f"{where}.{_RES.get(rest, rest)}.{leaf}".replace("..", ".")] = value
    for name, parts in woven.items():
        heads = torch.stack(
            [parts[part].reshape(-1, 32, *parts[part].shape[1:]) for part in ("to_q", "to_k", "to_v")], 1
        )
        flat = heads.reshape(-1, *parts["to_q"].shape[1:])
        out[name] = flat[..., None] if flat.ndim == 2 else flat
    return {f"model.diffusion_model.{name}": value.contiguous() for name, value in out.items()}


def _place(kind: str) -> tuple[str, str]:
    """Where a module of diffusers stands in the file, and its own part of the name."""
    fixed = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    if kind in fixed:
        return fixed[kind], ""
    parts = kind.split(".")
    if parts[0] == "mid_block":
        number = {"resnets": 2 * int(parts[2]), "attentions": 1}[parts[1]]
        return f"middle_block.{number}", ".".join(parts[3:])
    level, what, layer, rest = int(parts[1]), parts[2], int(parts[3]), ".".join(parts[4:])
    if parts[0] == "down_blocks":
        first = 1 + level * 3
        if what == "downsamplers":
            return f"input_blocks.{first + 2}.0.op", ""
        return f"input_blocks.{first + layer}.{0 if what == 'resnets' else 1}", rest
    first = level * 3
    if what == "upsamplers":
        return f"output_blocks.{first + 2}.{2 if level == 0 else 1}.conv", ""
    return f"output_blocks.{first + layer}.{0 if what == 'resnets' else 1}", rest


def _original_vq(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same for the first stage."""
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        new = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
        for level in range(3):
            new = new.replace(f"decoder.up_blocks.{level}.", f"decoder.up.{2 - level}.")
            new = new.replace(f"encoder.down_blocks.{level}.", f"encoder.down.{level}.")
        new = (
            new.replace(".resnets.", ".block.")
            .replace("downsamplers.0", "downsample")
            .replace("upsamplers.0", "upsample")
        )
        new = new.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if "attentions.0" in new:
            new = (
                new.replace("mid_block.attentions.0", "mid.attn_1")
                .replace("group_norm", "norm")
                .replace("to_out.0", "proj_out")
            )
            new = new.replace("to_q", "q").replace("to_k", "k").replace("to_v", "v")
        is_projection = ".mid.attn_1." in new and value.ndim == 2
        out[f"first_stage_model.{new}"] = (value[..., None, None] if is_projection else value).contiguous()
    return out


def write_ldsr(folder: Path) -> Path:
    """LDSR/ as an operator lays it down: the model under CompVis' names, and its project."""
    unet, vq = ldsr_networks()
    state: dict[str, Any] = _original_unet(unet.state_dict()) | _original_vq(vq.state_dict())
    state["betas"] = torch.zeros(1000)
    saved({"state_dict": state, "global_step": 3}, folder / "model.ckpt")
    (folder / "project.yaml").write_text(yaml.safe_dump(_PROJECT))
    return folder
