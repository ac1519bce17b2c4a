"""LoRAs as a list: out of the prompt, into a form, and back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import RequestRefused
from bot.requests.worn import dressed, parted, styles_in, undressed
from tests.unit.bot.requests.shelf import INVENTORY, STYLES

MODEL = INVENTORY.checkpoints[0]


def put_back(old: str, *, text: str | None = None, worn: str | None = None) -> str:
    """`old` after a form in which these fields were changed."""
    clothes = undressed(old)
    return dressed(
        old,
        text=clothes.text if text is None else text,
        worn=clothes.worn if worn is None else worn,
        model=MODEL,
        inventory=INVENTORY,
        styles=STYLES,
    )


@example(["<lora:", " ", ">"])
@given(
    st.lists(
        st.sampled_from([" ", "a cat", "<lora:ink:0.8>", "<lora:Fur>", "<lora:x:1:2>", "<lora:", ">", ":", ",", "\n"])
    )
)
def test_a_form_that_was_not_touched_changes_nothing(pieces: list[str]) -> None:
    """Whatever a prompt looks like, taken apart and put back it is the same to the letter."""
    prompt = "".join(pieces)
    assert put_back(prompt) == prompt


def test_tags_become_a_list() -> None:
    """With their strengths; a tag that says more than one number stays where it is."""
    clothes = undressed("a <lora:ink:0.8> cat, <lora:Fur> <lora:odd:te=0.5:unet=1>")
    assert clothes.worn == "ink:0.8, Fur"
    assert clothes.text == "a cat, <lora:odd:te=0.5:unet=1>"


def test_what_is_left_alone_keeps_its_tag() -> None:
    """Also a LoRA that is not here any more: only what is typed anew is looked up."""
    old = "a cat <lora:lost:0.30> <lora:ink:0.8>"
    assert put_back(old, text="a dog") == "a dog <lora:lost:0.30> <lora:ink:0.8>"
    assert put_back(old, worn="lost:0.30, ink:0.5") == "a cat <lora:lost:0.30> <lora:ink:0.5>"
    assert put_back(old, worn="") == "a cat"
    assert put_back("a cat", worn="INK") == "a cat <lora:ink:0.7>", "a strength that the file suggests"


def test_the_list_may_name_styles() -> None:
    """A LoRA of the name comes first; `style:` always means a style."""
    found = styles_in("", "ink, soft, style:Ink", inventory=INVENTORY, styles=STYLES)
    assert found == ("soft", "Ink")
    assert parted("ink:0.5, soft, fur", inventory=INVENTORY, styles=STYLES) == ("ink:0.5, fur", "soft")


@pytest.mark.parametrize(
    ("worn", "sentence"),
    [
        ("inq", "no LoRA or style called “inq”; did you mean “ink”"),
        ("ink:strong", "strength of the LoRA “ink” must be a number"),
        ("soft:0.5", "“soft” is a style, and styles have no strength"),
        ("wide", "made for SDXL"),
        ("x" * 4000, "no LoRA or style called"),
    ],
)
def test_what_cannot_be_worn_is_a_sentence(worn: str, sentence: str) -> None:
    """Names what was meant and what would be right."""
    with pytest.raises(RequestRefused, match=sentence):
        put_back("a cat", worn=worn)
