"""A plan written to the disk in every format that was asked for, and progress told on the way.

Owns both formats. As `.ckpt` the tensors go through a file of their own first, that is mapped: torch writes a pickle from tensors
that all exist, and mapped ones take no memory that the system could not have back.
"""

import mmap
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import torch

from inference.api.tools import Advanced, Format, Made, Opened, Report
from inference.engine.tools.entries import Entry, total_of, write_entries
from inference.engine.tools.output import check_room, target_in, unfinished
from inference.engine.tools.refusal import ToolRefused
from inference.engine.tools.tensors import DTYPES

Tell = Callable[[Report], None]
STEPS: Final = 256
"""How often progress is told at most: no more is ever seen of it."""


HELD: Final = 128 << 20
"""Bytes of a mapped file that are kept in memory before they are given back."""


class Progress:
    """Bytes that are over, told now and then."""

    def __init__(self, tell: Tell, *, total: int, stage: str) -> None:
        self._tell, self._total, self._stage = tell, max(total, 1), stage
        self._done = self._told = 0

    def __call__(self, count: int) -> None:
        """`count` bytes more."""
        self._done = min(self._done + count, self._total)
        if self._done == self._total or self._done - self._told >= self._total / STEPS:
            self._told = self._done
            self._tell(Advanced(self._done, self._total, self._stage))


def targets_of(
    folder: Path, stem: str, formats: Sequence[Format], *, sources: Sequence[Path], overwrite: bool
) -> dict[Format, Path]:
    """Where each format is to be written. Raises ToolRefused."""
    if not formats:
        raise ToolRefused("Choose at least one format: safetensors or ckpt.")
    return {each: target_in(folder, stem, f".{each}", sources=sources, overwrite=overwrite) for each in formats}


def write_all(
    plan: Sequence[Entry], *, metadata: Mapping[str, str], targets: Mapping[Format, Path], replace: bool, tell: Tell
) -> Made:
    """Write `plan` once for each of `targets`, all in one folder. Raises ToolRefused; then there is nothing of either."""
    size = total_of(plan)
    copies = sum(2 if form == "ckpt" else 1 for form in targets)
    check_room(next(iter(targets.values())).parent, size * copies)
    progress = Progress(tell, total=size * copies, stage="writing")
    made: list[Path] = []
    try:
        for form, target in targets.items():
            with unfinished(target, told=lambda name: tell(Opened(name)), replace=replace) as file:
                if form == "safetensors":
                    write_entries(file, plan, metadata=metadata, tell=progress)
                else:
                    _write_pickle(file, plan, folder=target.parent, tell=progress)
            made.append(target)
    except BaseException:
        for path in [] if replace else made:
            path.unlink(missing_ok=True)
        raise
    return Made(tuple(map(str, made)), sum(path.stat().st_size for path in made))


def _write_pickle(file: BinaryIO, plan: Sequence[Entry], *, folder: Path, tell: Callable[[int], None]) -> None:
    """Write `plan` as torch does, nested under `state_dict`."""
    with tempfile.TemporaryFile(dir=folder, prefix=".easel-unfinished-") as scratch:
        places = write_entries(scratch, plan, metadata={}, tell=tell)
        scratch.flush()
        with closing(mmap.mmap(scratch.fileno(), 0, access=mmap.ACCESS_COPY)) as data:
            tensors = {
                entry.key: torch.frombuffer(
                    data,
                    dtype=DTYPES[entry.kind],
                    count=entry.size // DTYPES[entry.kind].itemsize,
                    offset=places[entry.key],
                ).reshape(entry.shape)
                if entry.size
                else torch.empty(entry.shape, dtype=DTYPES[entry.kind])
                for entry in plan
            }
            written = _Counted(file, tell, source=data)
            try:
                torch.save({"state_dict": tensors}, cast("Any", written))
            except RuntimeError:
                if written.failure is None:
                    raise
            finally:
                tensors.clear()
            if written.failure is not None:
                raise written.failure


class _Counted:
    """A file as torch writes one. What goes wrong is kept: torch words it in a way of its own."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None], *, source: mmap.mmap) -> None:
        self._file, self._tell, self._source = file, tell, source
        self._held = 0
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write and count."""
        try:
            count = self._file.write(data)
        except OSError as error:
            self.failure = error
            raise
        self._tell(count)
        self._held += count
        if self._held >= HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._source.madvise(mmap.MADV_DONTNEED)  # pages of it that were read: nobody wrote to them
            self._held = 0
        return count

    def flush(self) -> None:
        """Write what is held back."""
        self._file.flush()
