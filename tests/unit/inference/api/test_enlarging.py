"""How large an enlargement becomes, what is too large, and what its picture says of it afterwards."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.api.enlarging import (
    MAX_RESULT_PIXELS,
    MAX_SIDE,
    UpscaleRequest,
    check_result,
    enlarged_size,
    factor_of,
    result_size,
)
from inference.api.errors import RequestInvalid
from inference.api.infotext import parse_parameters, read_postprocessing, write_postprocessing
from inference.api.infotext.postprocessing import Postprocessed
from inference.api.lookup import find_upscaler
from inference.api.result import Inventory, ModelFile

SHELF = Inventory(
    upscalers=(
        ModelFile("4x-UltraSharp", "/m/ESRGAN/4x-UltraSharp.pth", "", "esrgan"),
        ModelFile("a, b: c", "/m/ESRGAN/a, b: c.pth", "", "esrgan"),
        ModelFile("RealESRGAN_x4plus", "/m/RealESRGAN/RealESRGAN_x4plus.pth", "", "esrgan"),
    )
)


def asking(**more: object) -> UpscaleRequest:
    """A request for some picture."""
    return msgspec.convert({"picture": "0" * 64, "upscaler": "lanczos"} | more, UpscaleRequest)


@pytest.mark.parametrize(
    ("wish", "source", "factor", "result"),
    [
        ({"scale": 2.0}, (101, 33), 2.0, (200, 64)),
        ({"scale": 1.5}, (4, 3), 1.5, (8, 8)),
        ({"size": (1024, 1024)}, (512, 768), 2.0, (1024, 1024)),
        ({"size": (1024, 1024), "crop": False}, (512, 768), 2.0, (1024, 1536)),
        ({"size": (64, 64)}, (512, 256), 0.25, (64, 64)),
    ],
)
def test_sizes_are_those_of_the_extras(
    wish: dict[str, object], source: tuple[int, int], factor: float, result: tuple[int, int]
) -> None:
    """By factor down to multiples of eight; to a size by the larger ratio, cropped or not."""
    request = asking(**wish)
    assert factor_of(request, source) == factor
    assert result_size(request, source) == result


@pytest.mark.parametrize(
    ("wish", "source", "said"),
    [
        ({"scale": 8.0}, (2048, 2048), "16,384 × 16,384, more than can be held; at most 4 times is possible"),
        ({"scale": 8.0}, (20_000, 10), "160,000 × 80, more than can be held; at most 3.2 times is possible"),
        ({"size": (4000, 4000)}, (20_000, 10), "it is too large|at most 3.2 times"),
        ({"scale": 1.1}, (8192, 8192), "it is too large to be enlarged"),
    ],
)
def test_what_would_be_too_large_is_told_beforehand(
    wish: dict[str, object], source: tuple[int, int], said: str
) -> None:
    """From the source's size alone, with the size it would have and the factor that is possible."""
    with pytest.raises(RequestInvalid, match=said):
        check_result(asking(**wish), source)


def test_sixteen_times_is_no_factor() -> None:
    """The request itself says what is possible."""
    with pytest.raises(RequestInvalid, match="1 to 8 times, not 16"):
        UpscaleRequest(picture="0" * 64, upscaler="lanczos", scale=16.0)


