"""Tiny checkpoints and broken files for tests: Stable Diffusion's own architecture, small enough to build in a second.

Weights are random but deterministic in the seed. The vocabulary is the real one (49,408 rows), so widths are small
instead. Each file is written in the single-file layout with its config beside it, as an unusual width needs.
"""

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.engine.layout import Source, clip_sources, open_clip_sources, unet_sources, vae_sources

FamilyName = Literal["sd1", "sd2", "sdxl", "sdxl_refiner"]
Prediction = Literal["epsilon", "v_prediction"]

_VAE: dict[str, Any] = {
    "block_out_channels": [8, 8, 16, 16],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "latent_channels": 4,
    "sample_size": 64,
}
_UNET: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": [16, 32],
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "attention_head_dim": 2,
    "cross_attention_dim": 16,
}
_TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "projection_dim": 16,
    "max_position_embeddings": 77,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
    "hidden_act": "quick_gelu",
}


def tiny_config(family: FamilyName = "sd1") -> dict[str, Any]:
    """The config of a tiny checkpoint of `family`, as it lies beside the file."""
    if family == "sd1":
        return {"native": 64, "unet": dict(_UNET), "vae": dict(_VAE), "text_encoder": dict(_TEXT)}
    towered = dict(_TEXT, hidden_act="gelu", pad_token_id=0)
    if family == "sd2":
        unet = dict(_UNET, use_linear_projection=True, attention_head_dim=[2, 4])
        return {"native": 64, "unet": unet, "vae": dict(_VAE), "text_encoder": towered}
    small = {"hidden_size": 8, "intermediate_size": 16, "projection_dim": 8}
    if family == "sdxl_refiner":
        return {"native": 64, "unet": _refiner_unet(), "vae": dict(_VAE), "text_encoder_2": {**towered, **small}}
    unet = dict(
        _UNET,
        use_linear_projection=True,
        attention_head_dim=[2, 4],
        transformer_layers_per_block=[2, 1],
        cross_attention_dim=16,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=8 + 6 * 8,
    )
    return {
        "native": 64,
        "unet": unet,
        "vae": dict(_VAE),
        "text_encoder": {**_TEXT, **small},
        "text_encoder_2": {**towered, **small},
    }


def _refiner_unet() -> dict[str, Any]:
    """Four levels, of which the two in the middle attend: five numbers beside the pooled text, a context of one tower."""
    return dict(
        _UNET,
        block_out_channels=[16, 16, 32, 32],
        down_block_types=["DownBlock2D", *["CrossAttnDownBlock2D"] * 2, "DownBlock2D"],
        up_block_types=["UpBlock2D", *["CrossAttnUpBlock2D"] * 2, "UpBlock2D"],
        use_linear_projection=True,
        attention_head_dim=[2, 2, 4, 4],
        transformer_layers_per_block=2,
        cross_attention_dim=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=8 + 5 * 8,
    )


def tiny_weights(
    *, seed: int = 0, family: FamilyName = "sd1", config: dict[str, Any] | None = None
) -> dict[str, Tensor]:
    """Random half-precision weights of a tiny checkpoint under the single file's keys."""
    config = config or tiny_config(family)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel(**config["unet"])
        vae = AutoencoderKL(**config["vae"])
        text = CLIPTextModel(CLIPTextConfig(**config["text_encoder"])) if "text_encoder" in config else None
        projected = config.get("text_encoder_2")
        second = CLIPTextModelWithProjection(CLIPTextConfig(**projected)) if projected else None
        for module in filter(None, (unet, vae, text, second)):
            _roughen(module)
    weights = _place(unet, unet_sources(unet.state_dict(), unet.config))
    weights |= _place(vae, vae_sources(vae.state_dict(), vae.config))
    if text is None:
        assert second is not None
        weights |= _place(second, open_clip_sources(second.state_dict(), prefix="conditioner.embedders.0.model."))
    elif family == "sd1":
        weights |= _place(text, clip_sources(text.state_dict(), prefix="cond_stage_model.transformer."))
    elif family == "sd2":
        weights |= _place(text, open_clip_sources(text.state_dict(), prefix="cond_stage_model.model."))
    else:
        assert second is not None
        weights |= _place(text, clip_sources(text.state_dict(), prefix="conditioner.embedders.0.transformer."))
        weights |= _place(second, open_clip_sources(second.state_dict(), prefix="conditioner.embedders.1.model."))
    return {key: value.detach().half().contiguous() for key, value in weights.items()}


def write_tiny_checkpoint(
    path: Path,
    *,
    seed: int = 0,
    family: FamilyName = "sd1",
    prediction: Prediction = "epsilon",
    inpainting: bool = False,
) -> Path:
    """Write a tiny checkpoint (about 2 MB) and its config beside it; `.ckpt` is written with torch.save, nested.

    Returns `path`. Deterministic in `seed`. One for `inpainting` has nine input channels, of which its config says nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    config = tiny_config(family)
    if inpainting:
        config["unet"]["in_channels"] = 9
    weights = tiny_weights(seed=seed, family=family, config=config)
    if path.suffix == ".ckpt":
        torch.save({"state_dict": weights, "epoch": 3, "global_step": 70}, path)
    else:
        save_file(weights, path)
    write_config(path, tiny_config(family) | {"prediction_type": prediction})
    return path


def write_config(path: Path, config: dict[str, Any]) -> Path:
    """Write `config` beside the checkpoint `path`; returns where."""
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return beside


class Hostile:
    """A value whose unpickling would make the folder `marker`: proof that code ran."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.marker),))


def write_hostile_checkpoint(path: Path, marker: Path) -> Path:
    """Write a `.ckpt` that would create `marker` when unpickled carelessly; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": Hostile(marker)}, path)
    return path


def write_hostile_pickle(path: Path, marker: Path) -> Path:
    """Write the same trap as a bare pickle without a zip around it; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(Hostile(marker), protocol=2))
    return path


def write_text_file(path: Path) -> Path:
    """Write prose under the name of a weights file, as a failed download leaves it; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<html><body>404: this model has moved</body></html>" * 20, encoding="utf-8")
    return path


def write_truncated_checkpoint(path: Path) -> Path:
    """Write the first two thirds of a tiny checkpoint; returns `path`."""
    write_tiny_checkpoint(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    return path


def _roughen(module: nn.Module) -> None:
    """Move scales and shifts off their neutral start, as training does; neutral norms would hide mistakes."""
    with torch.no_grad():
        for weight in module.parameters():
            if weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.1)


def _place(module: nn.Module, sources: Mapping[str, Source]) -> dict[str, Tensor]:
    """Weights of `module` under the file's keys; joint projections are put together again."""
    thirds: dict[str, dict[int, Tensor]] = {}
    placed: dict[str, Tensor] = {}
    for name, value in module.state_dict().items():
        source = sources[name]
        if source.third is not None:
            thirds.setdefault(source.key, {})[source.third] = value
        elif ".mid.attn_1." in source.key and value.ndim == 2:
            placed[source.key] = value[:, :, None, None]
        else:
            placed[source.key] = value.T if source.transposed else value
    return placed | {key: torch.cat([parts[i] for i in range(3)]) for key, parts in thirds.items()}
