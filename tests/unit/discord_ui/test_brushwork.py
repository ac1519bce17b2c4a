"""Masks, previews and sheets: the pixels that a painter or a person is given."""

import io

import pytest
from PIL import Image

from bot.discord_ui.brushwork import SHOWN, region_mask, region_preview, spread
from bot.discord_ui.uploads import check_mask, decode_mask, is_discords, upload_of
from bot.errors import RequestRefused
from bot.requests.outpaint import moved, zoomed
from bot.settings import LimitSettings

ROOM = 1.0


def opened(data: bytes) -> Image.Image:
    """The picture in `data`."""
    return Image.open(io.BytesIO(data))


def png(image: Image.Image) -> bytes:
    """`image` as a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def halves(size: tuple[int, int]) -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return png(image)


def test_a_mask_is_white_in_its_regions() -> None:
    """And black everywhere else, to the pixel."""
    mask = opened(region_mask((90, 60), [0, 8]))
    assert (mask.mode, mask.size) == ("L", (90, 60))
    assert mask.getpixel((29, 19)) == mask.getpixel((60, 40)) == 255
    assert mask.getpixel((30, 19)) == mask.getpixel((29, 20)) == mask.getpixel((59, 40)) == 0


@pytest.mark.parametrize("size", [(90, 60), (64, 4000), (2000, 64)])
def test_a_preview_shows_the_chosen(size: tuple[int, int]) -> None:
    """However thin the picture: its longer side has the length of a preview, and chosen regions look otherwise."""
    plain, chosen = opened(region_preview(halves(size), [])), opened(region_preview(halves(size), [4]))
    assert max(plain.size) == SHOWN
    middle = plain.width // 2, plain.height // 2
    assert plain.convert("RGB").getpixel(middle) != chosen.convert("RGB").getpixel(middle)


def test_a_sheet_keeps_the_picture_and_draws_out_its_edges() -> None:
    """Moving leaves every old pixel as it was; what is new begins in the colours of the edge, and is what the mask hides."""
    picture = halves((128, 128))
    sheet = moved((128, 128), "right", limits=LimitSettings())
    whole, mask = (opened(data) for data in spread(picture, sheet))
    assert whole.size == mask.size == (192, 128)
    assert whole.crop((0, 0, 128, 128)).tobytes() == opened(picture).tobytes()
    assert whole.getpixel((190, 100)) == (0, 0, 255)
    assert mask.getbbox() == (112, 0, 192, 128)
    assert mask.getpixel((113, 64)) == 255


def test_a_zoom_surrounds_the_picture() -> None:
    """Every corner has the colour of the edge that is nearest."""
    whole, mask = (opened(data) for data in spread(halves((128, 128)), zoomed((128, 128), 2.0)))
    assert whole.getpixel((1, 1)) == (255, 0, 0)
    assert whole.getpixel((126, 126)) == (0, 0, 255)
    assert whole.getpixel((40, 64)) == (255, 0, 0)
    assert (mask.getpixel((64, 64)), mask.getpixel((33, 64)), mask.getpixel((1, 1))) == (0, 255, 255)


def test_masks_keep_what_they_say() -> None:
    """Grey stays grey; of a partly transparent one its alpha is kept and nothing that was painted under it."""
    grey = Image.new("L", (8, 8), 77)
    assert opened(decode_mask(png(grey), limit_megapixels=ROOM)).getpixel((0, 0)) == 77
    clear = Image.new("RGBA", (8, 8), (200, 10, 10, 255))
    clear.putpixel((3, 3), (9, 9, 9, 40))
    kept = opened(decode_mask(png(clear), limit_megapixels=ROOM))
    assert (kept.mode, kept.getpixel((3, 3)), kept.getpixel((0, 0))) == (
        "RGBA",
        (255, 255, 255, 40),
        (255, 255, 255, 255),
    )
    solid = Image.new("RGBA", (8, 8), (255, 255, 255, 255))
    assert opened(decode_mask(png(solid), limit_megapixels=ROOM)).mode == "L"
    with pytest.raises(RequestRefused, match="damaged"):
        decode_mask(png(grey)[:50], limit_megapixels=ROOM)


def test_a_mask_belongs_to_its_picture() -> None:
    """A smaller copy does, another shape does not; rounding is forgiven."""
    picture = upload_of(png(Image.new("RGB", (512, 768))))
    white = Image.new("L", (171, 256), 255)
    check_mask(upload_of(png(white)), picture)
    with pytest.raises(RequestRefused, match="171 × 200 pixels and the picture 512 × 768"):
        check_mask(upload_of(png(white.resize((171, 200)))), picture)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", True),
        ("https://images-ext-1.discordapp.net/external/x/https/example.org/a.png", True),
        ("https://media.discordapp.net/a.png", True),
        ("http://cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com.example.org/a.png", False),
        ("https://evildiscordapp.com/a.png", False),
        ("https://user@example.org/cdn.discordapp.com/a.png", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("http://127.0.0.1:80/a.png", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_discords_own_addresses_are_visited(url: str, allowed: bool) -> None:
    """Whatever a stranger writes into a card."""
    assert is_discords(url) is allowed
