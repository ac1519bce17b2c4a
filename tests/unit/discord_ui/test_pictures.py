"""Pictures as they leave, and files as they come in."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.discord_ui.pictures import PictureTooLarge, contact_sheet, fit_file, to_webp
from bot.discord_ui.uploads import check_announcement, decode_upload
from bot.errors import RequestRefused
from inference.api.infotext import NoInfotext, infotext_in


def encoded(size: tuple[int, int] = (96, 64), kind: str = "PNG", *, noise: bool = False) -> bytes:
    """A picture file."""
    picture = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size, (200, 30, 30))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of 200 bytes whose header announces 60,000 by 60,000 pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_the_channel_gets_webp_of_the_same_size() -> None:
    """A picture that fits keeps its pixels."""
    with Image.open(io.BytesIO(to_webp(encoded(), limit=10**6))) as picture:
        assert (picture.format, picture.size) == ("WEBP", (96, 64))


def test_a_picture_too_large_for_the_channel_is_made_smaller() -> None:
    """Over the limit it is scaled down, keeping its shape, until it fits; what can never fit says so."""
    png = encoded((512, 256), noise=True)
    small = to_webp(png, limit=20_000)
    with Image.open(io.BytesIO(small)) as picture:
        assert len(small) <= 20_000
        assert picture.width < 512
        assert picture.width / picture.height == pytest.approx(2, rel=0.03)
    with pytest.raises(PictureTooLarge):
        to_webp(png, limit=50)


@pytest.mark.parametrize(("count", "size"), [(1, (272, 272)), (3, (800, 272)), (9, (800, 800))])
def test_a_contact_sheet_shows_all(count: int, size: tuple[int, int]) -> None:
    """One to nine pictures stand three in a row."""
    with Image.open(io.BytesIO(contact_sheet([encoded()] * count))) as sheet:
        assert sheet.size == size
        last = (count - 1) % 3
        x, y = 8 + last * 264 + 200, 8 + (count - 1) // 3 * 264 + 128
        pixel = sheet.convert("RGB").getpixel((x, y))
        assert isinstance(pixel, tuple)
        assert pixel[0] > 150


def test_a_contact_sheet_has_one_to_nine() -> None:
    """None and ten are mistakes."""
    for count in (0, 10):
        with pytest.raises(ValueError, match="1 to 9"):
            contact_sheet([encoded()] * count)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_upload_is_painted_anew(kind: str) -> None:
    """Each allowed format becomes a PNG of the same size without what was hidden in the file."""
    with Image.open(io.BytesIO(decode_upload(encoded(kind=kind) + b"trailing secrets", limit_megapixels=1))) as picture:
        assert (picture.format, picture.size, picture.info) == ("PNG", (96, 64), {})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"just words", "not a PNG"),
        (encoded(kind="GIF"), "not a PNG"),
        (encoded(noise=True)[:-2000], "damaged"),
        (encoded((1100, 1000)), "1,100 × 1,000"),
        (bomb(), "megapixels"),
        (b"", "not a PNG"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes, says: str) -> None:
    """Text, other formats, a cut file, too many pixels and a decompression bomb each get their sentence."""
    with pytest.raises(RequestRefused, match=says):
        decode_upload(data, limit_megapixels=1)


@given(st.binary(max_size=200))
def test_no_bytes_make_an_accident(data: bytes) -> None:
    """Whatever is sent is a picture or a refusal."""
    with pytest.raises(RequestRefused):
        decode_upload(b"\x89PNG\r\n\x1a\n" + data, limit_megapixels=1)


def test_a_file_is_refused_before_it_is_fetched() -> None:
    """Half a gigabyte by header and a film by type are not fetched; a small picture, or one without a type, is."""
    check_announcement(size=1000, content_type="image/png; charset=x", limit_mib=10)
    check_announcement(size=1000, content_type=None, limit_mib=10)
    with pytest.raises(RequestRefused, match=r"500\.0 MiB; at most 10 MiB"):
        check_announcement(size=500 * 2**20, content_type="image/png", limit_mib=10)
    with pytest.raises(RequestRefused, match="not a PNG"):
        check_announcement(size=1000, content_type="video/mp4", limit_mib=10)


def test_the_webp_in_the_channel_carries_its_parameters() -> None:
    """What the PNG says of how it was painted, the WebP says too; a PNG that says nothing becomes one that says nothing."""
    text = "a fox, 狐\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
    said = PngInfo()
    said.add_text("parameters", text)
    for info in (said, None):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), "teal").save(buffer, "PNG", pnginfo=info)
        webp = to_webp(buffer.getvalue(), limit=100_000)
        if info is not None:
            assert infotext_in(webp) == text
        else:
            with pytest.raises(NoInfotext):
                infotext_in(webp)


def test_a_strip_longer_than_webp_can_say_is_made_shorter() -> None:
    """An enlarged strip of 40,000 x 16 is shown as long as WebP allows, and its file is no broken one."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((40_000, 16)).convert("RGB").save(buffer, "PNG")
    with Image.open(io.BytesIO(to_webp(buffer.getvalue(), limit=10**6))) as shown:
        assert shown.size == (16_383, 6)
    fitted = fit_file(buffer.getvalue(), limit=len(buffer.getvalue()) - 1)
    assert (fitted.ending, bool(fitted.note)) == ("webp", True)


def test_what_is_transparent_stays_so() -> None:
    """An enlarged sticker has no black ground in the channel."""
    buffer = io.BytesIO()
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 255, 0, 255), (0, 0, 32, 64))
    picture.save(buffer, "PNG")
    with Image.open(io.BytesIO(to_webp(buffer.getvalue(), limit=10**6))) as shown:
        alpha = shown.getchannel("A")
        assert (alpha.getpixel((5, 5)), alpha.getpixel((60, 5))) == (255, 0)
