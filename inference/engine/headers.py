"""The header of a safetensors file, read without its tensors and believed only after it was checked.

Owns the format's rules (huggingface/safetensors, format.md). A header that lies is refused before anything is
allocated by its numbers.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.engine.bad_file import BadFile

MAX_HEADER = 64 * 1024 * 1024
"""Bytes. SDXL checkpoints need about 300 KB."""
MAX_TENSORS = 200_000
SIZES: dict[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}
"""Bytes of one value."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says of itself: shapes and kinds by name, free text, and where its tensors begin.

    `spans` are first and last byte (exclusive) of each tensor, counted from `payload`.
    """

    shapes: Mapping[str, tuple[int, ...]]
    kinds: Mapping[str, str]
    metadata: Mapping[str, str]
    payload: int
    spans: Mapping[str, tuple[int, int]]


def read_header(path: Path) -> Header:
    """Read and check the header of `path`. Raises BadFile when it is no whole safetensors file, OSError when unreadable."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8:
            raise BadFile(f"is only {size} bytes long; download it again.")
        (length,) = struct.unpack("<Q", head)
        if length > min(MAX_HEADER, size - 8):
            raise BadFile(_not_safetensors(head, length, size))
        body = file.read(length)
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadFile("is no safetensors file: its header is not readable; download it again.") from error
    if not isinstance(fields, dict) or len(fields) > MAX_TENSORS:
        raise BadFile("is no safetensors file: its header is not a list of tensors.")
    return _checked(fields, payload=8 + length, size=size)


def _not_safetensors(head: bytes, length: int, size: int) -> str:
    if head.startswith(b"PK") or head[:1] == b"\x80":
        return "is a pickle under the name of a safetensors file; rename it to .ckpt."
    if head.lstrip()[:1] in (b"<", b"{") or all(32 <= byte < 127 or byte in b"\r\n\t" for byte in head):
        return "is a text file, not a safetensors file; probably the download gave a web page instead."
    return f"is cut off or damaged: its header should be {length:,} bytes long, the whole file is {size:,}."


def _checked(fields: dict[str, Any], *, payload: int, size: int) -> Header:
    metadata = fields.pop("__metadata__", {})
    spans: dict[str, tuple[int, int]] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    kinds: dict[str, str] = {}
    for name, entry in fields.items():
        kind, shape, span = _entry(name, entry)
        shapes[name], kinds[name], spans[name] = shape, kind, span
    position = 0
    for begin, end in sorted(spans.values()):
        if begin != position:
            raise BadFile("is damaged: its tensors overlap or leave gaps.")
        position = end
    if payload + position != size:
        raise BadFile(f"is cut off: it should have {payload + position:,} bytes and has {size:,}; download it again.")
    texts = metadata if isinstance(metadata, dict) else {}
    return Header(shapes, kinds, {k: v for k, v in texts.items() if isinstance(v, str)}, payload, spans)


def _entry(name: str, entry: Any) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """Kind, shape and (begin, end) of one tensor. Raises BadFile when they do not agree."""
    match entry:
        case {"dtype": str(kind), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            numbers = all(isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in shape)
            if kind not in SIZES:
                raise BadFile(f"holds “{name}” in the number format {kind}, which Easel does not read.")
            if numbers and len(shape) <= 8 and 0 <= begin <= end and math.prod(shape) * SIZES[kind] == end - begin:
                return kind, tuple(shape), (begin, end)
        case _:
            pass
    raise BadFile(f"is damaged: the size of “{name}” and its place in the file do not agree.")
