"""What is to be written: one entry a tensor, planned from headers before anything is read. Writing them as safetensors.

Owns the plan's form and safetensors' (huggingface/safetensors, format.md): the wider kinds of numbers first, so that each lies
where its size divides the place, and a header padded to eight bytes. Refuses to know why an entry is what it is.
"""

import json
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from torch import Tensor

from inference.engine.tools.tensors import DTYPES, TensorFile, bytes_of, size_of

Tell = Callable[[int], None]
"""Is told after each piece how many more bytes are written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor to be: its key, kind and shape, and what gives it. `copied`: its bytes are those of `source` as they lie."""

    key: str
    kind: str
    shape: tuple[int, ...]
    make: Callable[[], Tensor]
    copied: tuple[TensorFile, str] | None = None

    @property
    def size(self) -> int:
        """Its size."""
        return size_of(self.shape, self.kind)

    def pieces(self) -> Iterable[bytes | memoryview]:
        """Its bytes in order."""
        if self.copied is not None:
            source, name = self.copied
            return source.pieces(name)
        return bytes_of(self.make())


def copied(key: str, source: TensorFile, name: str) -> Entry:
    """The tensor `name` of `source`, untouched, under `key`."""
    return Entry(key, source.kinds[name], source.shapes[name], lambda: source.read(name), (source, name))


def constant(key: str, value: Tensor, kind: str) -> Entry:
    """A tensor that is there already."""
    return Entry(key, kind, tuple(value.shape), lambda: value)


def retyped(entry: Entry, kind: str, *, check: Callable[[str, Tensor, Tensor], None] | None = None) -> Entry:
    """`entry` in another kind of numbers. `check` sees its key, and it before and after."""
    if entry.kind == kind:
        return entry

    def make() -> Tensor:
        before = entry.make()
        after = before.to(DTYPES[kind])
        if check is not None:
            check(entry.key, before, after)
        return after

    return Entry(entry.key, kind, entry.shape, make)


def total_of(entries: Iterable[Entry]) -> int:
    """Bytes of all of them."""
    return sum(entry.size for entry in entries)


def write_entries(
    file: BinaryIO, entries: Iterable[Entry], *, metadata: Mapping[str, str], tell: Tell
) -> Mapping[str, int]:
    """Write `entries` into `file` as safetensors, one tensor in memory at a time; returns where in it each begins.

    Raises OSError, and what reading raises.
    """
    ordered = sorted(entries, key=lambda entry: (-DTYPES[entry.kind].itemsize, entry.kind, entry.key))
    fields: dict[str, Any] = {"__metadata__": dict(metadata)}
    position = 0
    for entry in ordered:
        fields[entry.key] = {
            "dtype": entry.kind,
            "shape": list(entry.shape),
            "data_offsets": [position, position + entry.size],
        }
        position += entry.size
    header = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    file.write(struct.pack("<Q", len(header)) + header)
    with torch.inference_mode():
        for entry in ordered:
            written = 0
            for piece in entry.pieces():
                file.write(piece)
                written += len(piece)
                tell(len(piece))
            if written != entry.size:
                raise RuntimeError(f"{entry.key} was to have {entry.size} bytes and has {written}")
    start = 8 + len(header)
    return {key: start + field["data_offsets"][0] for key, field in fields.items() if key != "__metadata__"}
