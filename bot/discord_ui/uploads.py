"""Files that people send: looked at before they are fetched, before they are decoded, and never kept as they came.

Owns what is a picture and how large one may be. Raises RequestRefused with a sentence for each refusal. Decoding blocks,
so `fetch_picture` does it in a thread.
"""

import asyncio
import hashlib
import io
import struct
import warnings
from typing import Final

import discord
import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import RequestRefused
from bot.settings import LimitSettings

FORMATS: Final = ("PNG", "JPEG", "WEBP")
CONTENT_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
MEBIBYTE: Final = 2**20
_PNG_SIZE: Final = struct.Struct(">II")
_NOT_A_PICTURE: Final = "That file is not a PNG, JPEG or WebP picture; send one of those."


def check_announcement(*, size: int, content_type: str | None, limit_mib: float) -> None:
    """What Discord says of a file, before a byte of it is fetched: `size` in bytes and its type. Raises RequestRefused."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in CONTENT_TYPES:
        raise RequestRefused(_NOT_A_PICTURE)
    if size > limit_mib * MEBIBYTE:
        raise RequestRefused(
            f"That file has {size / MEBIBYTE:,.1f} MiB; at most {limit_mib:g} MiB can be used. Send a smaller one."
        )


def decode_upload(data: bytes, *, limit_megapixels: float) -> bytes:
    """The picture in `data`, upright, in RGB, as a fresh PNG without anybody's metadata.

    Raises RequestRefused when it is no picture, is damaged, or its header announces more than `limit_megapixels`; the
    header is read before anything is decoded, so a decompression bomb costs nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _check_size(opened.size, limit_megapixels)
                picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise RequestRefused(_too_many(limit_megapixels)) from error
    except UnidentifiedImageError as error:
        raise RequestRefused(_NOT_A_PICTURE) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise RequestRefused(
            "That picture is damaged and cannot be read; save it again and send the new file."
        ) from error
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _check_size(size: tuple[int, int], limit: float) -> None:
    width, height = size
    if width * height > limit * 1e6:
        raise RequestRefused(f"That picture has {width:,} × {height:,} pixels. {_too_many(limit)}")


def _too_many(limit: float) -> str:
    return f"At most {limit:g} megapixels can be used; send a smaller one."


class Upload(msgspec.Struct, frozen=True):
    """A picture that was sent, made safe: `data` is our own PNG of it, `sha` names it, `size` is (width, height)."""

    sha: str
    data: bytes
    size: tuple[int, int]


async def fetch_picture(attachment: discord.Attachment, limits: LimitSettings) -> Upload:
    """Fetch and check what somebody attached. Raises RequestRefused: nothing is fetched that is announced as too large."""
    check_announcement(size=attachment.size, content_type=attachment.content_type, limit_mib=limits.upload_mib)
    try:
        sent = await attachment.read()
    except discord.HTTPException as error:
        raise RequestRefused("That file could not be fetched from Discord; send it again.") from error
    data = await asyncio.to_thread(decode_upload, sent, limit_megapixels=limits.upload_megapixels)
    width, height = _PNG_SIZE.unpack_from(data, 16)
    return Upload(hashlib.sha256(data).hexdigest(), data, (width, height))
