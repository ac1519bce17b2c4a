"""What storage raises, worded once.

    StorageError
    ├── DatabaseUnavailable   the operator must do something; the message says what
    │   └── DatabaseHeld      another process has it, which is as it should be while that is an Easel at work
    ├── Missing               the row or file that was meant is gone
    ├── WrongState            a job cannot go from where it is to where it was sent
    └── RequestUnreadable     a stored request is not one that this Easel understands; other rows are not concerned

Owns the tree and the sentences for what SQLite and the disk can answer. Refuses to know who reads them.
"""

import errno
import sqlite3
from pathlib import Path
from typing import Final


class StorageError(Exception):
    """An error whose message is a sentence that may be shown as it is."""

    @property
    def sentence(self) -> str:
        """What to tell."""
        return str(self)


class DatabaseUnavailable(StorageError):
    """The database or the pictures' folder cannot be used; the message tells the operator why and what to do."""


class DatabaseHeld(DatabaseUnavailable):
    """Another process uses the folder; only one may."""


class Missing(StorageError):
    """A row or a file is not there (any more). `what` is a noun ("picture", "job"), `key` its id or hash."""

    def __init__(self, what: str, key: int | str, *, sentence: str = "") -> None:
        super().__init__(sentence or f"That {what} is gone.")
        self.what = what
        self.key = key


class WrongState(StorageError):
    """A job was told to do what its state does not allow; `state` is where it is, `wanted` where it was sent."""

    def __init__(self, job: int, *, state: str, wanted: str) -> None:
        super().__init__(f"Job {job} is {state} and cannot become {wanted}.")
        self.job = job
        self.state = state
        self.wanted = wanted


class RequestUnreadable(StorageError):
    """The request of one row does not decode; `what` is "job" or "picture", `key` its id, `reason` the decoder's word."""

    def __init__(self, what: str, key: int, *, reason: str) -> None:
        super().__init__(
            f"{what.capitalize()} {key} was asked for in a way that this version of Easel does not understand ({reason})."
        )
        self.what = what
        self.key = key
        self.reason = reason


_BY_SQLITE: Final = {
    sqlite3.SQLITE_FULL: "The disk that holds {place} is full. Free some space; nothing that was confirmed is lost.",
    sqlite3.SQLITE_READONLY: "{place} cannot be written. Give Easel's user the right to write there.",
    sqlite3.SQLITE_CANTOPEN: "{place} cannot be opened. Give Easel's user the right to read and write there.",
    sqlite3.SQLITE_PERM: "{place} cannot be opened. Give Easel's user the right to read and write there.",
    sqlite3.SQLITE_BUSY: "Another program holds the database in {place}. Close it, then start Easel again.",
    sqlite3.SQLITE_LOCKED: "Another program holds the database in {place}. Close it, then start Easel again.",
    sqlite3.SQLITE_CORRUPT: "The database in {place} is damaged. Put a backup in its place, or move it away to begin anew.",
    sqlite3.SQLITE_NOTADB: "The database in {place} is damaged. Put a backup in its place, or move it away to begin anew.",
    sqlite3.SQLITE_IOERR: "The disk that holds {place} does not answer as it should. Look at the disk, then start again.",
}
_BY_ERRNO: Final = {
    errno.ENOSPC: _BY_SQLITE[sqlite3.SQLITE_FULL],
    errno.EDQUOT: _BY_SQLITE[sqlite3.SQLITE_FULL],
    errno.EROFS: _BY_SQLITE[sqlite3.SQLITE_READONLY],
    errno.EACCES: _BY_SQLITE[sqlite3.SQLITE_READONLY],
    errno.EPERM: _BY_SQLITE[sqlite3.SQLITE_READONLY],
    errno.ENOTDIR: "{place} is not a folder. Choose another folder for [paths] data in config.toml.",
    errno.EEXIST: "{place} is not a folder. Choose another folder for [paths] data in config.toml.",
    errno.EIO: _BY_SQLITE[sqlite3.SQLITE_IOERR],
}


def unavailable(error: Exception, place: Path) -> DatabaseUnavailable | None:
    """The operator's sentence for what SQLite or the disk answered, or None where `error` is no fault of theirs."""
    match error:
        case sqlite3.Error():
            # the low byte is the kind, what is above it the shade (SQLite, "Result and Error Codes")
            sentence = _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        case OSError():
            sentence = _BY_ERRNO.get(error.errno or 0)
        case _:
            sentence = None
    return DatabaseUnavailable(sentence.format(place=place)) if sentence else None
