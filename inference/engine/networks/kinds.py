"""What each kind of weight network adds to a layer: one short function a kind, chosen by the names of its tensors.

Owns the formulas as the webui (v1.10.1, extensions-builtin/Lora) evaluates them: LoRA (Hu et al. 2021), LoCon, LoHa, LoKr,
IA3, full difference, norm, GLoRA, OFT and BOFT (the LyCORIS family), and DoRA's decomposition (Liu et al. 2024) on top of
any. Everything is computed in fp32. Refuses to know which layer it is for and how strongly it is wanted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inference.engine.bad_file import BadFile
from inference.engine.families import INPAINTING

LATENT = 4
"""Channels of a latent."""
Weights = Mapping[str, Tensor]
"""A network's tensors for one layer, under the webui's names (`lora_up.weight`, `hada_w1_a`, …)."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What to add at strength 1: `weight` in the layer's shape, fp32, and `bias` where the kind has one."""

    weight: Tensor | None
    bias: Tensor | None = None


def delta_of(weights: Weights, original: Tensor, *, rank: int | None = None) -> Delta:
    """What `weights` add to a layer whose weight is `original`, fp32; `rank` keeps that many ranks of a LoRA (`dyn`).

    Raises BadFile when the tensors are of no known kind or do not fit the layer.
    """
    weights = {name: value.to(original.device, torch.float32) for name, value in weights.items()}
    kind = next((row for row in KINDS if row.mark in weights), None)
    if kind is None:
        raise BadFile(f"has a layer of an unknown kind ({', '.join(sorted(weights))}).")
    try:
        raw = kind.make(weights, original, rank)
        if raw is None:
            return Delta(None, weights.get(kind.bias))
        part = _part_of(original, raw)
        change = raw.reshape(part.shape) * _scale(weights, kind, raw)
        if "dora_scale" in weights:
            change = _decomposed(change, part, weights["dora_scale"])
        if part.shape != original.shape:
            change = functional.pad(change, (0, 0, 0, 0, 0, original.shape[1] - part.shape[1]))
    except (RuntimeError, KeyError, IndexError, ValueError) as error:
        raise BadFile(f"does not fit: a layer of shape {tuple(original.shape)} was expected.") from error
    return Delta(change, weights.get(kind.bias))


def _part_of(original: Tensor, raw: Tensor) -> Tensor:
    """What of a layer `raw` changes: all of it, but of an inpainting model's first convolution only the four latent channels
    where the network was made for the plain model (the mask's and the picture's stay as they were, as in the webui).
    """
    plain = original[:, :LATENT] if original.ndim == 4 and original.shape[1] == INPAINTING else original
    return plain if raw.numel() == plain.numel() else original


def low_rank(weights: Weights) -> tuple[Tensor, Tensor, float] | None:
    """(up, down, scale) of a plain LoRA, whose product can be added in one step; None for every other kind."""
    if "lora_up.weight" not in weights or {"lora_mid.weight", "dora_scale"} & weights.keys():
        return None
    up, down = weights["lora_up.weight"].flatten(1), weights["lora_down.weight"].flatten(1)
    return up, down, _said_scale(weights, down.shape[0])


def _lora(weights: Weights, _: Tensor, rank: int | None) -> Tensor:
    up, down = weights["lora_up.weight"].flatten(1), weights["lora_down.weight"].flatten(1)
    if "lora_mid.weight" in weights:
        return torch.einsum("nmkl,in,mj->ijkl", weights["lora_mid.weight"], up, down)
    return up[:, :rank] @ down[:rank]


def _loha(weights: Weights, _: Tensor, __: int | None) -> Tensor:
    factors = ((weights[f"hada_w{i}_a"], weights[f"hada_w{i}_b"], weights.get(f"hada_t{i}")) for i in (1, 2))
    first, second = (a @ b if core is None else _cored(core, a, b) for a, b, core in factors)
    return first * second


def _lokr(weights: Weights, _: Tensor, __: int | None) -> Tensor:
    first = weights["lokr_w1"] if "lokr_w1" in weights else weights["lokr_w1_a"] @ weights["lokr_w1_b"]
    if "lokr_w2" in weights:
        second = weights["lokr_w2"]
    elif "lokr_t2" in weights:
        second = _cored(weights["lokr_t2"], weights["lokr_w2_a"], weights["lokr_w2_b"])
    else:
        second = weights["lokr_w2_a"] @ weights["lokr_w2_b"].flatten(1)
    return torch.kron(first[:, :, None, None] if second.ndim == 4 else first, second.contiguous())