@given(st.integers(1, 70_000), st.integers(1, 70_000), st.floats(1.01, 8))
def test_whatever_passes_is_within_the_bounds(width: int, height: int, scale: float) -> None:
    """No picture that is let through becomes larger than the bounds, and a strip of 20,000 x 10 may become twice as long."""
    request = asking(scale=scale)
    try:
        check_result(request, (width, height))
    except RequestInvalid:
        return
    wide, high = enlarged_size((width, height), scale)
    assert (wide - 8) * (high - 8) <= MAX_RESULT_PIXELS
    assert max(wide, high) <= MAX_SIDE
    assert check_result(asking(scale=2.0), (20_000, 10)) == (40_000, 20)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (
            {"upscaler": "4x-UltraSharp", "scale": 4.0},
            "Postprocess upscale by: 4, Postprocess upscaler: 4x-UltraSharp",
        ),
        (
            {"upscaler": "a, b: c", "scale": 2.5, "second": "lanczos", "second_visibility": 0.25},
            'Postprocess upscale by: 2.5, Postprocess upscaler: "a, b: c", Postprocess upscaler 2: Lanczos, '
            "Postprocess upscaler 2 visibility: 0.25",
        ),
        (
            {"upscaler": "nearest", "size": (640, 480)},
            "Postprocess upscale to: 640x480, Postprocess crop to: 640x480, Postprocess upscaler: Nearest",
        ),
        (
            {"upscaler": "none", "scale": 2.0, "second": "lanczos", "second_visibility": 1.0},
            "Postprocess upscale by: 2, Postprocess upscaler: None",
        ),
    ],
)
def test_the_text_of_an_enlargement_is_the_webuis(wish: dict[str, object], text: str) -> None:
    """Its keys, order, labels and quoting; and read back it says what was asked for."""
    request = asking(**wish)
    assert write_postprocessing(request) == text
    read = read_postprocessing(text, SHELF)
    assert read is not None
    assert (read.upscaler, read.notes) == (request.upscaler, ())
    if request.size is None:
        assert read.scale == request.scale
    else:
        assert (read.size, read.crop) == (request.size, request.crop)
    if request.upscaler != "none":
        assert (read.second, read.second_visibility) == (request.second, request.second_visibility)


def test_what_others_write_is_read_where_it_makes_sense() -> None:
    """Keys among the parameters, the webui's own names of networks, one that is not here, numbers that are none."""
    text = "a cat\nSteps: 20, Seed: 1, Size: 8x8, Postprocess upscale by: 4, Postprocess upscaler: R-ESRGAN 4x+"
    assert read_postprocessing(text, SHELF) == Postprocessed("RealESRGAN_x4plus", scale=4.0)
    other = read_postprocessing("Postprocess upscale by: lots, Postprocess upscaler: 8x_NMKD", SHELF)
    assert other is not None
    assert (other.upscaler, other.scale) == ("lanczos", 1.0)
    assert "8x_NMKD" in other.notes[0]
    seconded = read_postprocessing(
        "Postprocess upscale by: 99, Postprocess upscaler: None, Postprocess upscaler 2: Lanczos", SHELF
    )
    assert seconded is not None
    assert (seconded.scale, seconded.second, seconded.second_visibility) == (8.0, "lanczos", 0.5)
    assert read_postprocessing("Steps: 20, Seed: 1, Size: 8x8", SHELF) is None
    assert parse_parameters(text)["Postprocess upscaler"] == "R-ESRGAN 4x+"


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    """Nothing that somebody pastes raises."""
    read_postprocessing(f"{text}Postprocess upscaler: {text}, Postprocess upscale by: {text}", SHELF)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("R-ESRGAN 4x+", "RealESRGAN_x4plus"),
        ("ScuNET GAN", "scunet_color_real_gan"),
        ("SwinIR 4x", "SwinIR_4x"),
        ("DAT x4", "DAT_x4"),
        ("ldsr", "LDSR"),
        ("dat_x4.pth", "DAT_x4"),
    ],
)
def test_networks_have_the_webuis_names_too(said: str, name: str) -> None:
    """Texts that name a network as the webui lists it find its file."""
    names = ("RealESRGAN_x4plus", "scunet_color_real_gan", "SwinIR_4x", "DAT_x4", "LDSR")
    shelf = Inventory(upscalers=tuple(ModelFile(each, f"/m/ESRGAN/{each}.pth", "", "unknown") for each in names))
    found = find_upscaler(shelf, said)
    assert found is not None
    assert found.name == name
