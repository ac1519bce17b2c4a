"""What the models folders hold, as requests ask for it: checkpoints lent and given back, dressed in LoRAs; upscalers.

Owns loading by name and who uses what. Every refusal is a sentence for the person who asked. Refuses to know of pictures.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import nn

from inference.api.errors import FailureCode
from inference.api.lookup import AUTOMATIC, choose_vae, find_control, find_restorer
from inference.api.preprocessors import PreprocessorRow, network_for
from inference.api.request import ModelRef
from inference.api.result import Inventory, ModelFile
from inference.engine.annotators.networks import file_for, load_network
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.control.nets import SteeringNet, berth_of, load_control
from inference.engine.faces.mtcnn import MTCNN
from inference.engine.faces.restorers import Restorer, load_restorer
from inference.engine.job import Refused
from inference.engine.lexicon import Lexicon, Words
from inference.engine.networks.activation import activate, misses
from inference.engine.networks.merge import AdapterSet
from inference.engine.prompt.networks import NetworkTag
from inference.engine.residency import Residency
from inference.engine.upscalers.loading import Enlarger, load_upscaler

_NO_DETECTOR = (
    "The network that finds faces is not here; whoever runs this painter puts mtcnn.fp16.safetensors back into "
    "models/annotators."
)
UPSCALERS = 3
"""Networks that stay loaded: the two of one request and one more."""


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
        self._upscalers: dict[str, Enlarger] = {}
        self._users: Counter[Hashable] = Counter()
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
        self._pin(info.path)
        return checkpoint

    def find_control(self, name: str) -> ModelFile:
        """The ControlNet's (or T2I adapter's) file of that name. Raises Refused."""
        info = find_control(self.inventory, name)
        if info is None:
            self.look_again()
            info = find_control(self.inventory, name)
        if info is None:
            raise Refused(
                FailureCode.UNKNOWN_MODEL,
                f"There is no ControlNet called “{name}” here; choose one from the list, or put it into models/ControlNet.",
            )
        return info

    def lend_control(self, info: ModelFile, checkpoint: Checkpoint) -> tuple[SteeringNet, Hashable]:
        """The net of `info` for `checkpoint`, and the key under which it is given back; it stays until then. Raises Refused."""
        try:
            berth = berth_of(info, checkpoint, dtype=self.dtype)
            net = self._residency.keep(
                berth.key,
                lambda: load_control(info, checkpoint, device=self.device, dtype=self.dtype),
                expected=berth.bytes,
                beside=checkpoint.info.path,
            )
        except BrokenModel as error:
            raise Refused(FailureCode.BROKEN_MODEL, str(error)) from error
        self._pin(berth.key)
        return net, berth.key

    def _pin(self, key: Hashable) -> None:
        self._residency.pinned.add(key)
        self._users[key] += 1

    def give_back(self, key: Hashable) -> None:
        """One user less of a checkpoint (by its path) or a net (by its key)."""
        self._users[key] -= 1
        if not self._users[key]:
            self._residency.pinned.discard(key)

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

    def annotator(self, row: PreprocessorRow) -> nn.Module:
        """The loaded network that a preprocessor runs, the best that is here. Raises Refused."""
        if network_for(row, self.inventory) is None:
            self.look_again()
        file = file_for(row, self.inventory)
        held = self._residency.keep(
            ("annotator", file.path),
            lambda: load_network(file, device=self.device),
            expected=file.bytes,
            beside="",
        )
        return held.network

    def detector(self) -> MTCNN:
        """The loaded network that finds faces. Raises Refused."""
        return cast("MTCNN", self._network("mtcnn", _NO_DETECTOR))

    def restorer(self, name: str) -> Restorer:
        """The loaded face restorer of that name. Raises Refused."""
        file = find_restorer(self.inventory, name)
        if file is None:
            self.look_again()
            file = find_restorer(self.inventory, name)
        if file is None:
            raise Refused(
                FailureCode.UNKNOWN_MODEL,
                f"There is no face restorer called “{name}” here; choose one from the list, or “repaint”, which needs none.",
            )
        return self._residency.keep(
            ("faces", file.path), lambda: load_restorer(file, device=self.device), expected=file.bytes, beside=""
        )

    def _network(self, family: str, missing: str) -> nn.Module:
        """The first network of `family` among the annotators. Raises Refused, which says that it is `missing`."""
        files = [file for file in self.inventory.annotators if file.family == family]
        if not files:
            self.look_again()
            files = [file for file in self.inventory.annotators if file.family == family]
        if not files:
            raise Refused(FailureCode.UNKNOWN_MODEL, missing)
        file = files[0]
        return self._residency.keep(
            ("annotator", file.path), lambda: load_network(file, device=self.device), expected=file.bytes, beside=""
        ).network

    def upscaler(self, name: str) -> Enlarger:
        """The loaded network of that name; the last few that were asked for stay. Raises Refused."""
        network = self._upscalers.pop(name, None)
        if network is None:
            file = next((file for file in self.inventory.upscalers if file.name == name), None)
            if file is None:
                raise Refused(
                    FailureCode.UNKNOWN_MODEL, f"There is no upscaler called “{name}” here; choose one from the list."
                )
            path = Path(file.path)
            try:
                network = load_upscaler(path, device=self.device, dtype=self.dtype)
            except BadFile as error:
                raise Refused(FailureCode.BROKEN_MODEL, f"{path.name} {error}") from error
            except OSError as error:
                raise Refused(
                    FailureCode.UNKNOWN_MODEL, f"The file of the upscaler “{name}” is gone; choose another."
                ) from error
        self._upscalers[name] = network
        while len(self._upscalers) > UPSCALERS:
            del self._upscalers[next(iter(self._upscalers))]
        return network


def wear(checkpoint: Checkpoint, adapters: AdapterSet) -> None:
    """Before a forward: the same networks as when the job was prepared, whoever painted in between. Raises Refused."""
    try:
        checkpoint.wardrobe.wear(adapters)
    except (BadFile, OSError) as error:
        raise Refused(
            FailureCode.BROKEN_MODEL,
            "A LoRA of this picture was changed or removed while it was painted; try again.",
        ) from error
