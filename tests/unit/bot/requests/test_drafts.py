"""How typed lists and sizes are read."""

import pytest

from bot.errors import RequestRefused
from bot.requests.drafts import read_loras, read_size, shown


@pytest.mark.parametrize("text", ["512x768", " 512 X 768 ", "512×768", "512*768"])
def test_sizes_are_read_however_people_write_the_times_sign(text: str) -> None:
    """512x768 is width and height in pixels."""
    assert read_size(text) == (512, 768)


@pytest.mark.parametrize("text", ["", "512", "x", "512x", "-8x8", "5.5x6", "1234567x8", "８x８"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    """The sentence shows what would be right."""
    with pytest.raises(RequestRefused, match="such as 512x768"):
        read_size(text)


def test_a_list_of_loras_may_have_strengths() -> None:
    """Where none is said, None leaves the choice to the LoRA's own notes."""
    assert read_loras(" ink:0.8, fur ,, old:-1, half:.5") == (
        ("ink", 0.8),
        ("fur", None),
        ("old", -1.0),
        ("half", 0.5),
    )


@pytest.mark.parametrize("text", ["ink:", "ink:strong", "ink:nan", "ink:1e9", "ink:11", "ink:0.5:0.6", ":0.5"])
def test_a_strength_that_is_none_is_refused(text: str) -> None:
    """The sentence names the LoRA and shows a strength that would do."""
    with pytest.raises(RequestRefused, match=r"0\.8"):
        read_loras(text)


def test_a_sentence_repeats_no_more_than_a_line() -> None:
    """A prompt of ten thousand characters does not become a sentence of ten thousand."""
    assert shown("a\n b") == "a b"
    assert len(shown("a" * 10_000)) == 60
