"""Digests of files, and a small file that remembers them, so that large folders are hashed once.

Owns the three kinds of hash that the webui writes, and the cache keyed by path, size and time of change. Refuses to know
what a file holds.
"""

import hashlib
import os
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

BLOCK = 1 << 20
CACHE_NAME = "models.json"
CACHE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Digests:
    """Hex digests: the whole file's sha256, the sha256 behind a safetensors header (of all where there is none), the old one."""

    sha256: str
    payload: str
    old: str


def digest(path: Path) -> Digests:
    """Read `path` once and hash it in all ways. Raises OSError."""
    whole, payload = hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as file:
        start = _payload_start(path, file)
        position = 0
        while block := file.read(BLOCK):
            whole.update(block)
            if position + len(block) > start:
                payload.update(block[max(0, start - position) :])
            position += len(block)
    return Digests(whole.hexdigest(), payload.hexdigest() if start else whole.hexdigest(), old_hash(path))


def old_hash(path: Path) -> str:
    """The webui's first model hash: eight digits of the sha256 of 64 KiB at 1 MiB. Raises OSError."""
    with path.open("rb") as file:
        file.seek(0x100000)
        return hashlib.sha256(file.read(0x10000)).hexdigest()[:8]


def _payload_start(path: Path, file: BinaryIO) -> int:
    """Where tensors begin in a safetensors file; 0 for other kinds. Leaves `file` at its beginning."""
    if path.suffix != ".safetensors":
        return 0
    head = file.read(8)
    file.seek(0)
    return 8 + struct.unpack("<Q", head)[0] if len(head) == 8 else 0


class Facts(msgspec.Struct, omit_defaults=True):
    """What is remembered of a file while its size and time of change (ns) stay: how it was judged, and its hashes.

    `judged` tells which Easel judged it: one that looks for more does so anew, and keeps the hashes.
    """

    size: int
    changed: int
    family: str = ""
    alias: str = ""
    triggers: tuple[str, ...] = ()
    problem: str = ""
    own_hash: str = ""
    sha256: str = ""
    payload: str = ""
    old: str = ""
    judged: int = 0
    tags: tuple[str, ...] = ()
    negative: str = ""
    weight: float = 0.0
    notes: str = ""
    vae: str = ""


class _Stored(msgspec.Struct):
    version: int
    files: dict[str, Facts]


class FileMemory:
    """Facts by path, read from `folder` and written back whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CACHE_NAME
        self._facts = self._read()
        self._seen: dict[str, Facts] = {}
        self._changed = False

    def recall(self, path: Path, stat: os.stat_result) -> Facts | None:
        """What is known of `path` if it is still the same file."""
        facts = self._facts.get(str(path))
        if facts is None or (facts.size, facts.changed) != (stat.st_size, stat.st_mtime_ns):
            return None
        self._seen[str(path)] = facts
        return facts

    def remember(self, path: Path, facts: Facts) -> None:
        """Keep `facts` for the next start."""
        self._seen[str(path)] = facts
        self._changed = True

    def save(self) -> None:
        """Write what was seen since the start, without files that are gone; a folder that cannot be written to is no fault."""
        if not self._changed and len(self._seen) == len(self._facts):
            return
        data = msgspec.json.encode(_Stored(CACHE_VERSION, self._seen))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._path.parent, prefix=CACHE_NAME, delete=False) as file:
                file.write(data)
            Path(file.name).replace(self._path)
        except OSError:
            return
        self._changed = False

    def _read(self) -> dict[str, Facts]:
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=_Stored)
        except (OSError, msgspec.MsgspecError):
            return {}
        return stored.files if stored.version == CACHE_VERSION else {}
