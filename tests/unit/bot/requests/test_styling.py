"""Styles in a wish, and what they set: in order, explicit options first, and told."""

from typing import Any

import pytest

from bot.errors import RequestRefused
from bot.requests.drafts import ImagineDraft
from bot.requests.resolve import resolve
from bot.requests.style_settings import (
    check_style,
    read_settings,
    settings_of,
    settings_said,
    words_of,
    write_settings,
)
from bot.requests.styling import style_notes, styles_named
from inference.api.request import Canvas, GenerationRequest
from storage.values import Style, StyleSettings, StyleText
from tests.unit.bot.requests.shelf import AROUND, INVENTORY, asked

FULL = StyleSettings(
    model="real/vision",
    hash="abcdef0123",
    loras="ink:0.8",
    sampler="DPM++ 2M Karras",
    steps=30,
    cfg=5.5,
    size=(512, 768),
)


def style(name: str, prompt: str = "", negative: str = "", **sets: Any) -> Style:
    """A saved style that carries what is said."""
    return Style(
        id=1,
        owner=1,
        guild=None,
        name=name,
        prompt=prompt,
        negative=negative,
        version=1,
        created=0.0,
        settings=StyleSettings(**sets),
    )


STYLES = {
    "ink": style("ink", "{prompt}, ink", "colour", steps=30, sampler="Euler a"),
    "moody": style("moody", "moody {prompt}", "sun", steps=12, loras="ink:0.5"),
    "fog, dense": style("fog, dense", "fog"),
    "all": Style(id=2, owner=1, guild=None, name="all", prompt="", negative="", version=1, created=0.0, settings=FULL),
    "gone": style("gone", model="nowhere", hash="ffffffffff"),
    "bare": style("bare", "x", loras="nothing:1"),
}


def wish(**said: Any) -> GenerationRequest:
    """The request of a draft among these styles."""
    return resolve(ImagineDraft(**({"prompt": "a cat"} | said)), **(AROUND | {"styles": STYLES}))


def test_several_styles_are_applied_in_their_order() -> None:
    """The second wraps what the first made, in both texts; white space, empty items and commas inside a name are fine."""
    assert wish(style="ink, moody").prompt.positive == "moody a cat, ink <lora:ink:0.5>"
    assert wish(style="moody,ink").prompt.positive == "moody a cat, ink <lora:ink:0.5>"
    assert wish(style="ink, fog, dense ,,").prompt.positive == "a cat, ink, fog"
    assert wish(style="ink, moody", negative="blur").prompt.negative == "blur, colour, sun"
    assert [each.name for each in styles_named("INK,Fog, Dense", STYLES)] == ["ink", "fog, dense"]


def test_a_style_sets_what_is_not_said() -> None:
    """Model, LoRAs, sampler, steps, CFG and size come from the style; each option that is said wins."""
    request = wish(style="all")
    assert (request.model.name, request.canvas) == ("real/vision", Canvas(512, 768))
    assert (request.sampling.sampler, request.sampling.schedule) == ("dpmpp_2m", "karras")
    assert (request.sampling.steps, request.guidance.cfg_scale) == (30, 5.5)
    assert request.prompt.positive == "a cat <lora:ink:0.8>"
    said = wish(
        style="all", model="easel-painter", steps=5, cfg=2.0, sampler="Euler", aspect="1:1", lora="ink:0.1, fur"
    )
    assert (said.model.name, said.canvas, said.sampling.steps) == ("easel-painter", Canvas(128, 128), 5)
    assert (said.guidance.cfg_scale, said.sampling.sampler) == (2.0, "euler")
    assert said.prompt.positive == "a cat <lora:ink:0.1> <lora:Fur:1>"


def test_the_later_style_wins_and_a_picture_keeps_its_shape() -> None:
    """What two styles set is the second's; a size never squashes a picture that somebody begins from."""
    assert wish(style="ink, moody").sampling.steps == 12
    assert wish(style="moody, ink").sampling.steps == 30
    begun = wish(style="all", init_image="ab" * 32, init_size=(640, 320))
    assert begun.canvas.width > begun.canvas.height


def test_a_renamed_model_is_found_by_its_hash() -> None:
    """A style names a file and its content; the content counts."""
    renamed = style("r", "x", model="older name", hash="9876543210")
    request = resolve(ImagineDraft(prompt="a", style="r"), **(AROUND | {"styles": {"r": renamed}}))
    assert request.model.name == "grand"


@pytest.mark.parametrize(("names", "words"), [
    ("ink, inc", "There is no style called “inc”; did you mean “ink”"),
    ("x" * 4000, "There is no style called “xxx"),
    (",".join(["ink"] * 11), "At most 10 styles"),
    ("gone", "is painted with the model “nowhere”, which is not here any more"),
    ("bare", "wears the LoRA “nothing”, which is not here any more"),
    ("," * 3999 + "q", "There is no style called “q”"),
])  # fmt: skip
def test_what_cannot_be_is_a_sentence(names: str, words: str) -> None:
    """An unknown style, too many, and a style whose model or LoRA is gone."""
    with pytest.raises(RequestRefused, match=words):
        wish(style=names)


