"""The files that a text names, found among those that are here: by hash first, then by name."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from inference.api.infotext.foreign import Resource
from inference.api.infotext.versions import V1_6_0, parse_version
from inference.api.lookup import (
    AUTOMATIC,
    NONE,
    choose_vae,
    find_by_hash,
    find_checkpoint,
    find_embedding,
    find_lora,
    find_vae,
)
from inference.api.request import ModelRef
from inference.api.result import Inventory, ModelFile

_BRACKETED = re.compile(r"^(?P<name>.*?)\s?\[(?P<hash>[0-9a-fA-F]{8,64})\]$")
_TAG = re.compile(r"(<(?:lora|lyco):)([^:>]+)")


class Shelves(msgspec.Struct):
    """Looks files up in `inventory`; `notes` says what is not there. `resources` are what a text names beside its parameters."""

    inventory: Inventory
    resources: Sequence[Resource] = ()
    notes: list[str] = []

    def checkpoint(self, name: str, digits: str) -> ModelFile | None:
        """The checkpoint of this hash, or else of this name, with a note that it may be another; None where neither is here."""
        first = next((entry for entry in self.resources if entry.kind == "checkpoint"), Resource("checkpoint"))
        name, digits = name or first.name, digits or first.hash
        if found := find_by_hash(self.inventory.checkpoints, digits):
            return found
        found = find_checkpoint(self.inventory, name[:500])
        if found is not None and (digits or found.name.rsplit("/", 1)[-1] != name):
            self.notes.append(
                f"The model {_said(name, digits)} is not here; “{found.name}” was taken, which may differ."
            )
        return found

    def further(self, text: str) -> ModelRef | None:
        """A second checkpoint, from a title like `name [hash]`."""
        split = _BRACKETED.match(text[:500])
        name, digits = (split["name"], split["hash"]) if split is not None else (text, "")
        found = find_by_hash(self.inventory.checkpoints, digits) or find_checkpoint(self.inventory, name[:500])
        if found is None:
            return None
        if digits and not find_by_hash([found], digits):
            self.notes.append(
                f"The model {_said(name, digits)} is not here; “{found.name}” was taken, which may differ."
            )
        return ModelRef(found.name, found.hash)

    def vae(self, name: str, digits: str, *, checkpoint: ModelFile, version: str) -> str:
        """The choice of VAE that paints as the text was painted."""
        digits = digits or next((entry.hash for entry in self.resources if entry.kind == "vae"), "")
        automatic = choose_vae(self.inventory, checkpoint)
        if not name and not digits:
            told = parse_version(version)  # texts say their VAE since 1.6.0, where it was no checkpoint's own
            return NONE if automatic is not None and told is not None and told >= V1_6_0 else AUTOMATIC
        found = find_by_hash(self.inventory.vaes, digits) or find_vae(self.inventory, name)
        if found is None:
            self.notes.append(f"The VAE {_said(name, digits)} is not here; the model's usual one was taken.")
            return AUTOMATIC
        if digits and not find_by_hash([found], digits):
            self.notes.append(f"The VAE {_said(name, digits)} is not here; “{found.name}” was taken, which may differ.")
        return AUTOMATIC if automatic is found else found.name

    def loras(self, prompt: str, hashes: Mapping[str, str]) -> str:
        """`prompt` with its tags renamed to the local files that have their `hashes` (by name)."""

        def renamed(tag: re.Match[str]) -> str:
            name, digits = tag[2], hashes.get(tag[2].replace(",", ""), "")
            local, named = find_by_hash(self.inventory.loras, digits), find_lora(self.inventory, name)
            if local is None or local is named:
                if digits and local is None and named is not None:
                    self.notes.append(f"The LoRA “{name}” here is another file than the picture's; it may differ.")
                return tag[0]
            return tag[1] + local.name if find_lora(self.inventory, local.name) is local else tag[0]

        return _TAG.sub(renamed, prompt)

    def untagged_loras(self, prompt: str) -> str:
        """`prompt` with tags for the LoRAs that Civitai used and lists beside it."""
        tagged = {find_lora(self.inventory, tag[2]) for tag in _TAG.finditer(prompt)}
        for entry in self.resources:
            if entry.kind != "lora" or entry.weight is None:
                continue
            found = find_by_hash(self.inventory.loras, entry.hash) or find_lora(self.inventory, entry.name)
            if found is None:
                self.notes.append(f"The LoRA {_said(entry.name, entry.hash)} is not here; it was left out.")
            elif found not in tagged:
                prompt = f"{prompt} <lora:{found.name}:{entry.weight:g}>"
        return prompt

    def embeddings(self, hashes: Mapping[str, str]) -> None:
        """Note the learned words that are missing, or are other ones."""
        named = {
            **hashes,
            **{entry.name: entry.hash for entry in self.resources if entry.kind == "embed" and entry.name},
        }
        for name, digits in named.items():
            found = find_embedding(self.inventory, name)
            if found is None:
                self.notes.append(f"The embedding {_said(name, digits)} is not here; its name is plain words.")
            elif digits and found.hash and not find_by_hash([found], digits):
                self.notes.append(f"The embedding “{name}” here is another file than the picture's; it may differ.")

    def lora_hashes(self, text: str) -> dict[str, str]:
        """Hashes of LoRAs by the names in their tags, from `Lora hashes` and what else the text names."""
        beside = {entry.name: entry.hash for entry in self.resources if entry.kind == "lora" and entry.hash}
        return beside | read_hashes(text)


def read_hashes(text: str) -> dict[str, str]:
    """`name: hash, name: hash` as a table."""
    return dict(_pairs(text.split(",")))


def _pairs(entries: Iterable[str]) -> Iterable[tuple[str, str]]:
    for entry in entries:
        name, mark, digits = entry.rpartition(":")
        if mark:
            yield name.strip(), digits.strip().lower()


def _said(name: str, digits: str) -> str:
    """A file as the text names it."""
    shown = f"“{name[:80]}”" if name else ""
    return f"{shown} [{digits[:12]}]".strip() if digits else shown or "of the text"
