"""From the tags of a prompt to a set of adapters for a checkpoint, with notes on what could not be honoured."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from inference.api.lookup import find_lora
from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.networks.merge import Adapter, AdapterSet, read_network

LORA_KINDS = frozenset({"lora", "lyco"})


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


def activate(checkpoint: Checkpoint, tags: Sequence[Tag], inventory: Inventory) -> tuple[AdapterSet, tuple[str, ...]]:
    """Dress `checkpoint` in what `tags` ask for; the set (a key to batch by and to wear again) and notes for the card.

    An unknown name or kind is a note. Raises BrokenModel when a file is damaged or made for another model; the checkpoint
    then is bare.
    """
    adapters: list[Adapter] = []
    notes: list[str] = []
    for tag in tags:
        info = find_lora(inventory, tag.name) if tag.kind in LORA_KINDS else None
        if info is None:
            what = "LoRA" if tag.kind in LORA_KINDS else f"network of the kind “{tag.kind}”"
            notes.append(f"There is no {what} called “{tag.name}” here; it was left out.")
            continue
        try:
            te, unet, rank = strengths(tag)
        except ValueError:
            notes.append(f"A strength of the LoRA “{tag.name}” is no number; it was left out.")
            continue
        notes += _fitting(checkpoint, info)
        adapters.append(Adapter(info.path, te=te, unet=unet, rank=rank or None))
    wanted = tuple(adapters)
    names = ", ".join(f"“{Path(adapter.path).stem}”" for adapter in wanted)
    try:
        checkpoint.wardrobe.wear(wanted)
    except (BadFile, OSError) as error:
        raise BrokenModel(f"The LoRA {names} cannot be used with “{checkpoint.info.name}”: it {error}") from error
    return wanted, tuple(notes)


def lora_hashes(adapters: AdapterSet, inventory: Inventory) -> str:
    """What the parameter text says of `adapters`: `name: hash, name: hash`; empty for none."""
    files = {info.path: info for info in inventory.loras}
    worn = dict.fromkeys(files[adapter.path] for adapter in adapters if adapter.path in files)
    return ", ".join(f"{info.name.replace(':', '').replace(',', '')}: {info.hash}" for info in worn if info.hash)


def _fitting(checkpoint: Checkpoint, info: ModelFile) -> list[str]:
    """Notes on a file that fits in part. Raises BrokenModel when it is for another family or fits nowhere."""
    family = checkpoint.family
    if info.family not in ("unknown", family.id):
        raise BrokenModel(
            f"The LoRA “{info.name}” is made for {_LABELS.get(info.family, info.family)}; "
            f"“{checkpoint.info.name}” is a {family.label} model."
        )
    try:
        network = read_network(Path(info.path))
    except (BadFile, OSError) as error:
        raise BrokenModel(f"The LoRA “{info.name}” cannot be used: it {error}") from error
    unplaced = network.unplaced(checkpoint.wardrobe.targets)
    if len(unplaced) == len(network.layers):
        raise BrokenModel(
            f"The LoRA “{info.name}” has no layer in common with “{checkpoint.info.name}”; it is for another kind of model."
        )
    if unplaced:
        return [f"{len(unplaced)} of the {len(network.layers)} layers of “{info.name}” have no place in this model."]
    return []


_LABELS = {"sd1": "Stable Diffusion 1", "sd2": "Stable Diffusion 2", "sdxl": "Stable Diffusion XL"}
