"""Write one half-precision .safetensors with the keys of an SD 1.x checkpoint, and the widths beside it as JSON."""

import json
import re
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from tools.default_model.shapes import ABOUT, GUIDANCE, PREDICTION, SCALE, TEXT, UNET, VAE
from tools.default_model.text import full_embedding
from tools.default_model.training import Run, load_state

MODEL = Path(__file__).parents[2] / "models/Stable-diffusion/easel-painter.safetensors"
Weights = dict[str, Tensor]
VAE_PREFIX, DECODES = "first_stage_model.", ("decoder.", "post_quant_conv.")

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)")


def unet_key(key: str, *, config: dict[str, Any]) -> str:
    """A diffusers UNet key in the LDM layout, without its prefix."""
    if match := _BLOCK.fullmatch(key):
        side, kind, rest = match[1], match[3], match[5]
        block, layer, depth = int(match[2]), int(match[4]), config["layers_per_block"] + 1
        rest = _resnet(rest) if kind == "resnets" else rest
        if kind == "downsamplers":
            return f"input_blocks.{depth * (block + 1)}.0.op.{rest.removeprefix('conv.')}"
        if kind == "upsamplers":
            place = 2 if config["up_block_types"][block].startswith("Cross") else 1
            return f"output_blocks.{depth * block + depth - 1}.{place}.{rest}"
        place = int(kind == "attentions")
        if side == "down":
            return f"input_blocks.{depth * block + layer + 1}.{place}.{rest}"
        return f"output_blocks.{depth * block + layer}.{place}.{rest}"
    if match := _MIDDLE.fullmatch(key):
        resnet = match[1] == "resnets"
        return f"middle_block.{2 * int(match[2]) if resnet else 1}.{_resnet(match[3]) if resnet else match[3]}"
    stem, leaf = key.rsplit(".", 1)
    return f"{_TOP[stem]}.{leaf}"


def _resnet(rest: str) -> str:
    name, _, leaf = rest.partition(".")
    return f"{_RESNET[name]}.{leaf}"


def vae_key(key: str, *, blocks: int) -> str:
    """A diffusers VAE key in the LDM layout, without its prefix; decoder blocks count from the other end there."""
    key = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", key)
    key = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0\.", r"down.\1.downsample.", key)
    key = re.sub(r"up_blocks\.(\d+)\.resnets\.", lambda m: f"up.{blocks - 1 - int(m[1])}.block.", key)
    key = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0\.", lambda m: f"up.{blocks - 1 - int(m[1])}.upsample.", key)
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    if "mid_block.attentions.0" in key:
        key = key.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
        key = re.sub(r"\.to_([qkv])\.", r".\1.", key).replace("to_out.0", "proj_out")
    return key


def ldm_layout(*, unet: Weights, vae: Weights, text: Weights, unet_config: dict[str, Any], vae_blocks: int) -> Weights:
    """All weights under the names that an SD 1.x checkpoint gives them."""
    weights = {f"model.diffusion_model.{unet_key(key, config=unet_config)}": value for key, value in unet.items()}
    for key, value in vae.items():
        name = vae_key(key, blocks=vae_blocks)
        convolution = "mid.attn_1" in name and value.ndim == 2  # attention there is written as 1x1 convolutions
        weights[VAE_PREFIX + name] = value[:, :, None, None] if convolution else value
    for key, value in text.items():
        if not key.endswith("position_ids"):
            weights[f"cond_stage_model.transformer.text_model.{key.removeprefix('text_model.')}"] = value
    return weights


def fold_scale(vae: Weights, *, mean: Tensor, std: Tensor) -> Weights:
    """Bring the latents' mean and deviation (each [4]) to 0 and 1 / 0.18215, by the two 1x1 convolutions around them."""
    factor = std * SCALE
    folded = dict(vae)
    weight, bias = vae["quant_conv.weight"].clone(), vae["quant_conv.bias"].clone()
    weight[:4] /= factor.view(4, 1, 1, 1)
    bias[:4] = (bias[:4] - mean) / factor
    bias[4:] -= 2 * factor.log()
    folded["quant_conv.weight"], folded["quant_conv.bias"] = weight, bias
    back = vae["post_quant_conv.weight"]
    folded["post_quant_conv.bias"] = vae["post_quant_conv.bias"] + back[:, :, 0, 0] @ mean
    folded["post_quant_conv.weight"] = back * factor.view(1, 4, 1, 1)
    return folded


