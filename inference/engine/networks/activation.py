"""From the tags of a prompt to a set of adapters for a checkpoint, with notes on what could not be honoured."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from inference.api.lookup import find_hypernetwork, find_lora
from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.families import FAMILIES
from inference.engine.networks.merge import Adapter, AdapterSet, BadAdapter, places
from inference.engine.weights import read_shapes


class Tag(Protocol):
    """`<kind:name:…>` as the prompt language reads it (`inference.engine.prompt.networks`)."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def positional(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def named(self) -> tuple[tuple[str, str], ...]: ...  # noqa: D102


def strengths(tag: Tag) -> tuple[float, float, int | None]:
    """Strengths for text encoder and UNet, and ranks to keep, of `<lora:name:te:unet:dyn>` (webui).

    The text encoder's is 1 when it is not said, the UNet's then the text encoder's; `te=`, `unet=` and `dyn=` win over places.
    Raises ValueError when what should be a number is none, or the name is missing.
    """
    if not tag.name:
        raise ValueError("a tag needs a name")
    named, said = dict(tag.named), tag.positional
    te = float(named.get("te", said[0] if said else 1.0))
    unet = float(named.get("unet", said[1] if len(said) > 1 else te))
    rank = named.get("dyn", said[2] if len(said) > 2 else None)
    if not math.isfinite(te) or not math.isfinite(unet):
        raise ValueError("a strength must be a finite number")
    return te, unet, None if rank is None else int(rank)


def misses(tags: Sequence[Tag], inventory: Inventory) -> bool:
    """Whether `tags` name a network that is not in `inventory`."""
    known = ((shelf, tag.name) for tag in tags if (shelf := _SHELVES.get(tag.kind)) is not None)
    return any(name and shelf.find(inventory, name) is None for shelf, name in known)


def activate(checkpoint: Checkpoint, tags: Sequence[Tag], inventory: Inventory) -> tuple[AdapterSet, tuple[str, ...]]:
    """Dress `checkpoint` in what `tags` ask for; the set (a key to batch by and to wear again) and notes for the card.

    An unknown name or kind is a note. Raises BrokenModel when a file is damaged or made for another model; the checkpoint
    then is bare.
    """
    adapters: list[Adapter] = []
    notes: list[str] = []
    for tag in tags:
        shelf = _SHELVES.get(tag.kind)
        if shelf is None:
            notes.append(f"Easel knows no network of the kind “{tag.kind}”; “{tag.name}” was left out.")
            continue
        info = shelf.find(inventory, tag.name)
        if info is None:
            notes.append(f"There is no {shelf.label} called “{tag.name}” here; it was left out.")
            continue
        try:
            te, unet, rank = strengths(tag)
        except ValueError:
            notes.append(f"A strength of the {shelf.label} “{tag.name}” is no number; it was left out.")
            continue
        if shelf.kind == "hypernetwork":
            adapters.append(Adapter(info.path, te=0.0, unet=te, kind=shelf.kind, said=tag.name))
            continue
        notes += _fitting(checkpoint, info)
        adapters.append(Adapter(info.path, te=te, unet=unet, rank=rank or None, said=tag.name))
    wanted = tuple(adapters)
    try:
        checkpoint.wardrobe.wear(wanted)
    except BadAdapter as error:
        kind = next(adapter.kind for adapter in wanted if adapter.path == error.path)
        label = next(shelf.label for shelf in _SHELVES.values() if shelf.kind == kind)
        raise BrokenModel(
            f"The {label} “{Path(error.path).stem}” cannot be used with “{checkpoint.info.name}”: it {error}"
        ) from error
    except OSError as error:
        raise BrokenModel(f"A network of this prompt cannot be read: {error.strerror or error}.") from error
    return wanted, tuple(notes)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where the networks of a kind of tag are found, and what people call them."""

    label: str
    kind: Literal["weights", "hypernetwork"]
    find: Callable[[Inventory, str], ModelFile | None]


_LORAS = _Shelf("LoRA", "weights", find_lora)
_SHELVES = {
    "lora": _LORAS,
    "lyco": _LORAS,
    "hypernet": _Shelf("hypernetwork", "hypernetwork", find_hypernetwork),
}
"""By the kind in the tag."""


def lora_hashes(adapters: AdapterSet, inventory: Inventory) -> str:
    """What the parameter text says of the LoRAs in `adapters`, by the names in their tags: `name: hash, name: hash`."""
    files = {info.path: info for info in inventory.loras}
    worn: dict[str, str] = {}
    for adapter in adapters:
        info = files.get(adapter.path)
        if info is not None and info.hash:
            worn[(adapter.said or info.name).replace(":", "").replace(",", "")] = info.hash
    return ", ".join(f"{name}: {digits}" for name, digits in worn.items())


def _fitting(checkpoint: Checkpoint, info: ModelFile) -> list[str]:
    """Notes on a file that fits in part. Raises BrokenModel when it is for another family or fits nowhere."""
    family = checkpoint.family
    if info.family not in ("unknown", family.id):
        raise BrokenModel(
            f"The LoRA “{info.name}” is made for {FAMILIES[info.family].label if info.family in FAMILIES else info.family}; "
            f"“{checkpoint.info.name}” is a {family.label} model."
        )
    try:
        shapes, _ = read_shapes(Path(info.path))
    except (BadFile, OSError) as error:
        raise BrokenModel(f"The LoRA “{info.name}” cannot be used: it {error}") from error
    layers = {layer for _, (layer, _) in places(shapes)}
    unplaced = layers - checkpoint.wardrobe.targets.keys()
    if layers and unplaced == layers:
        raise BrokenModel(
            f"The LoRA “{info.name}” has no layer in common with “{checkpoint.info.name}”; it is for another kind of model."
        )
    if unplaced:
        return [f"{len(unplaced)} of the {len(layers)} layers of “{info.name}” have no place in this model."]
    return []
