"""Names of weights: where each weight of a diffusers or transformers module lies in a single-file (LDM) checkpoint.

Owns the mapping in the direction that never guesses: from a module's own weight names to the file's keys, for any width
and depth. Loading, LoRA names and writing checkpoints all read this one table. Refuses to know about tensors' values.
The layout is that of CompVis latent-diffusion and Stability's generative-models, and open_clip for SD2 and SDXL's G.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP_TOP = {
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "final_layer_norm.weight": "ln_final.weight",
    "final_layer_norm.bias": "ln_final.bias",
}
_OPEN_CLIP_LAYER = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.(.+)")


@dataclass(frozen=True, slots=True)
class Source:
    """Where one weight lies: the file's key; `third` 0, 1, 2 for q, k, v out of a joint projection; transposed or not."""

    key: str
    third: int | None = None
    transposed: bool = False


def unet_sources(names: Iterable[str], config: Mapping[str, Any], *, prefix: str = UNET_PREFIX) -> dict[str, Source]:
    """Weight name of a `UNet2DConditionModel` with `config` -> its place in the file."""
    return {name: Source(prefix + _unet_key(name, config)) for name in names}


def vae_sources(names: Iterable[str], config: Mapping[str, Any], *, prefix: str = VAE_PREFIX) -> dict[str, Source]:
    """Weight name of an `AutoencoderKL` with `config` -> its place in the file (attention there is a 1×1 convolution)."""
    blocks = len(config["block_out_channels"])
    return {name: Source(prefix + _vae_key(name, blocks)) for name in names}


def clip_sources(names: Iterable[str], *, prefix: str) -> dict[str, Source]:
    """Weight name of a transformers CLIP text model -> its place; the file always has the `text_model.` level."""
    return {name: Source(f"{prefix}text_model.{name.removeprefix('text_model.')}") for name in names}


def open_clip_sources(names: Iterable[str], *, prefix: str) -> dict[str, Source]:
    """Weight name of a transformers CLIP text model -> its place in an open_clip tower (q, k, v are one tensor there)."""
    return {name: _open_clip_source(name.removeprefix("text_model."), prefix) for name in names}


def _resnet(rest: str) -> str:
    stem, leaf = rest.rsplit(".", 1)
    return f"{_RESNET[stem]}.{leaf}"


def _unet_key(name: str, config: Mapping[str, Any]) -> str:
    if found := _BLOCK.fullmatch(name):
        return _unet_block_key(found, config)
    if found := _MIDDLE.fullmatch(name):
        if found[1] == "resnets":
            return f"middle_block.{2 * int(found[2])}.{_resnet(found[3])}"
        return f"middle_block.1.{found[3]}"
    stem, leaf = name.rsplit(".", 1)
    return f"{_UNET_TOP[stem]}.{leaf}"


def _unet_block_key(found: re.Match[str], config: Mapping[str, Any]) -> str:
    side, block, kind, index, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    stride = int(config["layers_per_block"]) + 1
    if kind == "downsamplers":
        return f"input_blocks.{stride * (block + 1)}.0.op.{rest.removeprefix('conv.')}"
    if side == "down":
        base = f"input_blocks.{stride * block + index + 1}"
    else:
        base = f"output_blocks.{stride * block + (index if kind != 'upsamplers' else stride - 1)}"
    if kind == "upsamplers":
        crossed = config["up_block_types"][block].startswith("CrossAttn")
        return f"{base}.{2 if crossed else 1}.{rest}"
    return f"{base}.0.{_resnet(rest)}" if kind == "resnets" else f"{base}.1.{rest}"


def _vae_key(name: str, blocks: int) -> str:
    key = re.sub(r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)", r"encoder.down.\1.block.\2", name)
    key = re.sub(r"encoder\.down_blocks\.(\d+)\.downsamplers\.0\.", r"encoder.down.\1.downsample.", key)
    key = re.sub(
        r"decoder\.up_blocks\.(\d+)\.resnets\.(\d+)", lambda m: f"decoder.up.{blocks - 1 - int(m[1])}.block.{m[2]}", key
    )
    key = re.sub(
        r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.", lambda m: f"decoder.up.{blocks - 1 - int(m[1])}.upsample.", key
    )
    key = re.sub(r"mid_block\.resnets\.(\d+)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    if "mid_block.attentions.0." in key:
        head, tail = key.split("mid_block.attentions.0.")
        stem, leaf = tail.rsplit(".", 1)
        return f"{head}mid.attn_1.{_VAE_ATTENTION[stem]}.{leaf}"
    return key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def _open_clip_source(name: str, prefix: str) -> Source:
    if name in _OPEN_CLIP_TOP:
        return Source(prefix + _OPEN_CLIP_TOP[name])
    if name == "text_projection.weight":
        return Source(prefix + "text_projection", transposed=True)
    found = _LAYER.fullmatch(name)
    if found is None:
        return Source(prefix + name)
    base = f"{prefix}transformer.resblocks.{found[1]}."
    stem, leaf = found[2].rsplit(".", 1)
    if stem in _OPEN_CLIP_LAYER:
        return Source(f"{base}{_OPEN_CLIP_LAYER[stem]}.{leaf}")
    third = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj").index(stem)
    return Source(f"{base}attn.in_proj_{leaf}", third=third)