def with_decoder(exported: Weights, vae: Weights) -> Weights:
    """An exported file's weights with the decoder of `vae`, both under the names of an SD 1.x checkpoint, in half precision.

    Raises ValueError where the encoders differ: what the painter paints would then mean something else.
    """
    changed = dict(exported)
    for key, value in vae.items():
        if key.removeprefix(VAE_PREFIX).startswith(DECODES):
            changed[key] = value
        elif not torch.equal(value, exported[key]):
            raise ValueError(f"The encoder is not that of {MODEL.name} ({key}); export the whole model instead.")
    return changed


def export_decoder(run: Run) -> None:
    """Take the decoder of `vae.pt` into the exported file; the rest stays bit for bit."""
    vae = load_state(run.data / "vae.pt")
    folded = fold_scale(vae["model"], mean=vae["mean"], std=vae["std"])
    layout = ldm_layout(unet={}, vae=folded, text={}, unet_config=UNET, vae_blocks=len(VAE["block_out_channels"]))
    told = {"format": "pt", "modelspec.title": MODEL.stem, "samples": str(samples_of(MODEL))}
    _write(with_decoder(load_file(MODEL), _halved(layout)), told)


def _halved(weights: Weights) -> Weights:
    half = {key: value.detach().half().contiguous() for key, value in weights.items()}
    if not all(torch.isfinite(value).all() for value in half.values()):
        raise ValueError("A weight does not fit into half precision; train on with a lower rate.")
    return half


def _write(half: Weights, metadata: dict[str, str]) -> None:
    """Whole or not at all."""
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    unfinished = MODEL.with_suffix(".unfinished")
    save_file(half, unfinished, metadata=metadata)
    unfinished.replace(MODEL)
    print(f"{MODEL.name}: {MODEL.stat().st_size / 2**20:.2f} MiB, {len(half)} tensors")


def main(run: Run) -> None:
    """Take the averaged weights of `painter.pt`, `vae.pt` and `text.pt` and write the model and its JSON.

    With `part` "decoder" only the decoder of `vae.pt` is taken, into the file that is there.
    """
    if run.part == "decoder":
        export_decoder(run)
        return
    painter, vae, text = (load_state(run.data / f"{part}.pt") for part in ("painter", "vae", "text"))
    unet = UNet2DConditionModel(**UNET)
    for parameter, value in zip(unet.parameters(), painter["average"], strict=True):
        parameter.data.copy_(value)
    words = dict(text["model"])
    name = next(key for key in words if key.endswith("token_embedding.weight"))
    words[name] = full_embedding(words[name], text["known"])
    weights = ldm_layout(
        unet=unet.state_dict(),
        vae=fold_scale(vae["model"], mean=vae["mean"], std=vae["std"]),
        text=words,
        unet_config=UNET,
        vae_blocks=len(VAE["block_out_channels"]),
    )
    told = {"format": "pt", "modelspec.title": MODEL.stem, "samples": str(painter["seen"])}
    _write(_halved(weights), told)
    shapes = {"unet": UNET, "vae": VAE, "text_encoder": TEXT, "prediction_type": PREDICTION}
    shapes |= {"cfg_scale": GUIDANCE, "description": ABOUT}
    MODEL.with_suffix(".json").write_text(json.dumps(shapes, indent=1) + "\n", encoding="utf-8")


def samples_of(path: Path) -> int:
    """How many samples an exported file's painter has seen."""
    with safe_open(path, framework="pt") as file:
        return int(file.metadata()["samples"])


def load_exported(path: Path) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """The three networks back from one exported file and its JSON, ready to paint."""
    shapes = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    unet, vae = UNet2DConditionModel(**shapes["unet"]), AutoencoderKL(**shapes["vae"])
    text = CLIPTextModel(CLIPTextConfig(**shapes["text_encoder"]))
    file = load_file(path)
    blocks = len(shapes["vae"]["block_out_channels"])
    names = {
        unet: lambda key: f"model.diffusion_model.{unet_key(key, config=shapes['unet'])}",
        vae: lambda key: f"{VAE_PREFIX}{vae_key(key, blocks=blocks)}",
        text: lambda key: f"cond_stage_model.transformer.text_model.{key.removeprefix('text_model.')}",
    }
    for module, name in names.items():
        state = {
            key: file[name(key)].float().reshape(value.shape)
            for key, value in module.state_dict().items()
            if not key.endswith("position_ids")
        }
        module.load_state_dict(state, strict=False)
        module.eval().requires_grad_(requires_grad=False)
    return unet, vae, text
