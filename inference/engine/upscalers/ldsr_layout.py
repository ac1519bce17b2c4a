"""The original file of latent diffusion super resolution (Rombach et al. 2021), under the names that diffusers' modules use.

Owns which weight goes where, and how large the networks are, read from the weights themselves. `model.diffusion_model` is an
improved-diffusion UNet, `first_stage_model` a VQ autoencoder of which only the decoder is wanted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from inference.engine.bad_file import BadFile

Shapes = Mapping[str, tuple[int, ...]]
UNET, FIRST_STAGE = "model.diffusion_model.", "first_stage_model."
_MARKS = (f"{UNET}input_blocks.0.0.weight", f"{FIRST_STAGE}quantize.embedding.weight")
_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_VQ_RESNET = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2", "nin_shortcut": "conv_shortcut"}
_VQ_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def is_ldsr(shapes: Shapes) -> bool:
    """Whether weights of these `shapes` are of LDSR: a UNet that sees a picture of three channels beside its latent of three."""
    return all(mark in shapes for mark in _MARKS) and shapes[_MARKS[0]][1:2] == (6,)


@dataclass(frozen=True, slots=True)
class UnetSizes:
    """Channels of each level, residual blocks in one, and which levels have attention."""

    channels: tuple[int, ...]
    layers: int
    attention: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class DecoderSizes:
    """Channels of each level of the decoder (the largest picture first), residual blocks in one, and the codebook."""

    channels: tuple[int, ...]
    layers: int
    codes: int
    latent: int


def unet_sizes(shapes: Shapes) -> UnetSizes:
    """Of the UNet in a file; a level ends where the picture is halved. Raises BadFile."""
    levels: list[list[tuple[int, bool]]] = [[]]
    for block in range(1, 1 + _highest(shapes, rf"{re.escape(UNET)}input_blocks\.(\d+)\.")):
        name = f"{UNET}input_blocks.{block}"
        if f"{name}.0.op.weight" in shapes:
            levels.append([])
        else:
            width = _shape(shapes, f"{name}.0.out_layers.3.weight")[0]
            levels[-1].append((width, f"{name}.1.qkv.weight" in shapes))
    if len({len(level) for level in levels}) != 1 or not levels[0]:
        raise BadFile("is no LDSR model that Easel knows: the levels of its UNet are not alike.")
    return UnetSizes(tuple(level[0][0] for level in levels), len(levels[0]), tuple(level[0][1] for level in levels))


def decoder_sizes(shapes: Shapes) -> DecoderSizes:
    """Of the decoder in a file. Raises BadFile."""
    up = f"{FIRST_STAGE}decoder.up"
    levels = 1 + _highest(shapes, rf"{re.escape(up)}\.(\d+)\.")
    channels = tuple(_shape(shapes, f"{up}.{level}.block.0.conv1.weight")[0] for level in range(levels))
    blocks = 1 + _highest(shapes, rf"{re.escape(up)}\.0\.block\.(\d+)\.")
    codes, latent = _shape(shapes, _MARKS[1])
    return DecoderSizes(channels, blocks - 1, codes, latent)


def unet_names(sizes: UnetSizes) -> dict[str, str]:
    """Prefix in the file -> prefix in diffusers' UNet2DModel; attention's qkv is not among them (`split_heads`)."""
    names = {
        "time_embed.0": "time_embedding.linear_1",
        "time_embed.2": "time_embedding.linear_2",
        "input_blocks.0.0": "conv_in",
        "out.0": "conv_norm_out",
        "out.2": "conv_out",
    }
    names |= _resnet("middle_block.0", "mid_block.resnets.0") | _attention("middle_block.1", "mid_block.attentions.0")
    names |= _resnet("middle_block.2", "mid_block.resnets.1")
    block, levels = 1, len(sizes.channels)
    for level in range(levels):
        here = f"down_blocks.{level}"
        for layer in range(sizes.layers):
            names |= _resnet(f"input_blocks.{block}.0", f"{here}.resnets.{layer}")
            names |= _attention(f"input_blocks.{block}.1", f"{here}.attentions.{layer}")
            block += 1
        if level < levels - 1:
            names[f"input_blocks.{block}.0.op"] = f"{here}.downsamplers.0.conv"
            block += 1
    for level in range(levels):
        here, attends = f"up_blocks.{level}", sizes.attention[levels - 1 - level]
        for layer in range(sizes.layers + 1):
            block = level * (sizes.layers + 1) + layer
            names |= _resnet(f"output_blocks.{block}.0", f"{here}.resnets.{layer}")
            names |= _attention(f"output_blocks.{block}.1", f"{here}.attentions.{layer}") if attends else {}
        names[f"output_blocks.{block}.{2 if attends else 1}.conv"] = f"{here}.upsamplers.0.conv"
    return names


def decoder_names(sizes: DecoderSizes) -> dict[str, str]:
    """Prefix in the file -> prefix in diffusers' VQModel, for what decodes."""
    names = {
        "quantize.embedding": "quantize.embedding",
        "post_quant_conv": "post_quant_conv",
        "decoder.conv_in": "decoder.conv_in",
        "decoder.norm_out": "decoder.conv_norm_out",
        "decoder.conv_out": "decoder.conv_out",
    }
    for old, new in (("block_1", "resnets.0"), ("block_2", "resnets.1")):
        names |= _joined(f"decoder.mid.{old}", f"decoder.mid_block.{new}", _VQ_RESNET)
    names |= _joined("decoder.mid.attn_1", "decoder.mid_block.attentions.0", _VQ_ATTENTION)
    levels = len(sizes.channels)
    for level in range(levels):
        here = f"decoder.up_blocks.{levels - 1 - level}"
        for layer in range(sizes.layers + 1):
            names |= _joined(f"decoder.up.{level}.block.{layer}", f"{here}.resnets.{layer}", _VQ_RESNET)
        names[f"decoder.up.{level}.upsample.conv"] = f"{here}.upsamplers.0.conv"
    return names


