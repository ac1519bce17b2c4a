"""Files that people send: looked at before they are fetched, before they are decoded, and never kept as they came.

Owns what is a picture and how large one may be, and from where anything is fetched at all: Discord's own addresses. Raises
RequestRefused with a sentence for each refusal. Decoding blocks, so `fetch_picture` does it in a thread.
"""

import asyncio
import hashlib
import io
import struct
import warnings
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import discord
import msgspec
from discord.http import Route
from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import RequestRefused
from bot.settings import LimitSettings

FORMATS: Final = ("PNG", "JPEG", "WEBP")
CONTENT_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
ANIMATIONS: Final = frozenset({"image/gif"})
"""Types that are taken besides where the first frame of something that moves will do."""
MEBIBYTE: Final = 2**20
SECONDS: Final = 30.0
"""For which a file may take to arrive."""
_PNG_SIZE: Final = struct.Struct(">II")
_NOT_A_PICTURE: Final = "That file is not a PNG, JPEG or WebP picture; send one of those."
_NOT_EVEN_A_GIF: Final = "That file is not a PNG, JPEG, WebP or GIF picture; send one of those."
_UNFETCHED: Final = "That file could not be fetched from Discord; send it again."
_PIECE: Final = 2**16
_SKEW: Final = 0.02
"""By how much the proportions of a mask may differ from its picture's: rounding of small copies."""
_WHITE: Final = 255
_DISCORDS: Final = (".discordapp.com", ".discordapp.net", ".discord.com")


