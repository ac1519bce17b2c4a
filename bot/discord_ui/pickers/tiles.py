"""Sample pictures made small: from a file beside a model, from a picture that was painted, or a plain tile with the name.

Owns how large they are and what is read of a stranger's file. Blocking, so callers run it in a thread.
"""

import io
import textwrap
import warnings
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageOps

FORMATS: Final = ("PNG", "JPEG", "WEBP")
BYTES: Final = 20 * 2**20
MEGAPIXELS: Final = 25.0
LARGE: Final = 768
"""The longer side of an opened sample, in pixels."""
SMALL: Final = 256
_GROUND: Final = (43, 45, 49)
_INK: Final = (219, 222, 225)


def sample_from_file(path: str) -> bytes:
    """The picture at `path` as PNG, no longer than `LARGE`; empty where it is none, damaged, too large or gone."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(BYTES + 1)
    except OSError:
        return b""
    return sample_from(data) if len(data) <= BYTES else b""


def sample_from(data: bytes) -> bytes:
    """The same of a picture's bytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MEGAPIXELS * 1e6:
                    return b""
                opened.draft("RGB", (LARGE, LARGE))
                picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError):
        return b""
    picture.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
    return _png(picture)


def blank_tile(name: str) -> bytes:
    """A plain tile that says `name`, where there is nothing to show."""
    tile = Image.new("RGB", (SMALL, SMALL), _GROUND)
    lines = textwrap.wrap(name.encode("latin-1", "replace").decode("latin-1"), 16)[:5]
    words = "\n".join(lines)
    ImageDraw.Draw(tile).multiline_text(
        (SMALL / 2, SMALL / 2), words, fill=_INK, font_size=24, anchor="mm", align="center"
    )
    return _png(tile)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
