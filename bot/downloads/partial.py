"""What arrived of a download so far, kept so that another try goes on from there.

Owns the folder of unfinished downloads: the bytes, what the server said of them (its ETag), and the lock of whoever fetches.
What lies there longer than `KEPT` is removed.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from bot.errors import RequestRefused
from storage.errors import DatabaseHeld, DatabaseUnavailable
from storage.lock import FolderLock

FOLDER: Final = ".downloads"
"""Below the first models folder: hidden, so that nothing there is taken for a model, and on the same disk."""
KEPT: Final = 7 * 86_400.0
"""Seconds."""
BLOCK: Final = 1 << 20


class Digest(Protocol):
    """A digest in the making."""

    def update(self, data: bytes, /) -> None:
        """Take `data` in."""
        ...

    def hexdigest(self) -> str:
        """The digest of all that was taken in."""
        ...


class Stamp(msgspec.Struct, frozen=True):
    """What tells whether the server still has the same file: a strong ETag, and its whole size where that was said."""

    etag: str
    total: int | None


class Partial:
    """One unfinished download, by the address that was asked for."""

    def __init__(self, folder: Path, address: str) -> None:
        self._key = hashlib.sha256(address.encode()).hexdigest()[:24]
        self._folder = folder
        self.path = folder / f"{self._key}.part"
        self._stamp = folder / f"{self._key}.json"

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """For this process alone. Raises RequestRefused while another fetches the same."""
        lock_path = self._folder / f"{self._key}.lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FolderLock.acquire(lock_path)
        except DatabaseHeld as error:
            raise RequestRefused("That is being downloaded already; wait for it, or cancel it there.") from error
        except (DatabaseUnavailable, OSError) as error:
            raise RequestRefused(
                f"Nothing can be written into {self._folder.parent}; give Easel the right to, or make room."
            ) from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock_path.unlink(missing_ok=True)
            lock.release()

    def known(self) -> tuple[int, Stamp | None]:
        """How many bytes are there, and of what; 0 and None where nothing can be gone on with."""
        try:
            stamp = msgspec.json.decode(self._stamp.read_bytes(), type=Stamp)
            size = self.path.stat().st_size
        except (OSError, msgspec.MsgspecError):
            return 0, None
        return (size, stamp) if stamp.etag and size else (0, None)

    def reopen(self, total: int) -> int:
        """Take a byte off what is there whole, so that the server is asked whether it has the same file still. Raises OSError."""
        os.truncate(self.path, max(0, total - 1))
        return max(0, total - 1)

    def begin(self, stamp: Stamp) -> None:
        """Forget what was there, and begin a file of which `stamp` is known. Raises OSError."""
        self.remove()
        self._stamp.write_bytes(msgspec.json.encode(stamp))
        self.path.touch()

    def remove(self) -> None:
        """Leave nothing of it."""
        for path in (self.path, self._stamp):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def hashed(self) -> Digest:
        """The digest of what is there, to go on with. Raises OSError."""
        whole = hashlib.sha256()
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                whole.update(block)
        return whole


def sweep(folder: Path) -> None:
    """Remove what nobody went on with."""
    old = time.time() - KEPT
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime >= old:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink()
