"""One Easel a folder: a file that is locked for the life of the process.

Owns the lock file. The lock is the operating system's, so it ends with the process however that dies; what is written in the
file only tells who holds it.
"""

import os
import sys
from pathlib import Path
from typing import Self

from storage.errors import DatabaseHeld, unavailable

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # Windows locks ranges, and a locked range cannot be read: lock one behind the text

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """A held lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Lock `path`, made if need be. Raises DatabaseHeld, or DatabaseUnavailable when it cannot be made."""
        try:
            # descriptors do not pass to programs that we start (PEP 446), so the worker never keeps the lock alive
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise unavailable(error, path.parent) or error from error
        holder = os.pread(descriptor, 32, 0) if sys.platform != "win32" else os.read(descriptor, 32)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            who = f"process {holder.decode()}" if holder.isdigit() else "another process"
            raise DatabaseHeld(
                f"Another Easel ({who}) uses {path.parent}. Stop it, or give this one its own folder: "
                "[paths] data in config.toml."
            ) from error
        lock = cls(descriptor)
        lock._write(str(os.getpid()).encode())
        return lock

    def release(self) -> None:
        """Let others have the folder. Safe to call twice."""
        if self._descriptor >= 0:
            self._write(b"")
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, text: bytes) -> None:
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, text)
