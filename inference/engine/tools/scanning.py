"""One reading of a file from its first byte to its last: its sha256, and numbers in it that are none.

A safetensors file is hashed and scanned in the same pass, a piece at a time; a pickle is hashed, and then its tensors are looked
at where they are mapped.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import torch
from torch import Tensor

from inference.engine.bad_file import BadFile
from inference.engine.headers import Header, read_header
from inference.engine.pickles import Bag, read_pickle
from inference.engine.tools.parts import is_positions
from inference.engine.tools.positions import wrong_in
from inference.engine.tools.tensors import DTYPES, PIECE

Tell = Callable[[int], None]
_SMALL: Final = 1 << 16
"""Bytes up to which ids of places are believed to be such."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a reading gave: the digest, names of tensors with numbers that are none, and of wrong ids of places."""

    sha256: str
    broken: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()


def scan_safetensors(path: Path, tell: Tell) -> Scan:
    """Read a safetensors file. Raises BadFile, OSError."""
    header = read_header(path)
    whole, broken, positions = hashlib.sha256(), [], []
    with path.open("rb") as file:
        for piece in _pieces(file, header.payload):
            whole.update(piece)
            tell(len(piece))
        for name in sorted(header.spans, key=lambda name: header.spans[name]):
            good, small = True, bytearray()
            for piece in _pieces(file, header.spans[name][1] - header.spans[name][0]):
                whole.update(piece)
                tell(len(piece))
                good = good and _finite(torch.frombuffer(bytearray(piece), dtype=DTYPES[header.kinds[name]]))
                small += piece if is_positions(name) and len(small) < _SMALL else b""
            if not good:
                broken.append(name)
            if is_positions(name) and _is_wrong(small, header, name):
                positions.append(name)
    return Scan(whole.hexdigest(), tuple(broken), tuple(positions))


def scan_pickle(path: Path, tell: Tell) -> Scan:
    """Read a pickle of weights, without running what is in it. Raises BadFile, OSError."""
    digest, broken, positions = hashed(path, tell), [], []
    for name, value in _tensors_in(read_pickle(path)):
        try:
            good = _finite(value)
            wrong = is_positions(name) and wrong_in(value)
        except (RuntimeError, NotImplementedError) as error:
            raise BadFile(f"holds “{name}” in a form of numbers that Easel does not read.") from error
        broken += [] if good else [name]
        positions += [name] if wrong else []
    return Scan(digest, tuple(broken), tuple(positions))


def _tensors_in(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a pickled value, however deep, with the names that lead to it."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Bag):
        yield from _tensors_in(value.state, name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors_in(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _tensors_in(item, f"{name}.{place}")


def hashed(path: Path, tell: Tell) -> str:
    """The sha256 of a file. Raises OSError."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            whole.update(piece)
            tell(len(piece))
    return whole.hexdigest()


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count:
        piece = file.read(min(count, PIECE))
        if not piece:
            raise BadFile("became shorter while it was read.")
        count -= len(piece)
        yield piece


def _finite(value: Tensor) -> bool:
    """Whether every number is one. Eight bits have no test of their own, and fit sixteen."""
    if not value.is_floating_point():
        return True
    return bool((value.half() if value.itemsize == 1 else value).isfinite().all())


def _is_wrong(data: bytearray, header: Header, name: str) -> bool:
    if not data:
        return True
    return bool(wrong_in(torch.frombuffer(data, dtype=DTYPES[header.kinds[name]])))
