"""Files of the world: their bytes, what kind they are, and links to them that expire.

Owns the shelf's protocol, reading a picture's size from its head, and signing. The sockets are `cdn`; keeping files over
a restart is `persistence`.
"""

import hashlib
import hmac
import mimetypes
import re
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from bot.sandbox.clock import Clock

LINK_HOURS: Final = 24
"""How long a link is good, as Discord's are."""
UNSAFE = re.compile(r"[^\w.\-]")
TYPES: Final = {".webp": "image/webp", ".safetensors": "application/octet-stream"}
JPEG_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    filename: str
    data: bytes
    description: str | None = None

    @property
    def safe_name(self) -> str:
        """The name that Discord gives it: letters, digits, dot, dash and underscore."""
        return UNSAFE.sub("_", self.filename) or "file"

    @property
    def content_type(self) -> str:
        """Media type by the name's ending."""
        ending = "." + self.filename.rsplit(".", 1)[-1].lower()
        return TYPES.get(ending) or mimetypes.guess_type(self.filename)[0] or "application/octet-stream"


class FileShelf(Protocol):
    """Where the bytes of attachments lie."""

    def put(self, file_id: str, data: bytes) -> None:
        """Keep `data`; when this returns it is kept."""
        ...

    def get(self, file_id: str) -> bytes | None:
        """The bytes, or None for an id that is not there."""
        ...

    def drop(self, file_id: str) -> None:
        """Forget; harmless for an id that is not there."""
        ...


class MemoryShelf:
    """A shelf that ends with the process."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, file_id: str, data: bytes) -> None:
        """Keep `data`."""
        self._files[file_id] = data

    def get(self, file_id: str) -> bytes | None:
        """The bytes, or None."""
        return self._files.get(file_id)

    def drop(self, file_id: str) -> None:
        """Forget."""
        self._files.pop(file_id, None)


class Links:
    """Absolute links to attachments, signed and expiring as Discord's are: `ex` and `is` in hex seconds, `hm` the seal.

    The moment is rounded to the hour, so that the same file has the same link for a while and clients can cache it.
    """

    def __init__(self, clock: Clock, *, secret: bytes, base: str = "http://127.0.0.1") -> None:
        self.base = base
        self._clock = clock
        self._secret = secret

    def _seal(self, path: str, issued: int, expires: int) -> str:
        return hmac.new(self._secret, f"{path}?{issued:x}.{expires:x}".encode(), hashlib.sha256).hexdigest()

    def link(self, channel_id: str, attachment_id: str, filename: str) -> str:
        """A link that works for at least 23 hours."""
        path = f"/cdn/attachments/{channel_id}/{attachment_id}/{quote(filename)}"
        issued = int(self._clock.now().timestamp()) // 3600 * 3600
        expires = issued + LINK_HOURS * 3600
        return f"{self.base}{path}?ex={expires:x}&is={issued:x}&hm={self._seal(path, issued, expires)}"

    def is_good(self, path: str, expires: str, issued: str, seal: str) -> bool:
        """Whether a link is ours and not past its time."""
        try:
            start, end = int(issued, 16), int(expires, 16)
        except ValueError:
            return False
        return hmac.compare_digest(self._seal(path, start, end), seal) and self._clock.now().timestamp() < end


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the head of a PNG, GIF, WebP or JPEG; None for anything else or a head that is cut off."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[:6] in {b"GIF87a", b"GIF89a"} and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """The three kinds of first chunk: lossy, lossless, extended (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in JPEG_FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
