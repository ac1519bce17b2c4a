"""The tensors of a file, one at a time: never more of it in memory than the tensor that is asked for.

Owns reading for the tools, which go through files larger than the memory. A safetensors file is read from its place on the
disk, without a mapping whose pages would count as ours; a zipped pickle is mapped, and its pages are the system's to drop. Only
a pickle in torch's form of before 2020 has to be held whole. Refuses to run what is pickled (`engine.pickles`).
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, cast

import torch
from torch import Tensor

from inference.engine.bad_file import BadFile
from inference.engine.headers import read_header
from inference.engine.pickles import read_pickle, tensors_of
from inference.engine.tools.refusal import about

DTYPES: Final[Mapping[str, torch.dtype]] = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I16": torch.int16,
    "U16": torch.uint16,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I32": torch.int32,
    "U32": torch.uint32,
    "F32": torch.float32,
    "I64": torch.int64,
    "U64": torch.uint64,
    "F64": torch.float64,
}
"""Kinds of numbers by safetensors' names."""
KINDS: Final = {dtype: kind for kind, dtype in DTYPES.items()}
PIECE: Final = 16 << 20
"""Bytes that are copied at once."""


class TensorFile:
    """An open file of weights; use it as a context manager. Raises BadFile when it is none, or dangerous; OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metadata: Mapping[str, str] = {}
        self._file: BinaryIO | None = None
        self._held: dict[str, Tensor] = {}
        if path.suffix == ".safetensors":
            header = read_header(path)
            self.shapes, self.kinds, self.metadata = dict(header.shapes), dict(header.kinds), header.metadata
            self._spans, self._payload = header.spans, header.payload
            self._file = path.open("rb")
        else:
            self._held = {name: _plain(name, value, path) for name, value in tensors_of(read_pickle(path)).items()}
            self.shapes = {name: tuple(value.shape) for name, value in self._held.items()}
            self.kinds = {name: KINDS[value.dtype] for name, value in self._held.items()}
        if not self.shapes:
            raise BadFile("holds no weights.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
        self._held.clear()

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def bytes_of(self, name: str) -> int:
        """The size of one tensor."""
        return size_of(self.shapes[name], self.kinds[name])

    def read(self, name: str) -> Tensor:
        """The tensor `name` on the CPU, as stored; it may share memory with the file, so copy before writing to it."""
        if self._file is None:
            return self._held[name]
        data = bytearray().join(self.pieces(name))
        if not data:
            return torch.empty(self.shapes[name], dtype=DTYPES[self.kinds[name]])
        return torch.frombuffer(data, dtype=DTYPES[self.kinds[name]]).reshape(self.shapes[name])

    def pieces(self, name: str) -> Iterator[bytes | memoryview]:
        """The bytes of one tensor in order, as safetensors stores them. Raises ToolRefused when they cannot be read."""
        if self._file is None:
            yield from bytes_of(self._held[name])
            return
        begin, end = self._spans[name]
        self._file.seek(self._payload + begin)
        left = end - begin
        while left:
            with about(self.path):
                piece = self._file.read(min(left, PIECE))
                if not piece:
                    raise BadFile("became shorter while it was read.")
            left -= len(piece)
            yield piece


def size_of(shape: tuple[int, ...], kind: str) -> int:
    """Bytes of a tensor."""
    count = DTYPES[kind].itemsize
    for side in shape:
        count *= side
    return count


def bytes_of(value: Tensor) -> Iterator[memoryview]:
    """The bytes of a tensor in order."""
    flat = value.detach().contiguous().reshape(-1)
    if flat.numel():
        data = memoryview(cast("Any", flat.view(torch.uint8).numpy()))
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]


def _plain(name: str, value: Tensor, path: Path) -> Tensor:
    """A tensor of a pickle that is what it says: plain numbers, and not more of them than the file has room for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of torch, about layouts that are still being designed
        odd = value.layout != torch.strided or value.is_quantized or value.dtype not in KINDS or value.is_meta
    if odd:
        raise BadFile(f"holds “{name}” in a form of numbers that Easel does not read.")
    if value.numel() * value.element_size() > path.stat().st_size:
        raise BadFile(f"is damaged: “{name}” says that it is larger than the file.")
    return value.detach()
