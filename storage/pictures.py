"""Picture files by the hash of their content: `pictures/ab/abcdef….png`, each whole or not there at all.

Owns the folder. Refuses to know which rows refer to a file; `storage.discards` decides what may go. All work on files happens
in threads.
"""

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from storage.errors import Missing, unavailable

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class PictureStore:
    """The pictures below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"

    def prepare(self) -> None:
        """Make the folder, and clear away what a crash left half written. Blocks. Raises DatabaseUnavailable."""
        try:
            shutil.rmtree(self._incoming, ignore_errors=True)
            self._incoming.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unavailable(error, self._folder) or error from error

    async def put(self, data: bytes) -> str:
        """Keep `data` and return its sha256 (64 hex digits). On return it is on the disk. Raises DatabaseUnavailable."""
        return (await self.put_all((data,)))[0]

    async def put_all(self, pictures: Iterable[bytes]) -> tuple[str, ...]:
        """`put` for several, in order; those that are there already cost nothing but their hash."""
        whole = tuple(pictures)
        return await asyncio.to_thread(lambda: tuple(map(self._put, whole))) if whole else ()

    async def get(self, sha256: str) -> bytes:
        """The bytes whose hash is `sha256`. Raises Missing when they are not here."""
        return await asyncio.to_thread(self._get, sha256)

    async def has(self, sha256: str) -> bool:
        """Whether the file is here."""
        return await asyncio.to_thread(self._path(sha256).exists)

    async def drop(self, hashes: Iterable[str]) -> None:
        """Remove these files, for good; those that are not here are no trouble. Raises DatabaseUnavailable."""
        gone = tuple(hashes)
        if gone:
            await asyncio.to_thread(self._drop, gone)

    async def hashes(self) -> frozenset[str]:
        """All that is kept."""
        return await asyncio.to_thread(hashes_below, self._folder)

    def _path(self, sha256: str) -> Path:
        if _SHA256.fullmatch(sha256) is None:
            raise Missing("picture", sha256)
        return self._folder / sha256[:2] / f"{sha256}.png"

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if path.exists():
            return sha256
        part = self._incoming / f"{sha256}.{secrets.token_hex(4)}"
        try:
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
                _sync_folder(self._folder)
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise unavailable(error, self._folder) or error from error
        return sha256

    def _get(self, sha256: str) -> bytes:
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise Missing("picture", sha256) from error
        except OSError as error:
            raise unavailable(error, self._folder) or error from error

    def _drop(self, hashes: tuple[str, ...]) -> None:
        paths = [self._path(sha256) for sha256 in hashes]
        try:
            for path in paths:
                path.unlink(missing_ok=True)
            for folder in {path.parent for path in paths}:
                if folder.exists():
                    _sync_folder(folder)
        except OSError as error:
            raise unavailable(error, self._folder) or error from error


def hashes_below(folder: Path) -> frozenset[str]:
    """The hashes of all pictures in a store's folder. Blocks."""
    return frozenset(path.stem for path in folder.glob("??/*.png"))


def _sync_folder(folder: Path) -> None:
    """Make a new or lost name in `folder` outlive a power cut. Windows keeps names safe by itself and opens no folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