def _cored(core: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """A convolution in Tucker form: `core` (i, j, k, l), `a` (i, out), `b` (j, in)."""
    return torch.einsum("ijkl,jr,ip->prkl", core, b, a)


def _ia3(weights: Weights, original: Tensor, _: int | None) -> Tensor:
    on_input = bool(weights.get("on_input", torch.zeros(())).item())
    axes = [1] * original.ndim
    axes[1 if on_input else 0] = -1
    return original.float() * weights["weight"].reshape(axes)


def _full(weights: Weights, _: Tensor, __: int | None) -> Tensor:
    return weights["diff"]


def _bias_only(_: Weights, __: Tensor, ___: int | None) -> None:
    return None


def _norm(weights: Weights, _: Tensor, __: int | None) -> Tensor:
    return weights["w_norm"]


def _glora(weights: Weights, original: Tensor, _: int | None) -> Tensor:
    a1, a2, b1, b2 = (weights[f"{name}.weight"].flatten(1) for name in ("a1", "a2", "b1", "b2"))
    return b2 @ b1 + (original.float().flatten(1) @ a2) @ a1


def _oft(weights: Weights, original: Tensor, _: int | None) -> Tensor:
    """Blocks that only turn the output channels: Cayley's transform of a skew matrix (Qiu et al. 2023)."""
    blocks = weights["oft_blocks"]
    skew = blocks - blocks.transpose(-1, -2)
    limit = float(weights["alpha"]) * original.shape[0] if "alpha" in weights else 0.0
    if limit:
        length = skew.norm()
        skew = skew * ((length.clamp(max=limit) + 1e-8) / (length + 1e-8))
    eye = torch.eye(skew.shape[-1], device=skew.device)
    turns = (eye + skew) @ torch.linalg.inv(eye - skew)
    turned = _butterfly(turns, original) if turns.ndim == 4 else _turned(turns, original)
    return _rescaled(weights, turned) - original.float()


def _oft_diagonal(weights: Weights, original: Tensor, _: int | None) -> Tensor:
    """The older LyCORIS form, which stores the turns themselves."""
    return _rescaled(weights, _turned(weights["oft_diag"], original)) - original.float()


def _turned(turns: Tensor, original: Tensor) -> Tensor:
    blocks = original.float().reshape(len(turns), turns.shape[-1], -1)
    return torch.einsum("knm,kn...->km...", turns, blocks).reshape(original.shape)


def _butterfly(turns: Tensor, original: Tensor) -> Tensor:
    """BOFT (Liu et al. 2023): several rounds of turns between ever farther channels. `turns` is (rounds, blocks, b, b)."""
    size = turns.shape[-1]
    rows = original.float().flatten(1)
    for number, turn in enumerate(turns):
        stride = 2**number * (size // 2)
        mixed = rows.reshape(-1, 2, stride, rows.shape[1]).transpose(1, 2).reshape(-1, size, rows.shape[1])
        mixed = torch.einsum("bij,bjc->bic", turn, mixed)
        rows = mixed.reshape(-1, stride, 2, rows.shape[1]).transpose(1, 2).reshape(rows.shape)
    return rows.reshape(original.shape)


def _rescaled(weights: Weights, turned: Tensor) -> Tensor:
    rescale = weights.get("rescale")
    return turned if rescale is None else turned * rescale.reshape(-1, *[1] * (turned.ndim - 1))


def _decomposed(change: Tensor, original: Tensor, magnitude: Tensor) -> Tensor:
    """DoRA: the changed weight, brought to the stored length for each input channel, less the original.

    A channel that is all zeros has no direction to be brought to any length in, and stays zero (as in LyCORIS, whose length
    is a little more than nothing; the webui divides by it, and all of the picture is NaN).
    """
    whole = change + original.float()
    length = whole.transpose(0, 1).flatten(1).norm(dim=1).reshape(1, -1, *[1] * (whole.ndim - 2))
    factor = torch.where(length > 0, magnitude.reshape(length.shape) / length, 0.0)
    return whole * factor - original.float()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of network: the tensor by which it is known, its formula, and which tensor's length is its rank.

    Only a kind with a rank is scaled by alpha / rank. `bias` names the tensor that is added to the layer's bias.
    """

    mark: str
    make: Callable[[Weights, Tensor, int | None], Tensor | None]
    ranks: tuple[str, ...] = ()
    bias: str = ""


KINDS: tuple[Kind, ...] = (
    Kind("lora_up.weight", _lora, ("lora_down.weight",)),
    Kind("hada_w1_a", _loha, ("hada_w1_b",)),
    Kind("lokr_w1", _lokr, ("lokr_w1_b", "lokr_w2_b")),
    Kind("lokr_w1_a", _lokr, ("lokr_w1_b", "lokr_w2_b")),
    Kind("oft_blocks", _oft),
    Kind("oft_diag", _oft_diagonal),
    Kind("a1.weight", _glora),
    Kind("w_norm", _norm, bias="b_norm"),
    Kind("diff", _full, bias="diff_b"),
    Kind("diff_b", _bias_only, bias="diff_b"),
    Kind("weight", _ia3),
)
"""In the order in which the marks are looked for."""


def _scale(weights: Weights, kind: Kind, _: Tensor) -> float:
    if kind.mark in ("oft_blocks", "oft_diag"):
        return 1.0  # alpha is a limit there, not a scale
    rank = next((weights[name].shape[0] for name in kind.ranks if name in weights), None)
    return _said_scale(weights, rank)


def _said_scale(weights: Weights, rank: int | None) -> float:
    if "scale" in weights:
        return float(weights["scale"])
    return float(weights["alpha"]) / rank if rank and "alpha" in weights else 1.0
