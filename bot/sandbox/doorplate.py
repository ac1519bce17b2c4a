"""The address of the page from one start to the next: its port and its secret, in the world's folder.

Without it an open page could not come back by itself when the program is started again.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "page.json"
SECRET_BYTES: Final = 24


class _Plate(msgspec.Struct):
    """What is written."""

    secret: str
    port: int


@dataclass(slots=True)
class Doorplate:
    """`secret` lets a page in; `port` is that of last time, 0 when there was none; `path` is None where nothing is kept."""

    secret: str
    port: int = 0
    path: Path | None = None

    @classmethod
    def fresh(cls, path: Path | None = None) -> "Doorplate":
        """A new secret."""
        return cls(secrets.token_urlsafe(SECRET_BYTES), path=path)

    @classmethod
    def read(cls, folder: Path) -> "Doorplate":
        """What a folder says; fresh where it says nothing that can be read."""
        path = folder / NAME
        try:
            plate = msgspec.json.decode(path.read_bytes(), type=_Plate)
        except (OSError, msgspec.DecodeError):
            return cls.fresh(path)
        return cls(plate.secret, plate.port if 0 < plate.port < 2**16 else 0, path)

    def keep(self, port: int) -> None:
        """Write the port that is open now; the file is for its owner's eyes, as it holds the secret."""
        self.port = port
        if self.path is None:
            return
        beside = self.path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(_Plate(self.secret, port)))
        beside.replace(self.path)
