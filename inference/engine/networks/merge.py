"""A checkpoint's clothes: networks merged into its weights, taken off again bit for bit, changed between forwards.

Owns which tensors the modules hold. The base tensors are never written to: dressing puts other tensors in their place,
undressing puts the same ones back, so a thousand changes leave no trace. Refuses to know about prompts and jobs.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.engine.bad_file import BadFile
from inference.engine.networks.keys import Target, split_key, targets_of
from inference.engine.networks.kinds import delta_of, low_rank
from inference.engine.weights import WeightsFile


@dataclass(frozen=True, slots=True)
class Adapter:
    """One network as a tag asks for it: its file, its strengths for text encoder and UNet, and how many ranks to keep."""

    path: str
    te: float = 1.0
    unet: float = 1.0
    rank: int | None = None


AdapterSet = tuple[Adapter, ...]
"""Networks in the order of their tags. Equal sets give equal weights; the empty one is the bare checkpoint."""


@dataclass(frozen=True, slots=True)
class Network:
    """The tensors of a file by layer, in the one form of `keys`."""

    layers: Mapping[str, Mapping[str, Tensor]]

    def unplaced(self, targets: Mapping[str, Target]) -> list[str]:
        """Layers for which the checkpoint has no place."""
        return [name for name in self.layers if name not in targets]


def read_network(path: Path) -> Network:
    """Read the tensors of a network. Raises BadFile when there are none, or any is not finite; OSError when unreadable."""
    layers: dict[str, dict[str, Tensor]] = {}
    with WeightsFile(path) as file:
        for key in file:
            place = split_key(key)
            if place is not None and not key.startswith("bundle_emb."):
                layers.setdefault(place[0], {})[place[1]] = file.read(key).clone()
    if not layers:
        raise BadFile("holds no layers of a LoRA or one of its relatives.")
    for name, weights in layers.items():
        for value in weights.values():
            if value.is_floating_point() and not bool(value.sum(dtype=torch.float32).isfinite()):
                raise BadFile(f"holds numbers that are not finite (NaN) in “{name}”.")
    return Network(layers)


class Wardrobe:
    """The networks of one checkpoint: `wear` dresses it in a set. `kept` sets stay ready, so that jobs may alternate."""

    def __init__(
        self, unet: nn.Module, towers: Sequence[nn.Module], *, config: Mapping[str, Any], kept: int = 2
    ) -> None:
        self.targets = targets_of(unet, towers, config=config)
        self.worn: AdapterSet = ()
        self._kept = kept
        self._base: dict[nn.Module, tuple[Tensor, Tensor | None]] = {}
        self._ready: OrderedDict[AdapterSet, dict[nn.Module, tuple[Tensor, Tensor | None]]] = OrderedDict()

    def wear(self, adapters: AdapterSet) -> None:
        """Dress the checkpoint in `adapters` and nothing else. Free when it already is, quick when the set was worn lately.

        Raises BadFile or OSError when a file is gone or does not fit; the checkpoint then is bare.
        """
        if adapters == self.worn:
            return
        self._put(self._base)
        self.worn = ()
        if not adapters:
            return
        if adapters not in self._ready:
            self._ready[adapters] = self._dressed(adapters)
            while len(self._ready) > self._kept:
                self._ready.popitem(last=False)
        self._ready.move_to_end(adapters)
        self._put(self._ready[adapters])
        self.worn = adapters

    def forget(self) -> int:
        """Undress and give up what was kept ready; the bytes that became free."""
        self.wear(())
        kept = {
            id(part): part
            for dress in self._ready.values()
            for pair in dress.values()
            for part in pair
            if part is not None
        }
        own = {id(part) for pair in self._base.values() for part in pair if part is not None}
        freed = sum(part.numel() * part.element_size() for key, part in kept.items() if key not in own)
        self._ready.clear()
        return freed

    def _dressed(self, adapters: AdapterSet) -> dict[nn.Module, tuple[Tensor, Tensor | None]]:
        """Weight and bias of each touched layer with `adapters` merged in, one after the other."""
        dress: dict[nn.Module, tuple[Tensor, Tensor | None]] = {}
        for adapter in adapters:
            network = read_network(Path(adapter.path))
            for name, weights in network.layers.items():
                target = self.targets.get(name)
                strength = 0.0 if target is None else (adapter.te if target.side == "te" else adapter.unet)
                if target is None or not strength:
                    continue
                module: Any = target.module
                base = self._base.setdefault(module, (module.weight.data, _bias(module)))
                weight, bias = dress.get(module, base)
                dress[module] = _merged(weight, bias, weights, strength=strength, rank=adapter.rank)
        return dress

    def _put(self, dress: Mapping[nn.Module, tuple[Tensor, Tensor | None]]) -> None:
        for layer, (weight, bias) in dress.items():
            module: Any = layer
            module.weight.data = weight
            if bias is not None:
                module.bias.data = bias


def _bias(module: Any) -> Tensor | None:
    return None if getattr(module, "bias", None) is None else module.bias.data


@torch.inference_mode(mode=False)
@torch.no_grad()
def _merged(
    weight: Tensor, bias: Tensor | None, weights: Mapping[str, Tensor], *, strength: float, rank: int | None
) -> tuple[Tensor, Tensor | None]:
    """`weight` and `bias` with one network's layer added at `strength`, in new tensors of the same dtype."""
    plain = low_rank(weights) if rank is None else None
    if plain is not None:
        up, down = (part.to(weight.device, torch.float32) for part in plain[:2])
        if up.shape[1] != down.shape[0] or (up.shape[0], down.shape[1]) != tuple(weight.flatten(1).shape):
            raise BadFile(
                f"does not fit: it changes a layer of {up.shape[0]}×{down.shape[1]} numbers, "
                f"where this model has one of the shape {tuple(weight.shape)}."
            )
        summed = torch.addmm(weight.flatten(1).float(), up, down, alpha=strength * plain[2])
        return summed.reshape(weight.shape).to(weight.dtype), bias
    delta = delta_of(weights, weight, rank=rank)
    if delta.weight is not None:
        weight = torch.add(weight.float(), delta.weight, alpha=strength).to(weight.dtype)
    if delta.bias is not None and bias is not None:
        if delta.bias.shape != bias.shape:
            raise BadFile(f"does not fit: its bias has {len(delta.bias)} numbers, this model's {len(bias)}.")
        bias = torch.add(bias.float(), delta.bias, alpha=strength).to(bias.dtype)
    return weight, bias