def test_a_style_whose_model_is_gone_still_lends_its_words() -> None:
    """Naming another model beside it is the way out that the sentence tells."""
    assert wish(style="gone", model="grand").model.name == "grand"


def test_a_template_that_multiplies_is_stopped() -> None:
    """Many {prompt} in several styles would grow without end."""
    styles = {name: style(name, "{prompt} " * 400) for name in "abc"}
    with pytest.raises(RequestRefused, match="the prompt grows to"):
        resolve(ImagineDraft(prompt="a cat", style="a,b,c"), **(AROUND | {"styles": styles}))


def test_the_card_tells_what_was_set() -> None:
    """Only what came from the styles is told, and only where it was not said."""

    def told(**said: Any) -> tuple[str, ...]:
        return style_notes(ImagineDraft(**said), styles=STYLES)

    assert told() == ()
    assert told(style="fog, dense") == ("Style “fog, dense”.",)
    assert told(style="all") == (
        "Style “all”: model real/vision, LoRAs ink:0.8, DPM++ 2M Karras, 30 steps, CFG 5.5, 512 × 768.",
    )
    assert told(style="ink, moody", steps=5) == ("Styles “ink” and “moody”: LoRAs ink:0.5, Euler a.",)


def test_a_line_of_settings_is_read_as_it_is_written() -> None:
    """Every setting survives; keys in any case and order; nothing means nothing."""
    assert (
        write_settings(FULL) == "Model: real/vision, Sampler: DPM++ 2M Karras, Steps: 30, CFG scale: 5.5, Size: 512x768"
    )
    assert read_settings(write_settings(FULL), loras=FULL.loras, inventory=INVENTORY) == FULL
    assert read_settings(" steps: 5,\nsampler: euler a, CFG:7,", inventory=INVENTORY) == StyleSettings(
        sampler="Euler a", steps=5, cfg=7.0
    )
    assert read_settings("Model: , Steps:", inventory=INVENTORY) == StyleSettings()
    assert settings_said({"size": "64 x 64", "model": ""}, inventory=INVENTORY).size == (64, 64)


@pytest.mark.parametrize(("line", "loras", "words"), [
    ("Stpes: 5", "", "“Stpes: 5” is no setting of a style; write them as"),
    ("quick", "", "“quick” is no setting"),
    ("Steps: many", "", "Steps must be a whole number from 1 to 150, not “many”"),
    ("Steps: 151", "", "Steps must be"),
    ("CFG scale: nan", "", "CFG scale must be a number"),
    ("Size: 2:3", "", "in pixels, such as 512x768"),
    ("Size: 100x64", "", "multiples of 8"),
    ("Sampler: euler b", "", "There is no sampler called “euler b”"),
    ("Model: vizion", "", "There is no model called “vizion”"),
    ("", "inc", "There is no LoRA called “inc”"),
    ("", "ink:99", "must be a number from -10 to 10"),
    ('Model: "' * 500, "", "There is no model called"),
])  # fmt: skip
def test_a_bad_line_is_a_sentence(line: str, loras: str, words: str) -> None:
    """Unknown settings, numbers out of range, names that are not here."""
    with pytest.raises(RequestRefused, match=words):
        read_settings(line, loras=loras, inventory=INVENTORY)


def test_a_pictures_settings_make_the_same_picture() -> None:
    """Words and settings taken from a request, used as a style, give that request again."""
    request = asked(lora="ink:0.8, fur", sampler="DPM++ 2M Karras", steps=30, cfg=5.5, size=(64, 128), negative="blur")
    assert words_of(request) == "a cat"
    sets = settings_of(request)
    assert sets.loras == "ink:0.8, Fur:1"
    assert read_settings(write_settings(sets), loras=sets.loras, inventory=INVENTORY) == sets
    saved = Style(id=1, owner=1, guild=None, name="s", prompt="", negative="", version=1, created=0.0, settings=sets)
    again = resolve(ImagineDraft(prompt="a cat", style="s", negative="blur"), **(AROUND | {"styles": {"s": saved}}))
    assert again == request


def test_what_may_be_kept() -> None:
    """A style says something, not too much, and nothing that must not be painted; words are trimmed."""
    assert check_style(StyleText(name="a", prompt=" x ")).prompt == "x"
    assert check_style(StyleText(name="a", settings=StyleSettings(steps=3))).prompt == ""
    for text, words in (
        (StyleText(name="a", prompt=" "), "needs words"),
        (StyleText(name="a", prompt="x" * 4001), "at most 4,000 characters; these have 4,001"),
        (StyleText(name="a", negative="x" * 4001), "at most 4,000 characters"),
        (StyleText(name="a", prompt="nude child, {prompt}"), "minors"),
    ):
        with pytest.raises(RequestRefused, match=words):
            check_style(text)
