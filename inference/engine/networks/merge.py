"""A checkpoint's clothes: networks merged into its weights, taken off again bit for bit, changed between forwards.

Owns which tensors the modules hold. The base tensors are never written to: dressing puts other tensors in their place,
undressing puts the same ones back, so a thousand changes leave no trace. Hypernetworks hang on the UNet beside them.
Refuses to know about prompts and jobs.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from inference.engine.bad_file import BadFile
from inference.engine.embeddings import BUNDLE
from inference.engine.families import INPAINTING
from inference.engine.networks.hypernetworks import Hypernetwork, fits, hang, read_hypernetwork
from inference.engine.networks.keys import split_key, targets_of
from inference.engine.networks.kinds import delta_of, low_rank
from inference.engine.weights import WeightsFile


@dataclass(frozen=True, slots=True)
class Adapter:
    """One network as a tag asks for it: its file, its strengths for text encoder and UNet, and how many ranks to keep.

    `said` is its name in the tag, which may be an alias; sets that differ in nothing else are equal.
    """

    path: str
    te: float = 1.0
    unet: float = 1.0
    rank: int | None = None
    kind: Literal["weights", "hypernetwork"] = "weights"
    said: str = field(default="", compare=False)


class BadAdapter(BadFile):
    """A network of a set that cannot be worn; `path` is its file."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path


AdapterSet = tuple[Adapter, ...]
"""Networks in the order of their tags. Equal sets give equal weights; the empty one is the bare checkpoint."""


@dataclass(frozen=True, slots=True)
class Network:
    """The tensors of a file by layer, in the one form of `keys`."""

    layers: Mapping[str, Mapping[str, Tensor]]


