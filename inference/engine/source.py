"""A picture that somebody sent, opened safely and brought to size.

Owns which formats and sizes are taken and the webui's three ways to resize. Everything here is 8-bit RGB.
"""

import io
import warnings

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 64_000_000
"""Pixels a source may have by its header: more is refused before anything is decoded."""


class BadSource(ValueError):
    """The picture cannot be used; the message is a sentence for the person who sent it."""


def open_source(data: bytes) -> Image.Image:
    """Decode `data` to RGB, upright by its EXIF note, transparency flattened on white. Raises BadSource."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is our own, stricter, limit
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        with picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise BadSource(
                    f"The source has {picture.width} × {picture.height} pixels;"
                    f" send one of at most {MAX_PIXELS // 1_000_000} megapixels."
                )
            return flatten(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, BadSource):
            raise
        raise BadSource("The source is not a whole PNG, JPEG or WebP picture; send one of those.") from error


def flatten(picture: Image.Image) -> Image.Image:
    """`picture` as RGB, on white where it is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    over = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")


def fit(picture: Image.Image, size: tuple[int, int], mode: int) -> Image.Image:
    """Resize to `size` (width, height) with Lanczos: mode 0 stretches, 1 covers and crops, 2 fits and fills the gaps.

    Gaps are filled by stretching the edge row or column, as in the webui.
    """
    width, height = size
    if mode == 0:
        return picture.resize(size, Image.Resampling.LANCZOS)
    wide = width / height > picture.width / picture.height
    by_width = wide if mode == 1 else not wide
    inner = (
        (width, picture.height * width // picture.width)
        if by_width
        else (picture.width * height // picture.height, height)
    )
    resized = picture.resize((max(1, inner[0]), max(1, inner[1])), Image.Resampling.LANCZOS)
    left, top = width // 2 - resized.width // 2, height // 2 - resized.height // 2
    canvas = Image.new("RGB", size)
    canvas.paste(resized, (left, top))
    if mode == 2:
        _stretch_edges(canvas, resized, left, top)
    return canvas


def _stretch_edges(canvas: Image.Image, inner: Image.Image, left: int, top: int) -> None:
    width, height = canvas.size
    right, bottom = left + inner.width, top + inner.height
    if top > 0:
        canvas.paste(inner.resize((width, top), box=(0, 0, inner.width, 1)), (0, 0))
    if bottom < height:
        canvas.paste(
            inner.resize((width, height - bottom), box=(0, inner.height - 1, inner.width, inner.height)), (0, bottom)
        )
    if left > 0:
        canvas.paste(inner.resize((left, height), box=(0, 0, 1, inner.height)), (0, 0))
    if right < width:
        canvas.paste(
            inner.resize((width - right, height), box=(inner.width - 1, 0, inner.width, inner.height)), (right, 0)
        )
