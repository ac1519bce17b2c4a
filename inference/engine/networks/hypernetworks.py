"""Hypernetworks: small networks that change what attention reads as keys and values (webui v1.10.1, `<hypernet:…>`).

Owns their file format and their formula. The checkpoint's weights are not touched: a hypernetwork hangs on the inputs of the
UNet's `to_k` and `to_v` while it is worn. Refuses to know about prompts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.engine.bad_file import BadFile
from inference.engine.pickles import read_pickle

_LAYER = re.compile(r"linear\.(\d+)\.(weight|bias)")
_OLD = {"linear1.weight": "linear.0.weight", "linear1.bias": "linear.0.bias"} | {
    "linear2.weight": "linear.1.weight",
    "linear2.bias": "linear.1.bias",
}
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leakyrelu": nn.LeakyReLU,
    "elu": nn.ELU,
    "swish": nn.Hardswish,
    "hardswish": nn.Hardswish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "softsign": nn.Softsign,
    "softplus": nn.Softplus,
    "celu": nn.CELU,
    "relu6": nn.ReLU6,
    "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid,
    "logsigmoid": nn.LogSigmoid,
    "softshrink": nn.Softshrink,
    "hardshrink": nn.Hardshrink,
    "tanhshrink": nn.Tanhshrink,
}
"""By the names in the files ("linear" is none)."""


@dataclass(frozen=True, slots=True)
class Hypernetwork:
    """Networks for keys and for values by the width of the context they change."""

    pairs: Mapping[int, tuple[nn.Sequential, nn.Sequential]]


@dataclass(frozen=True, slots=True)
class _Form:
    """How a file builds its networks from its layers."""

    activation: type[nn.Module] | None
    activate_output: bool


@torch.inference_mode(mode=False)  # its weights are used in that mode and out of it
def read_hypernetwork(path: Path) -> Hypernetwork:
    """Read a hypernetwork's `.pt` file; fp32. Raises BadFile when it is none, OSError when unreadable."""
    table = read_pickle(path)
    if not isinstance(table, Mapping):
        raise BadFile("is no hypernetwork: it holds no table.")
    name = table.get("activation_func") or "linear"
    if not isinstance(name, str) or (name != "linear" and name not in ACTIVATIONS):
        raise BadFile(f"is a hypernetwork with the activation “{name}”, which Easel does not know.")
    form = _Form(ACTIVATIONS.get(name), bool(table.get("activate_output", True)))
    pairs = {width: pair for width, pair in table.items() if isinstance(width, int) and not isinstance(width, bool)}
    if not pairs:
        raise BadFile("is no hypernetwork: it holds no layers by width.")
    try:
        return Hypernetwork(
            {width: (_built(keys, form, width), _built(values, form, width)) for width, (keys, values) in pairs.items()}
        )
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise BadFile("is a hypernetwork whose layers do not fit together.") from error


def _built(state: Mapping[str, Tensor], form: _Form, width: int) -> nn.Sequential:
    """One network from its weights: linear layers, norms where a weight has one dimension, activations between.

    Raises one of what `read_hypernetwork` catches where it does not turn `width` numbers into as many.
    """
    layers: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        place = _LAYER.fullmatch(_OLD.get(key, key))
        if place is not None:
            layers.setdefault(int(place[1]), {})[place[2]] = value.detach().float()
    ordered = [layers[number] for number in sorted(layers)]
    last = max(number for number, layer in enumerate(ordered) if layer["weight"].ndim == 2)
    parts: list[nn.Module] = []
    for number, layer in enumerate(ordered):
        if not all(bool(value.isfinite().all()) for value in layer.values()):
            raise BadFile("holds numbers that are not finite (NaN).")
        parts.append(_norm(layer) if layer["weight"].ndim == 1 else _linear(layer))
        if form.activation is not None and layer["weight"].ndim == 2 and (number != last or form.activate_output):
            parts.append(form.activation())
    built = nn.Sequential(*parts).eval().requires_grad_(requires_grad=False)
    if built(torch.zeros(1, width)).shape != (1, width):
        raise ValueError("another width comes out than goes in")
    return built


def _linear(layer: Mapping[str, Tensor]) -> nn.Linear:
    out, into = layer["weight"].shape
    module = nn.Linear(into, out, bias="bias" in layer, device="meta")
    module.load_state_dict(dict(layer), assign=True)
    return module


def _norm(layer: Mapping[str, Tensor]) -> nn.LayerNorm:
    module = nn.LayerNorm(len(layer["weight"]), device="meta")
    module.load_state_dict(dict(layer), assign=True)
    return module


def attentions(unet: nn.Module) -> Iterator[Any]:
    """Every attention of `unet`: modules with `to_k` and `to_v`."""
    for module in unet.modules():
        if isinstance(getattr(module, "to_k", None), nn.Linear) and isinstance(
            getattr(module, "to_v", None), nn.Linear
        ):
            yield module


def hang(unet: nn.Module, network: Hypernetwork, strength: float) -> list[Any]:
    """Let `network` change the keys and values of `unet`, times `strength`; the handles that take it off again (`remove`).

    Those hung later see what the earlier ones made. Widths that the network does not know stay as they are.
    """
    device = next(unet.parameters()).device
    handles: list[Any] = []
    for attention in attentions(unet):
        for side, layer in enumerate((attention.to_k, attention.to_v)):
            pair = network.pairs.get(layer.in_features)
            if pair is not None:
                handles.append(layer.register_forward_pre_hook(_hook(pair[side].to(device), strength)))
    return handles


def _hook(part: nn.Sequential, strength: float) -> Any:
    def change(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        context = inputs[0].float()
        return ((context + part(context) * strength).to(inputs[0].dtype), *inputs[1:])

    return change


def fits(unet: nn.Module, network: Hypernetwork) -> bool:
    """Whether `network` knows the width of what `unet` reads words in, or, where it knows no words, any of its widths."""
    widths = {attention.to_k.in_features for attention in attentions(unet)}
    words = {width for width in network.pairs if width in (768, 1024, 2048)}
    known = widths & network.pairs.keys()
    return bool(known) and (not words or bool(words & widths))
