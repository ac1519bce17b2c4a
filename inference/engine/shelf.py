"""What the models folders hold, as requests ask for it: checkpoints lent and given back, dressed in LoRAs; upscalers.

Owns loading by name and who uses what. Every refusal is a sentence for the person who asked. Refuses to know of pictures.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from inference.api.errors import FailureCode
from inference.api.lookup import AUTOMATIC, choose_vae
from inference.api.request import ModelRef
from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.job import Refused
from inference.engine.lexicon import Lexicon, Words
from inference.engine.networks.activation import activate, misses
from inference.engine.networks.merge import AdapterSet
from inference.engine.prompt.networks import NetworkTag
from inference.engine.residency import Residency
from inference.engine.srvgg import BrokenUpscaler, load_upscaler


class Shelf:
    """Models on one device. `look` finds what lies in the folders; `inventory` is what it found last."""

    def __init__(
        self,
        *,
        device: torch.device,
        dtype: torch.dtype,
        memory_limit: int,
        look: Callable[[], Inventory] = Inventory,
    ) -> None:
        self.device, self.dtype = device, dtype
        self._look = look
        self.inventory = look()
        self._residency = Residency(device=device, dtype=dtype, memory_limit=memory_limit)
        self._upscalers: dict[str, Any] = {}
        self._users: Counter[str] = Counter()
        self._lexicon = Lexicon()

    def look_again(self) -> None:
        """Look into the folders anew."""
        self.inventory = self._look()

    def free(self) -> bool:
        """Give up models and caches that no job needs now; says whether there was anything to give up."""
        freed = self._residency.evict_unused(keep=()) > 0 or bool(self._upscalers)
        self._upscalers.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return freed

    def find(self, wanted: ModelRef) -> ModelFile:
        """The checkpoint's file: by name and hash, then by hash, then by name. Raises Refused."""
        files = self.inventory.checkpoints
        for matches in (
            lambda file: file.name == wanted.name and wanted.hash in ("", file.hash),
            lambda file: bool(wanted.hash) and file.hash == wanted.hash,
            lambda file: file.name == wanted.name,
        ):
            found = next(filter(matches, files), None)
            if found is not None:
                return found
        raise Refused(
            FailureCode.UNKNOWN_MODEL, f"There is no model called “{wanted.name}” here; choose one from the list."
        )

    def find_vae(self, wanted: ModelRef, info: ModelFile, *, otherwise: str = AUTOMATIC) -> ModelFile | None:
        """The VAE file to paint with; None is the checkpoint's own. `otherwise` is asked where `wanted` leaves it open."""
        try:
            return choose_vae(self.inventory, info, otherwise if wanted.vae in ("", AUTOMATIC) else wanted.vae)
        except LookupError as error:
            raise Refused(FailureCode.UNKNOWN_MODEL, str(error)) from error

    def lend(self, info: ModelFile, vae: ModelFile | None) -> Checkpoint:
        """The loaded checkpoint, which stays until it is given back. Raises Refused."""
        try:
            checkpoint = self._residency.acquire(info, vae=vae)
        except BrokenModel as error:
            raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error
        except FileNotFoundError as error:
            raise Refused(
                FailureCode.UNKNOWN_MODEL, f"The file of the model “{info.name}” is gone; choose another."
            ) from error
        self._residency.pinned.add(info.path)
        self._users[info.path] += 1
        return checkpoint

    def give_back(self, info: ModelFile) -> None:
        """One user less."""
        self._users[info.path] -= 1
        if not self._users[info.path]:
            self._residency.pinned.discard(info.path)

    def words(self, checkpoint: Checkpoint, adapters: AdapterSet = ()) -> Words:
        """The learned words that this checkpoint can use, those that `adapters` bring along too."""
        return self._lexicon.words_for(checkpoint.text, self.inventory, adapters)

    def dress(self, checkpoint: Checkpoint, tags: Sequence[NetworkTag]) -> tuple[AdapterSet, tuple[str, ...]]:
        """Dress a checkpoint in the networks that `tags` ask for; the set, and notes. Raises Refused.

        What is not known may have come into its folder since the last look, so there is another (webui).
        """
        if misses(tags, self.inventory):
            self.look_again()
        try:
            return activate(checkpoint, tags, self.inventory)
        except BrokenModel as error:
            raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error

    def upscaler(self, name: str) -> Any:
        """The loaded network of that name. Raises Refused."""
        if name not in self._upscalers:
            file = next((file for file in self.inventory.upscalers if file.name == name), None)
            if file is None:
                raise Refused(
                    FailureCode.UNKNOWN_MODEL, f"There is no upscaler called “{name}” here; choose one from the list."
                )
            try:
                self._upscalers[name] = load_upscaler(Path(file.path), device=self.device, dtype=self.dtype)
            except BrokenUpscaler as error:
                raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error
        return self._upscalers[name]


def wear(checkpoint: Checkpoint, adapters: AdapterSet) -> None:
    """Before a forward: the same networks as when the job was prepared, whoever painted in between. Raises Refused."""
    try:
        checkpoint.wardrobe.wear(adapters)
    except (BadFile, OSError) as error:
        raise Refused(
            FailureCode.BROKEN_MODEL,
            "A LoRA of this picture was changed or removed while it was painted; try again.",
        ) from error
