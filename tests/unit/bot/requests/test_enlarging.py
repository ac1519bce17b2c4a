"""How somebody's wish for a larger picture becomes a request."""

import pytest

from bot.errors import LimitReached, RequestRefused
from bot.requests.enlarging import (
    EnlargeDraft,
    bare_base,
    best_upscaler,
    check_shape,
    enlargement,
    read_large,
    redrawing,
)
from inference.api.control import ControlUnit
from inference.api.enlarging import result_size
from inference.api.faces import FaceRestoration
from inference.api.redraw import SdUpscale, UltimateUpscale
from inference.api.regional import Region, Regional
from inference.api.request import Hires, SourcePicture
from inference.api.result import Inventory, ModelFile
from tests.unit.bot.requests.shelf import asked

SHA = "cd" * 32
SHELF = Inventory(upscalers=(ModelFile("4x-sharp", "/m/ESRGAN/4x-sharp.pth", "", "unknown"),))


def enlarge(of: tuple[int, int] = (512, 384), megapixels: float = 4.2, **said: object):
    """The enlargement of a picture of `size`."""
    draft = EnlargeDraft(**said)  # type: ignore[arg-type]
    return enlargement(draft, picture=SHA, size=of, infotext="x", inventory=SHELF, megapixels=megapixels)


def redraw(of: tuple[int, int] = (512, 384), megapixels: float = 4.2, native: int = 512, **said: object):
    """The tiled upscale of a picture of `size`."""
    draft = EnlargeDraft(**({"method": "tiles"} | said))  # type: ignore[arg-type]
    return redrawing(
        draft, asked(seed="5"), picture=SHA, size=of, native=native, inventory=SHELF, megapixels=megapixels
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", (None, None)),
        ("2", (2.0, None)),
        (" 2x ", (2.0, None)),
        ("1,5×", (1.5, None)),
        ("3 times", (3.0, None)),
        ("2048x1024", (None, "2048x1024")),
    ],
)
def test_how_large_is_a_factor_or_a_size(text: str, read: tuple[object, object]) -> None:
    """As people write it."""
    assert read_large(text) == read


@pytest.mark.parametrize("text", ["much", "-2x", "2xx", "x", "1e9", "99999"])
def test_what_is_neither_is_a_sentence(text: str) -> None:
    """It says how to write either."""
    with pytest.raises(RequestRefused, match="write 2x, or pixels"):
        read_large(text)


def test_the_first_network_is_taken() -> None:
    """Or Lanczos, where there is none."""
    assert best_upscaler(SHELF) == "4x-sharp"
    assert best_upscaler(Inventory()) == "lanczos"
    assert enlarge().upscaler == "4x-sharp"
    assert enlarge(upscaler="LANCZOS").upscaler == "lanczos"


@pytest.mark.parametrize("size", [(512, 384), (333, 511), (97, 31)])
@pytest.mark.parametrize("wanted", ["1024x1024", "2000x777", "512x4096"])
def test_a_size_without_crop_is_fitted_into(size: tuple[int, int], wanted: str) -> None:
    """No side is longer than asked, and one of them as long as whole eights allow; or a sentence says that it does not grow."""
    width, height = map(int, wanted.split("x"))
    if min(width / size[0], height / size[1]) <= 1:
        with pytest.raises(RequestRefused, match="does not grow to fit"):
            enlarge(size, size=wanted)
        return
    if min(width / size[0], height / size[1]) > 8:
        with pytest.raises(RequestRefused, match="1 to 8 times"):
            enlarge(size, size=wanted)
        return
    made = result_size(enlarge(size, size=wanted), size)
    assert made[0] <= width
    assert made[1] <= height
    assert width - made[0] < 8 or height - made[1] < 8


def test_with_crop_the_size_is_filled() -> None:
    """Exactly, whatever the proportions."""
    request = enlarge(size="1000x1000", crop=True)
    assert result_size(request, (512, 384)) == (1000, 1000)


def test_tiles_are_as_large_as_the_models_pictures() -> None:
    """In whole latent pixels; sides of the result in multiples of 64."""
    request = redraw(native=500)
    assert request.redraw == UltimateUpscale((1024, 768), upscaler="4x-sharp", tile=(504, 504))
    assert (request.canvas.width, request.canvas.height, request.count) == (504, 504, 1)
    assert request.source == SourcePicture(SHA, 0.35)
    sd = redraw(method="sd", tile=128)
    assert sd.redraw == SdUpscale((1024, 768), upscaler="4x-sharp", overlap=32)


def test_a_size_in_tiles_is_fitted_into_too() -> None:
    """Up to the next 64: 512 × 384 within 2048 × 2048 are 2048 × 1536 to the pixel."""
    assert redraw().size == (1024, 768)
    assert redraw(size="2048x2048").size == (2048, 1536)


def test_what_belongs_to_the_whole_picture_is_left_out_of_tiles() -> None:
    """Second pass, source, regions and faces of the picture that is redrawn; its controls stay, each tile has its piece."""
    base, units = asked(seed="5", count=3), (ControlUnit("canny", SHA),)
    busy = bare_base(
        type(base)(
            prompt=base.prompt,
            canvas=base.canvas,
            seeds=base.seeds,
            model=base.model,
            hires=Hires(),
            control=units,
            regional=Regional((Region((1, 2), (0, 1), (0, 1)),)),
            faces=FaceRestoration(),
            count=3,
        )
    )
    assert (busy.hires, busy.control, busy.regional, busy.faces, busy.count) == (None, units, None, None, 1)
    assert busy.prompt == base.prompt


def test_small_and_thin_pictures_are_refused() -> None:
    """Before anything else is looked at."""
    for size in ((15, 400), (400, 15), (20_000, 10)):
        with pytest.raises(RequestRefused, match="too small"):
            check_shape(size)
        with pytest.raises(RequestRefused, match="too small"):
            redraw(size)


def test_limits_are_of_the_result() -> None:
    """Four times a picture of four megapixels is sixteen."""
    with pytest.raises(LimitReached, match="4,096 × 4,096 pixels"):
        enlarge((2048, 2048))
    assert result_size(enlarge((2048, 2048), megapixels=17), (2048, 2048)) == (4096, 4096)
    with pytest.raises(LimitReached, match="megapixels"):
        redraw((2048, 2048), factor=16.0)
    with pytest.raises(RequestRefused, match=r"16,777,216 in all"):
        redraw((2048, 2048), factor=3.0, megapixels=100)
