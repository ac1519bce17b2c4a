"""Braces with commas are one prompt for each part; every other brace is somebody else's."""

import pytest

from bot.errors import LimitReached, RequestRefused
from bot.requests.braces import permutations

STANDS_FOR = (
    ("a {red, green, yellow} bird", ("a red bird", "a green bird", "a yellow bird")),
    ("{a,b} {c,d}", ("a c", "a d", "b c", "b d")),
    ("{cat, dog in a {hat, scarf}}", ("cat", "dog in a hat", "dog in a scarf")),
    (r"{red\, white, blue} flag", ("red, white flag", "blue flag")),
    ("{, big} cat", (" cat", "big cat")),
    ("a cat --ar {1:1, 3:2}", ("a cat --ar 1:1", "a cat --ar 3:2")),
    ("{a {x,y}|b}", ("{a x|b}", "{a y|b}")),
    ("{same, same}", ("same",)),
)
UNTOUCHED = (
    "no braces, at all",
    "{a|b, c}",
    "{2$$, $$__w__}",
    "${v=a, b}",
    "%{a, ... $$b}",
    "{masterpiece}",
    "{open, only",
    "closed, only}",
    "}{,",
)


@pytest.mark.parametrize(("text", "prompts"), STANDS_FOR)
def test_commas_in_braces_stand_for_several_prompts(text: str, prompts: tuple[str, ...]) -> None:
    """In the order in which they are written, the last group changing fastest, each prompt once."""
    assert permutations(text, limit=100) == prompts


@pytest.mark.parametrize("text", UNTOUCHED)
def test_other_braces_are_left_alone(text: str) -> None:
    """Choices of the dynamic prompts, variables, wrappers, plain and lone braces come out byte for byte."""
    assert permutations(text, limit=100) == (text,)


@pytest.mark.parametrize("text", ["{a,b}" * 7, "{" + "a," * 100 + "}", "{a,b}" * 2000])
def test_too_many_prompts_are_refused(text: str) -> None:
    """More than the limit is one sentence, at once, however many they would be."""
    with pytest.raises(LimitReached, match="more than 100 prompts"):
        permutations(text, limit=100)


def test_braces_too_deep_are_refused() -> None:
    """Nesting has an end, in a sentence."""
    with pytest.raises(RequestRefused, match="8 deep at most"):
        permutations("{a," * 9 + "}" * 9, limit=100)