def check_announcement(*, size: int, content_type: str | None, limit_mib: float, moving: bool = False) -> None:
    """What Discord says of a file, before a byte of it is fetched: `size` in bytes and its type. Raises RequestRefused.

    `moving` takes GIFs too.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in (CONTENT_TYPES | ANIMATIONS if moving else CONTENT_TYPES):
        raise RequestRefused(_NOT_EVEN_A_GIF if moving else _NOT_A_PICTURE)
    if size > limit_mib * MEBIBYTE:
        raise RequestRefused(_too_heavy(f"{size / MEBIBYTE:,.1f} MiB", limit_mib))


def decode_upload(data: bytes, *, limit_megapixels: float) -> bytes:
    """The picture in `data`, upright, in RGB, as a fresh PNG without anybody's metadata.

    Raises RequestRefused when it is no picture, is damaged, or its header announces more than `limit_megapixels`; the
    header is read before anything is decoded, so a decompression bomb costs nothing.
    """
    return _decoded(data, limit_megapixels=limit_megapixels, convert=lambda picture: picture.convert("RGB"))


def decode_still(data: bytes, *, limit_megapixels: float) -> tuple[bytes, bool]:
    """As `decode_upload`, but transparency stays, and of a GIF or whatever else moves the first frame is taken.

    Says, too, whether it moved.
    """

    def still(picture: Image.Image) -> Image.Image:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")

    png = _decoded(data, limit_megapixels=limit_megapixels, convert=still, formats=(*FORMATS, "GIF"))
    try:
        with Image.open(io.BytesIO(data), formats=(*FORMATS, "GIF")) as opened:
            return png, bool(getattr(opened, "is_animated", False))
    except Exception:  # noqa: BLE001 - the first frame was fine; what is wrong with the next ones nobody asked
        return png, False


def decode_mask(data: bytes, *, limit_megapixels: float) -> bytes:
    """The mask in `data`, upright, as a fresh 8-bit grey PNG; where it is partly transparent, its alpha alone with the colour
    left out, as an RGBA PNG. Raises RequestRefused as `decode_upload`."""
    return _decoded(data, limit_megapixels=limit_megapixels, convert=_mask)


def _mask(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            return Image.merge("RGBA", (*(Image.new("L", picture.size, 255) for _ in range(3)), alpha))
    return picture.convert("L")


def _decoded(
    data: bytes,
    *,
    limit_megapixels: float,
    convert: Callable[[Image.Image], Image.Image],
    formats: tuple[str, ...] = FORMATS,
) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=formats) as opened:
                _check_size(opened.size, limit_megapixels)
                picture = convert(ImageOps.exif_transpose(opened))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise RequestRefused(_too_many(limit_megapixels)) from error
    except UnidentifiedImageError as error:
        raise RequestRefused(_NOT_EVEN_A_GIF if "GIF" in formats else _NOT_A_PICTURE) from error
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


def _too_heavy(size: str, limit_mib: float) -> str:
    return f"That file has {size}; at most {limit_mib:g} MiB can be used. Send a smaller one."


class Upload(msgspec.Struct, frozen=True):
    """A picture that was sent, made safe: `data` is our own PNG of it, `sha` names it, `size` is (width, height)."""

    sha: str
    data: bytes
    size: tuple[int, int]


async def fetch_picture(attachment: discord.Attachment, limits: LimitSettings) -> Upload:
    """Fetch and check what somebody attached. Raises RequestRefused: nothing is fetched that is announced as too large."""
    sent = await _attached(attachment, limits)
    return upload_of(await asyncio.to_thread(decode_upload, sent, limit_megapixels=limits.upload_megapixels))


async def fetch_mask(attachment: discord.Attachment, limits: LimitSettings) -> Upload:
    """Fetch and check a mask that somebody attached. Raises RequestRefused as `fetch_picture`."""
    sent = await _attached(attachment, limits)
    return upload_of(await asyncio.to_thread(decode_mask, sent, limit_megapixels=limits.upload_megapixels))


async def fetch_file(attachment: discord.Attachment, limits: LimitSettings) -> bytes:
    """What somebody attached, as it came; GIFs are taken too. Raises RequestRefused for what is announced as anything else."""
    return await _attached(attachment, limits, moving=True)


async def _attached(attachment: discord.Attachment, limits: LimitSettings, *, moving: bool = False) -> bytes:
    check_announcement(
        size=attachment.size, content_type=attachment.content_type, limit_mib=limits.upload_mib, moving=moving
    )
    try:
        return await attachment.read()
    except discord.HTTPException as error:
        raise RequestRefused(_UNFETCHED) from error


def upload_of(png: bytes) -> Upload:
    """A PNG of our own, named and measured."""
    width, height = _PNG_SIZE.unpack_from(png, 16)
    return Upload(hashlib.sha256(png).hexdigest(), png, (width, height))


def check_mask(mask: Upload, picture: Upload, *, invert: bool = False) -> None:
    """Raise RequestRefused where `mask` has other proportions than `picture`, or nothing to paint in it."""
    (width, height), (wide, high) = mask.size, picture.size
    if abs(width * high - height * wide) > _SKEW * width * high:
        raise RequestRefused(
            f"The mask has {width:,} × {height:,} pixels and the picture {wide:,} × {high:,}; they must have the same shape."
        )
    with Image.open(io.BytesIO(mask.data), formats=("PNG",)) as opened:
        levels = opened.getchannel("A") if opened.mode == "RGBA" else opened
        darkest, lightest = levels.getextrema()
    if invert and darkest == _WHITE:
        raise RequestRefused("The mask is white all over, and inverted there is nothing to paint; leave a part black.")
    if not invert and lightest == 0:
        raise RequestRefused("The mask is black all over; paint white over what shall change.")


async def fetch_bytes(url: str, *, limit_mib: float) -> bytes:
    """What lies behind `url`, which must be an address of Discord's: never one that somebody wrote into a message.

    Reading stops at `limit_mib`, whatever was announced. Raises RequestRefused.
    """
    if not is_discords(url):
        raise RequestRefused("That picture lies outside Discord and is not fetched from there; attach it to a message.")
    limit = int(limit_mib * MEBIBYTE)
    pieces = bytearray()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise RequestRefused(_UNFETCHED)
            async for piece in answer.content.iter_chunked(_PIECE):
                pieces += piece
                if len(pieces) > limit:
                    raise RequestRefused(_too_heavy(f"more than {limit_mib:g} MiB", limit_mib))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise RequestRefused(_UNFETCHED) from error
    return bytes(pieces)


def is_discords(url: str) -> bool:
    """Whether `url` leads to Discord's files, or to where discord.py's own calls go (the loopback's files lie there)."""
    parts, home = urlsplit(url), urlsplit(Route.BASE)
    if (parts.scheme, parts.netloc) == (home.scheme, home.netloc):
        return True
    return parts.scheme == "https" and (parts.hostname or "").endswith(_DISCORDS)
