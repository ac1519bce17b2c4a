"""Numbers, sizes and second passes as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import RequestRefused
from bot.requests.typed import hires_text, read_canvas, read_hires, read_number, read_whole
from inference.api.catalog import LATENT_UPSCALERS, UPSCALERS
from inference.api.request import Hires
from tests.unit.bot.requests.shelf import INVENTORY


def test_numbers() -> None:
    """With blanks around, a comma or a point; nothing typed is nothing said."""
    assert read_whole(" 20 ", "Steps", low=1, high=150) == 20
    assert read_number("7,5", "The CFG scale", low=0, high=30) == 7.5
    assert read_number(".5", "Strength", low=0, high=1) == 0.5
    assert read_whole("  ", "Steps", low=1, high=150) is read_number("", "Strength", low=0, high=1) is None


@pytest.mark.parametrize("text", ["many", "1e3", "٣", "nan", "-1", "31", "9" * 4000, "1.2.3"])
def test_what_is_no_number_is_a_sentence(text: str) -> None:
    """It says what the field takes."""
    with pytest.raises(RequestRefused, match=r"must be a number from 0 to 30, not “"):
        read_number(text, "The CFG scale", low=0, high=30)
    with pytest.raises(RequestRefused, match=r"must be a whole number from 0 to 30, not “"):
        read_whole(text, "Clip skip", low=0, high=30)


def test_sizes_and_shapes() -> None:
    """Pixels, an id of the catalogue, its label or the label's first word."""
    assert read_canvas(" 512 × 768") == ((512, 768), None)
    assert read_canvas("3:2") == read_canvas("Landscape 3:2") == (None, "3:2")
    assert read_canvas("square") == (None, "1:1")
    assert read_canvas("") == (None, None)
    with pytest.raises(RequestRefused, match="nor one of the shapes 1:1, 3:2"):
        read_canvas("big")


@pytest.mark.parametrize("text", ["off", "", "  No ", "none", "0"])
def test_no_second_pass(text: str) -> None:
    """An emptied field switches it off."""
    assert read_hires(text, Hires(), INVENTORY) is None


def test_a_second_pass_in_any_order() -> None:
    """A number up to 1 is how free it is, a larger one, or one with an x, how large; what is missing stays as it was."""
    assert read_hires("2x", None, INVENTORY) == Hires(scale=2.0)
    assert read_hires("Lanczos, 0.5, 12 steps, 1.5", None, INVENTORY) == Hires(
        scale=1.5, denoising_strength=0.5, steps=12, upscaler="lanczos"
    )
    old = Hires(scale=3.0, upscaler="realesr", prompt="more detail")
    assert read_hires("0.3", old, INVENTORY) == Hires(
        scale=3.0, upscaler="realesr", prompt="more detail", denoising_strength=0.3
    )
    assert read_hires("512x0", old, INVENTORY) == Hires(
        scale=3.0, resize=(512, 0), upscaler="realesr", prompt="more detail"
    )
    assert read_hires("2x", Hires(resize=(512, 0)), INVENTORY) == Hires(scale=2.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a lot", "no upscaler called “a lot”"),
        ("9x", "enlarges 1 to 8 times"),
        ("2x, 3x", "says the same of hires fix twice"),
        ("2x, 999 steps", "Hires steps must be between"),
    ],
)
def test_what_is_no_second_pass_is_a_sentence(text: str, sentence: str) -> None:
    """It says what was wrong."""
    with pytest.raises(RequestRefused, match=sentence):
        read_hires(text, None, INVENTORY)


@given(
    scale=st.sampled_from([1.5, 2.0, 4.0]),
    strength=st.integers(0, 100),
    steps=st.integers(0, 60),
    upscaler=st.sampled_from([row.id for row in (*LATENT_UPSCALERS, *UPSCALERS)] + ["realesr"]),
    resize=st.none() | st.tuples(st.integers(64, 512), st.integers(64, 512)),
)
def test_a_second_pass_is_read_as_it_is_written(
    scale: float, strength: int, steps: int, upscaler: str, *, resize: tuple[int, int] | None
) -> None:
    """What a form begins with means the same when it is sent."""
    hires = Hires(scale=scale, denoising_strength=strength / 100, steps=steps, upscaler=upscaler, resize=resize)
    assert read_hires(hires_text(hires), hires, INVENTORY) == hires
    assert hires_text(None) == "off"
