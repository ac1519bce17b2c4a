"""Files that people send: looked at before they are fetched, before they are decoded, and never kept as they came.

Owns what is a picture and how large one may be. Raises RequestRefused with a sentence for each refusal. Decoding blocks,
so callers run `decode_upload` in a thread.
"""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import RequestRefused

FORMATS: Final = ("PNG", "JPEG", "WEBP")
CONTENT_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
MEBIBYTE: Final = 2**20
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
