"""Keeping a world: a journal that is only ever appended to, and a folder of files.

Owns the bytes on disk. A line is handed to the operating system before the mutation's answer goes out, so that a killed
process loses nothing that was acknowledged; a last line that was cut off is dropped on reading. At start and stop the
journal is rewritten in short form, whole or not at all.
"""

import os
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

import msgspec

from bot.sandbox.model import AnyRecord

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyRecord).decode


class Journal:
    """One JSON object a line; a later line about a record stands in place of an earlier one.

    When `limit` bytes were appended and `everything` is set, the journal shortens itself.
    """

    def __init__(self, path: Path, *, limit: int = 32 * 2**20) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: FileIO | None = None
        self._limit = limit
        self._appended = 0
        self.everything: Callable[[], Iterable[AnyRecord]] | None = None

    def read(self) -> list[AnyRecord]:
        """What was written. Raises ValueError when a line in the middle is no record."""
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().split(b"\n")
        whole = lines[:-1]
        try:
            return [_decode(line) for line in whole if line]
        except msgspec.DecodeError as error:
            raise ValueError(
                f"{self._path} is damaged: {error}. Move it away to begin with an empty server."
            ) from error

    def write(self, record: AnyRecord) -> None:
        """Append one record."""
        if self._file is None:
            self._file = FileIO(self._path, "ab")
        line = _encode(record) + b"\n"
        self._file.write(line)
        self._appended += len(line)
        if self._appended > self._limit and self.everything is not None:
            self.rewrite(self.everything())

    def rewrite(self, records: Iterable[AnyRecord]) -> None:
        """Begin anew with these records: written beside, flushed to the disk, then put in place at once."""
        self.close()
        beside = self._path.with_suffix(".new")
        with beside.open("wb") as file:
            for record in records:
                file.write(_encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        self._appended = 0

    def close(self) -> None:
        """Let go of the file; the next write opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


class FolderShelf:
    """Attachments as files named by their id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, file_id: str, data: bytes) -> None:
        """Keep `data`, whole or not at all."""
        beside = self._folder / f"{file_id}.new"
        beside.write_bytes(data)
        beside.replace(self._folder / file_id)

    def get(self, file_id: str) -> bytes | None:
        """The bytes, or None."""
        try:
            return (self._folder / file_id).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, file_id: str) -> None:
        """Forget."""
        (self._folder / file_id).unlink(missing_ok=True)
