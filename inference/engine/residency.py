"""Which checkpoints and nets that steer them are in memory: least recently used go first, bounded by bytes.

Owns loading and forgetting. Refuses to know who uses a model: the loop says which are pinned.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from pathlib import Path
from typing import Protocol, TypeVar, cast

import torch

from inference.api.result import ModelFile
from inference.engine.checkpoint import Checkpoint, load_checkpoint, module_bytes
from inference.engine.vae import load_vae, with_vae


class Held(Protocol):
    """Anything that takes memory."""

    @property
    def bytes(self) -> int:
        """How much."""
        ...


H = TypeVar("H", bound=Held)


class Residency:
    """Loaded checkpoints by path, and nets that steer them by tuples of strings.

    `memory_limit` is in bytes; 0 keeps only what is pinned and the last one used.
    """

    def __init__(self, *, device: torch.device, dtype: torch.dtype, memory_limit: int) -> None:
        self._device = device
        self._dtype = dtype
        self._limit = memory_limit
        self._held: OrderedDict[Hashable, Held] = OrderedDict()
        self._dressed: dict[tuple[str, str], Checkpoint] = {}
        self.pinned: set[Hashable] = set()
        """Paths and keys that must stay: models of jobs that run."""

    @property
    def bytes(self) -> int:
        """Memory of everything resident."""
        extra = sum(module_bytes(checkpoint.vae) for checkpoint in self._dressed.values())
        return sum(held.bytes for held in self._held.values()) + extra

    def holds(self, info: ModelFile) -> bool:
        """Whether `info` could be had without loading."""
        return info.path in self._held

    @torch.inference_mode(
        mode=False
    )  # a model may be loaded in the middle of a picture; it is dressed outside of that mode
    def acquire(self, info: ModelFile, *, vae: ModelFile | None = None) -> Checkpoint:
        """The checkpoint of `info`, loaded if need be, with another VAE if one is given.

        The same arguments give the same object while it stays. Raises BrokenModel.
        """
        checkpoint = cast("Checkpoint | None", self._held.get(info.path))
        if checkpoint is None:
            self._make_room(_expected_bytes(info), keep={info.path})
            checkpoint = load_checkpoint(info, device=self._device, dtype=self._dtype)
            self._held[info.path] = checkpoint
            self._make_room(0, keep={info.path})
        self._held.move_to_end(info.path)
        if vae is None:
            return checkpoint
        if (info.path, vae.path) not in self._dressed:
            other = load_vae(vae, checkpoint=checkpoint, device=self._device, dtype=self._dtype)
            self._dressed[info.path, vae.path] = with_vae(checkpoint, other)
        return self._dressed[info.path, vae.path]

    @torch.inference_mode(mode=False)
    def keep(self, key: tuple[str, ...], load: Callable[[], H], *, expected: int, beside: str) -> H:
        """What `load` makes, or made the last time under `key`. Room is made for `expected` bytes.

        `beside` is the path of the checkpoint that it is for, which stays. A checkpoint that is forgotten takes along
        whatever has its path in its key. Raises what `load` does.
        """
        held = self._held.get(key)
        if held is None:
            self._make_room(expected, keep={beside})
            held = self._held[key] = load()
            self._make_room(0, keep={beside, key})
        self._held.move_to_end(key)
        return cast("H", held)

    def evict_unused(self, keep: Collection[Hashable] = ()) -> int:
        """Forget everything but the paths in `keep` and the pinned ones; the bytes that became free.

        Merged LoRAs go as well; a job that runs on merges them again at its next step.
        """
        before = self.bytes
        for key in [key for key in self._held if key not in keep and key not in self.pinned]:
            if key in self._held:
                self._forget(key)
        merged = sum(held.wardrobe.forget() for held in self._held.values() if isinstance(held, Checkpoint))
        return before - self.bytes + merged

    def _make_room(self, wanted: int, *, keep: Collection[Hashable]) -> None:
        """Forget the least recently used until `wanted` bytes fit under the limit, or nothing more may go."""
        for key in list(self._held):
            if self.bytes + wanted <= self._limit:
                return
            if key in self._held and key not in keep and key not in self.pinned:
                self._forget(key)

    def _forget(self, forgotten: Hashable) -> None:
        del self._held[forgotten]
        for key in [key for key in self._dressed if key[0] == forgotten]:
            del self._dressed[key]
        for key in [
            key for key in self._held if isinstance(key, tuple) and forgotten in key and key not in self.pinned
        ]:
            del self._held[key]
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _expected_bytes(info: ModelFile) -> int:
    """What loading `info` will take, by its file: half-precision files double on a CPU, which the limit then notices."""
    try:
        return Path(info.path).stat().st_size
    except OSError:
        return 0