def places(keys: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each key that belongs to a layer, with that layer in the one form and the tensor's name."""
    for key in keys:
        place = None if key.startswith(BUNDLE) else split_key(key)
        if place is not None:
            yield key, place


def read_network(path: Path) -> Network:
    """Read the tensors of a network, as fp32. Raises BadFile when there are none, or any is not finite; OSError when unreadable.

    A file may hold learned words alone (`bundle_emb.…`, read elsewhere): then it has no layers.
    """
    layers: dict[str, dict[str, Tensor]] = {}
    with WeightsFile(path) as file:
        for key, (layer, part) in places(file):
            value = file.read(key)
            value = value.to(torch.float32, copy=True) if value.is_floating_point() else value.clone()
            if not math.isfinite(value.sum()):
                raise BadFile(f"holds numbers that are not finite (NaN) in “{layer}”.")
            layers.setdefault(layer, {})[part] = value
        bundled = any(key.startswith(BUNDLE) for key in file)
    if not layers and not bundled:
        raise BadFile("holds no layers of a LoRA or one of its relatives.")
    return Network(layers)


class Wardrobe:
    """The networks of one checkpoint: `wear` dresses it in a set. `kept` sets stay ready, so that jobs may alternate."""

    def __init__(
        self, unet: nn.Module, towers: Sequence[nn.Module], *, config: Mapping[str, Any], kept: int = 2
    ) -> None:
        self.targets = targets_of(unet, towers, config=config)
        self._unet = unet
        self._hung: list[Any] = []
        self._hypernetworks: dict[str, Hypernetwork] = {}
        self.worn: AdapterSet = ()
        self._kept = kept
        self._base: dict[nn.Module, tuple[Tensor, Tensor | None]] = {}
        self._ready: OrderedDict[AdapterSet, dict[nn.Module, tuple[Tensor, Tensor | None]]] = OrderedDict()

    @torch.inference_mode(mode=False)  # what a module holds must be usable in that mode and out of it
    def wear(self, adapters: AdapterSet) -> None:
        """Dress the checkpoint in `adapters` and nothing else. Free when it already is, quick when the set was worn lately.

        Raises BadAdapter or OSError when a file is gone or does not fit; the checkpoint then is bare.
        """
        if adapters == self.worn:
            return
        self._put(self._base)
        self._take_down()
        self.worn = ()
        merged = tuple(adapter for adapter in adapters if adapter.kind == "weights")
        if merged:
            if merged not in self._ready:
                room = self._given_up()
                self._ready[merged] = self._dressed(merged, room)
            self._ready.move_to_end(merged)
        hanging = [adapter for adapter in adapters if adapter.kind == "hypernetwork"]
        for adapter in hanging:
            self._load_hypernetwork(adapter.path)
        self._put(self._ready.get(merged, {}))
        for adapter in hanging:
            self._hung += hang(self._unet, self._hypernetworks[adapter.path], adapter.unet)
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
        self._hypernetworks.clear()
        return freed

    def _take_down(self) -> None:
        for handle in self._hung:
            handle.remove()
        self._hung.clear()

    def _load_hypernetwork(self, path: str) -> None:
        if path in self._hypernetworks:
            return
        try:
            network = read_hypernetwork(Path(path))
        except BadFile as error:
            raise BadAdapter(path, str(error)) from error
        if not fits(self._unet, network):
            raise BadAdapter(path, "is made for another kind of model.")
        self._hypernetworks[path] = network

    def _given_up(self) -> dict[nn.Module, Tensor]:
        """Make place for one more set: the weights of the one worn longest ago, whose memory the next may write over.

        A processor takes longer to hand out a gigabyte than to fill it.
        """
        room: dict[nn.Module, Tensor] = {}
        while len(self._ready) >= max(1, self._kept):
            _, dress = self._ready.popitem(last=False)
            room = {layer: weight for layer, (weight, _) in dress.items() if weight is not self._base[layer][0]}
        return room

    def _dressed(
        self, adapters: AdapterSet, room: dict[nn.Module, Tensor]
    ) -> dict[nn.Module, tuple[Tensor, Tensor | None]]:
        """Weight and bias of each touched layer with `adapters` merged in, one after the other, where there is `room`."""
        dress: dict[nn.Module, tuple[Tensor, Tensor | None]] = {}
        for adapter in adapters:
            try:
                self._put_over(dress, adapter, room)
            except BadFile as error:
                raise BadAdapter(adapter.path, str(error)) from error
        return dress

    def _put_over(
        self, dress: dict[nn.Module, tuple[Tensor, Tensor | None]], adapter: Adapter, room: dict[nn.Module, Tensor]
    ) -> None:
        """Merge one more network into `dress`."""
        for name, weights in read_network(Path(adapter.path)).layers.items():
            target = self.targets.get(name)
            strength = 0.0 if target is None else (adapter.te if target.side == "te" else adapter.unet)
            if target is None or not strength:
                continue
            module: Any = target.module
            base = self._base.setdefault(module, (module.weight.data, _bias(module)))
            weight, bias = dress.get(module, base)
            own = weight if weight is not base[0] else room.pop(module, None)
            dress[module] = _merged(weight, bias, weights, strength=strength, rank=adapter.rank, room=own)

    def _put(self, dress: Mapping[nn.Module, tuple[Tensor, Tensor | None]]) -> None:
        for layer, (weight, bias) in dress.items():
            module: Any = layer
            module.weight.data = weight
            if bias is not None:
                module.bias.data = bias


def _fits(room: Tensor, weight: Tensor) -> bool:
    """Whether fp32 numbers for `weight` can be written into `room`, where they lie in order."""
    alike = room.shape == weight.shape and room.device == weight.device
    return alike and room.dtype == torch.float32 and room.is_contiguous()


def _bias(module: Any) -> Tensor | None:
    return None if getattr(module, "bias", None) is None else module.bias.data


@torch.inference_mode(mode=False)
@torch.no_grad()
def _merged(
    weight: Tensor,
    bias: Tensor | None,
    weights: Mapping[str, Tensor],
    *,
    strength: float,
    rank: int | None,
    room: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """`weight` and `bias` with one network's layer added at `strength`, in new tensors of the same dtype, or in `room`.

    `room` is a tensor like `weight`, or `weight` itself, that nobody needs any more.
    """
    inpainting = (
        weight.ndim == 4 and weight.shape[1] == INPAINTING
    )  # a network for four channels leaves the others alone
    try:
        plain = low_rank(weights) if rank is None and not inpainting else None
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise BadFile(f"does not fit: a layer of shape {tuple(weight.shape)} was expected.") from error
    if plain is not None:
        up, down = (part.to(weight.device, torch.float32) for part in plain[:2])
        if weight.ndim < 2 or up.shape[1] != down.shape[0] or (len(up), down.shape[1]) != weight.flatten(1).shape:
            raise BadFile(
                f"does not fit: it changes a layer of {up.shape[0]}×{down.shape[1]} numbers, "
                f"where this model has one of the shape {tuple(weight.shape)}."
            )
        summed = torch.addmm(
            weight.flatten(1).float(),
            up,
            down,
            alpha=strength * plain[2],
            out=room.flatten(1) if room is not None and _fits(room, weight) else None,
        )
        return summed.reshape(weight.shape).to(weight.dtype), bias
    delta = delta_of(weights, weight, rank=rank)
    if delta.weight is not None:
        weight = torch.add(weight.float(), delta.weight, alpha=strength).to(weight.dtype)
    if delta.bias is not None and bias is not None:
        if delta.bias.shape != bias.shape:
            raise BadFile(f"does not fit: its bias has {delta.bias.numel()} numbers, this model's {len(bias)}.")
        bias = torch.add(bias.float(), delta.bias, alpha=strength).to(bias.dtype)
    return weight, bias
