"""A picture that somebody sent, opened safely and brought to size.

Owns which formats and sizes are taken and the webui's three ways to resize. Sources are 8-bit RGB, masks 8-bit grey.
"""

import io
import warnings

from PIL import Image, ImageOps

from inference.engine.masks import read_mask

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 64_000_000
"""Pixels a source may have by its header: more is refused before anything is decoded."""


class BadSource(ValueError):
    """The picture cannot be used; the message is a sentence for the person who sent it."""


def open_source(data: bytes) -> Image.Image:
    """Decode `data` to RGB, upright by its EXIF note, transparency flattened on white. Raises BadSource."""
    return flatten(_opened(data, "source"))


def open_control(data: bytes) -> Image.Image:
    """Decode `data` to a picture that a control follows: RGB, or RGBA where something is transparent. Raises BadSource."""
    picture = _opened(data, "control picture")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def open_picture(data: bytes) -> Image.Image:
    """Decode `data` as `open_source` does, but to RGBA where anything in it is transparent. Raises BadSource."""
    picture = _opened(data, "picture")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() != (255, 255):
            return picture
    return picture.convert("RGB")


def open_mask(data: bytes, *, rounded: bool = True, invert: bool = False) -> Image.Image:
    """Decode `data` to a mask (`masks.read_mask`), upright by its EXIF note. Raises BadSource."""
    picture = _opened(data, "mask")
    if picture.mode in ("P", "LA", "PA", "La", "RGBa"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return read_mask(picture, rounded=rounded, invert=invert)


def _opened(data: bytes, what: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is our own, stricter, limit
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        with picture:
            _check_size(picture, what)
            return ImageOps.exif_transpose(picture)
    except BadSource:
        raise
    except Exception as error:  # a picture can be broken in any way; all of them mean the same
        raise BadSource(f"The {what} is not a whole PNG, JPEG or WebP picture; send one of those.") from error


def _check_size(picture: Image.Image, what: str) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise BadSource(
            f"The {what} has {picture.width} × {picture.height} pixels;"
            f" send one of at most {MAX_PIXELS // 1_000_000} megapixels."
        )


def flatten(picture: Image.Image) -> Image.Image:
    """`picture` as RGB, on white where it is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    over = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")


def fit(picture: Image.Image, size: tuple[int, int], mode: int) -> Image.Image:
    """Resize to `size` (width, height) with Lanczos: mode 0 stretches, 1 covers and crops, 2 fits and fills the gaps."""
    return arranged(picture.resize(inner_size(picture.size, size, mode), Image.Resampling.LANCZOS), size, mode)


def inner_size(original: tuple[int, int], size: tuple[int, int], mode: int) -> tuple[int, int]:
    """To what a picture of size `original` is resized before `arranged` crops it or fills what is missing."""
    (width, height), (from_width, from_height) = size, original
    if mode == 0:
        return size
    wide = width / height > from_width / from_height
    if wide if mode == 1 else not wide:
        return width, max(1, from_height * width // from_width)
    return max(1, from_width * height // from_height), height


def arranged(inner: Image.Image, size: tuple[int, int], mode: int) -> Image.Image:
    """`inner` in the middle of a picture of `size`, cropped (mode 1), or its edge rows and columns stretched (mode 2)."""
    if inner.size == size:
        return inner
    left, top = size[0] // 2 - inner.width // 2, size[1] // 2 - inner.height // 2
    canvas = Image.new(inner.mode, size)
    canvas.paste(inner, (left, top))
    if mode == 2:
        _stretch_edges(canvas, inner, left, top)
    return canvas


def _stretch_edges(canvas: Image.Image, inner: Image.Image, left: int, top: int) -> None:
    """Fill what `inner`, pasted at (left, top), left free: a box without height or width samples the very edge (webui)."""
    (width, height), right, bottom = canvas.size, left + inner.width, top + inner.height
    if top > 0:
        canvas.paste(inner.resize((width, top), box=(0, 0, inner.width, 0)), (0, 0))
    if bottom < height:
        edge = (0, inner.height, inner.width, inner.height)
        canvas.paste(inner.resize((width, height - bottom), box=edge), (0, bottom))
    if left > 0:
        canvas.paste(inner.resize((left, height), box=(0, 0, 0, inner.height)), (0, 0))
    if right < width:
        edge = (inner.width, 0, inner.width, inner.height)
        canvas.paste(inner.resize((width - right, height), box=edge), (right, 0))