def converted(weights: Iterable[tuple[str, Tensor]], names: Mapping[str, str], *, head: int) -> dict[str, Tensor]:
    """`weights` under diffusers' names; those without one are left out. `head` is the width of an attention head."""
    state: dict[str, Tensor] = {}
    for name, value in weights:
        prefix, _, leaf = name.rpartition(".")
        if prefix.endswith(".qkv") and (place := names.get(prefix.removesuffix(".qkv") + ".norm")):
            place = place.removesuffix(".group_norm")
            for part, piece in zip(("to_q", "to_k", "to_v"), split_heads(value, head=head), strict=True):
                state[f"{place}.{part}.{leaf}"] = piece
        elif new := names.get(prefix):
            is_projection = ".attentions." in new and value.ndim > 2
            state[f"{new}.{leaf}"] = value.flatten(1) if is_projection else value
    return state


def split_heads(qkv: Tensor, *, head: int) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value (C, C) or (C,) of a weight (3C, C, 1) or bias (3C,) in which the three alternate head by head."""
    parts = qkv.flatten(1) if qkv.ndim > 1 else qkv
    heads = parts.reshape(-1, 3, head, *parts.shape[1:])
    query, key, value = (heads[:, part].reshape(-1, *parts.shape[1:]) for part in range(3))
    return query, key, value


def _resnet(old: str, new: str) -> dict[str, str]:
    return _joined(old, new, _RESNET)


def _attention(old: str, new: str) -> dict[str, str]:
    return _joined(old, new, {"norm": "group_norm", "proj_out": "to_out.0"})


def _joined(old: str, new: str, leaves: Mapping[str, str]) -> dict[str, str]:
    return {f"{old}.{before}": f"{new}.{after}" for before, after in leaves.items()}


def _highest(shapes: Shapes, pattern: str) -> int:
    """The highest number that `pattern` finds at the beginning of a name. Raises BadFile where there is none."""
    wanted = re.compile(pattern)
    numbers = [int(found[1]) for name in shapes if (found := wanted.match(name))]
    if not numbers:
        raise BadFile("is cut off or no LDSR model: weights of its UNet or its decoder are missing.")
    return max(numbers)


def _shape(shapes: Shapes, name: str) -> tuple[int, ...]:
    if name not in shapes:
        raise BadFile(f"is cut off or no LDSR model: it has no “{name}”.")
    return shapes[name]
