"""Which layer a network's tensor is for: kohya's, diffusers' and the original (LDM) names, brought to one form.

Owns the names. Every layer is known as `lora_unet_…`, `lora_te1_…` or `lora_te2_…` with underscores (kohya's form), under
its diffusers path and under its LDM path.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from inference.engine.layout import UNET_PREFIX, unet_sources

SUFFIXES: dict[str, str] = {
    **{
        name: name
        for name in (
            *(f"lora_{part}.weight" for part in ("up", "down", "mid")),
            *(f"hada_{part}" for part in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")),
            *(f"lokr_{part}" for part in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")),
            *(f"{part}.weight" for part in ("a1", "a2", "b1", "b2")),
            *("alpha", "scale", "dora_scale", "oft_blocks", "oft_diag", "rescale"),
            *("diff", "diff_b", "w_norm", "b_norm", "on_input", "weight"),
        )
    },
    "lora_A.weight": "lora_down.weight",
    "lora_B.weight": "lora_up.weight",
    "lora_A.default.weight": "lora_down.weight",
    "lora_B.default.weight": "lora_up.weight",
    "lora.down.weight": "lora_down.weight",
    "lora.up.weight": "lora_up.weight",
    "lora_linear_layer.down.weight": "lora_down.weight",
    "lora_linear_layer.up.weight": "lora_up.weight",
    "lora_magnitude_vector": "dora_scale",
    "lora_magnitude_vector.weight": "dora_scale",
}
"""Endings of tensor names as they occur, and the webui's name for each."""
_BY_LENGTH = sorted(SUFFIXES, key=len, reverse=True)

_PREFIXES = (
    ("base_model.model.", ""),
    ("model.diffusion_model.", "lora_unet_"),
    ("diffusion_model.", "lora_unet_"),
    ("unet.", "lora_unet_"),
    ("text_encoder_2.", "lora_te2_"),
    ("text_encoder.", "lora_te1_"),
    ("lora_te_", "lora_te1_"),
    ("lora_prior_unet_", "lora_unet_"),
)
_OLD_DIFFUSERS = re.compile(r"\.processor\.to_(q|k|v|out)_lora\.(up|down)\.weight$")


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A layer that can be changed, and which of a tag's two strengths counts for it."""

    module: nn.Module
    side: Literal["unet", "te"]

    @property
    def weight(self) -> Tensor:
        """The layer's weight as it is now."""
        weight = self.module.weight
        assert isinstance(weight, Tensor)  # noqa: S101 - only layers with weights become targets
        return weight


def split_key(key: str) -> tuple[str, str] | None:
    """(layer in the one form, webui's tensor name), or None when the ending is of no network."""
    if found := _OLD_DIFFUSERS.search(key):
        part = "to_out.0" if found[1] == "out" else f"to_{found[1]}"
        return canonical(f"{key[: found.start()]}.{part}"), f"lora_{found[2]}.weight"
    for suffix in _BY_LENGTH:
        if key.endswith(f".{suffix}"):
            return canonical(key.removesuffix(f".{suffix}")), SUFFIXES[suffix]
    return None


def canonical(layer: str) -> str:
    """A layer's name in the one form: `lora_unet_…`, `lora_te1_text_model_…`, `lora_te2_text_model_…`."""
    for prefix, short in _PREFIXES:
        if layer.startswith(prefix):
            layer = short + layer.removeprefix(prefix)
    layer = layer.replace(".", "_")
    return re.sub(r"^(lora_te[12]_)(?!text_model_|text_projection)", r"\1text_model_", layer)


def targets_of(unet: nn.Module, towers: Iterable[nn.Module], *, config: Mapping[str, Any]) -> dict[str, Target]:
    """Every layer with a weight, under each of its names in the one form."""
    found: dict[str, Target] = {}
    layers = {
        name: module for name, module in unet.named_modules() if isinstance(getattr(module, "weight", None), Tensor)
    }
    sources = unet_sources([f"{name}.weight" for name in layers], config)
    for name, module in layers.items():
        target = Target(module, "unet")
        original = sources[f"{name}.weight"].key.removeprefix(UNET_PREFIX).removesuffix(".weight")
        for path in (name, original):
            found["lora_unet_" + path.replace(".", "_")] = target
    for number, tower in enumerate(towers, start=1):
        for name, module in tower.named_modules():
            if isinstance(getattr(module, "weight", None), Tensor):
                path = name.removeprefix("text_model.").replace(".", "_")
                found[f"lora_te{number}_text_model_{path}"] = Target(module, "te")
    return found
