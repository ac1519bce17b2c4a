"""The parameter text inside a picture's bytes: PNG text chunks, and the EXIF comment of PNG, JPEG and WebP.

Owns the three containers as far as their texts go. Pixels are never touched, lengths are never trusted, and a text that
unpacks to more than `MAX_TEXT` bytes is cut there.
"""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from inference.api.infotext.foreign import COMFY, from_novelai

MAX_TEXT = 4 * 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"
_EXIF_POINTER, _USER_COMMENT, _UNDEFINED, _LONG = 0x8769, 0x9286, 7, 4
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
"""Bytes of a value by EXIF type."""


class NoInfotext(ValueError):
    """A picture without a parameter text; the message is a sentence for the person who sent it."""


class Texts(msgspec.Struct):
    """What a picture says in words: text chunks by keyword, the EXIF comment, and the size where the file tells it."""

    chunks: dict[str, str] = {}
    comment: str = ""
    size: tuple[int, int] = (0, 0)


def is_picture(data: bytes) -> bool:
    """Whether `data` begins like a PNG, JPEG or WebP."""
    return data.startswith((PNG, JPEG)) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def infotext_in(data: bytes) -> str:
    """The parameter text of a picture. Raises NoInfotext, which says what was found instead.

    An EXIF comment counts more than a PNG's chunk, as in the webui.
    """
    if not is_picture(data):
        raise NoInfotext("This is neither a PNG, a JPEG nor a WebP picture; send one of those, or the text itself.")
    texts = texts_in(data)
    if texts.comment.strip():
        return texts.comment
    if text := texts.chunks.get("parameters"):
        return text
    if texts.chunks.get("Software") == "NovelAI" and (text := from_novelai(texts.chunks, texts.size)):
        return text
    if "workflow" in texts.chunks or "prompt" in texts.chunks:
        raise NoInfotext(COMFY)
    raise NoInfotext("This picture carries no parameters; many sites strip them. Send the original file, or the text.")


def texts_in(data: bytes) -> Texts:
    """All that a picture says in words; nothing where the file is damaged."""
    if data.startswith(PNG):
        return _png(data)
    exif = next(_jpeg_exif(data), b"") if data.startswith(JPEG) else next(_webp_exif(data), b"")
    return Texts(comment=user_comment(exif))


def exif_with(infotext: str) -> bytes:
    """An EXIF block (as Pillow's `exif=` takes it) whose comment is `infotext`: how JPEG and WebP carry it (webui)."""
    comment = b"UNICODE\0" + infotext.encode("utf-16-be", "surrogatepass")
    first = struct.pack(">HHHLLL", 1, _EXIF_POINTER, _LONG, 1, 26, 0)
    second = struct.pack(">HHHLLL", 1, _USER_COMMENT, _UNDEFINED, len(comment), 44, 0)
    return b"Exif\0\0" + b"MM\0*" + struct.pack(">L", 8) + first + second + comment


def _png(data: bytes) -> Texts:
    texts = Texts()
    at = len(PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">L4s", data, at)
        body = data[at + 8 : at + 8 + length]
        match kind:
            case b"IHDR" if len(body) >= 8:
                texts.size = struct.unpack_from(">LL", body)
            case b"tEXt" | b"zTXt" | b"iTXt":
                keyword, _, rest = body.partition(b"\0")
                texts.chunks.setdefault(keyword.decode("latin-1"), _TEXTS[kind](rest))
            case b"eXIf":
                texts.comment = user_comment(body)
            case _:
                pass
        at += 12 + length
    return texts


def _plain(rest: bytes) -> str:
    return rest.decode("latin-1")


def _packed(rest: bytes) -> str:
    return _unpack(rest[1:]).decode("latin-1")


def _international(rest: bytes) -> str:
    packed = rest[:1] == b"\1"
    parts = rest[2:].split(b"\0", 2)  # language, translated keyword, text
    text = parts[2] if len(parts) == 3 else b""
    return (_unpack(text) if packed else text).decode("utf-8", "replace")


_TEXTS = {b"tEXt": _plain, b"zTXt": _packed, b"iTXt": _international}


def _unpack(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT)
    except zlib.error:
        return b""


def _jpeg_exif(data: bytes) -> Iterator[bytes]:
    """Bodies of EXIF segments, up to where the picture itself begins."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = struct.unpack_from(">xBH", data, at)
        if marker == 0xDA:
            return
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            yield body
        at += 2 + max(length, 2)


def _webp_exif(data: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sL", data, at)
        if kind == b"EXIF":
            yield data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def user_comment(exif: bytes) -> str:
    """The comment in an EXIF block (with or without its `Exif` mark); empty where there is none or the block is damaged."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return ""
    main = _entries(tiff, struct.unpack_from(order + "L", tiff, 4)[0], order)
    where = main.get(_EXIF_POINTER, b"")
    inner = _entries(tiff, struct.unpack(order + "L", where)[0], order) if len(where) == 4 else {}
    return _decode(inner.get(_USER_COMMENT) or main.get(_USER_COMMENT) or b"")


def _entries(tiff: bytes, at: int, order: str) -> dict[int, bytes]:
    """Values of one directory by tag."""
    if at + 2 > len(tiff):
        return {}
    (count,) = struct.unpack_from(order + "H", tiff, at)
    found: dict[int, bytes] = {}
    for place in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number = struct.unpack_from(order + "HHL", tiff, place)
        size = _WIDTHS.get(kind, 1) * number
        start = place + 8 if size <= 4 else struct.unpack_from(order + "L", tiff, place + 8)[0]
        found[tag] = tiff[start : start + size]
    return found


def _decode(comment: bytes) -> str:
    """A comment in the encoding that its first eight bytes name; of UTF-16 they do not name which, nor does the block."""
    mark, body = comment[:8], comment[8:]
    if mark == b"UNICODE\0":
        return _likelier(body.decode("utf-16-be", "replace"), body.decode("utf-16-le", "replace"))
    if mark in (b"ASCII\0\0\0", b"\0" * 8):
        return body.decode("utf-8", "replace").rstrip("\0")
    return comment.decode("utf-8", "replace").strip("\0")


def _likelier(first: str, second: str) -> str:
    """Of two readings the one with more letters of ordinary texts; the first of equals."""
    return max(first, second, key=lambda text: sum(letter in " ,:abcdeinorst\n" for letter in text[:2000])).rstrip("\0")
