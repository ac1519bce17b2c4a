"""Flags of other bots are understood in the prompt, and what is not is told."""

from typing import Any

import pytest

from bot.errors import RequestRefused
from bot.requests.drafts import ImagineDraft
from bot.requests.flags import FLAGS, understand
from bot.requests.resolve import resolve
from tests.unit.bot.requests.shelf import AROUND

UNDERSTOOD: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("a red apple --ar 3:2 --seed 5", "a red apple", {"aspect": "3:2", "seed": "5"}),
    ("a cat --no hat, blurry --steps 30 --cfg 7.5", "a cat", {"negative": "hat, blurry", "steps": 30, "cfg": 7.5}),
    ("a cat —ar 2:3 –seed 5", "a cat", {"aspect": "2:3", "seed": "5"}),
    ("--tile a pattern", "a pattern", {"tiling": True}),
    ("a cat --merge 0.5", "a cat", {"merging": 0.5}),
    ("a cat --ar=7:4", "a cat", {"aspect": "7:4"}),
    ("a cat --AR 3:2, blue", "a cat blue", {"aspect": "3:2"}),
    ("a cat --size 512x768", "a cat", {"size": (512, 768)}),
    ("a cat --w 512 --h 768", "a cat", {"size": (512, 768)}),
    ("a cat --w 512", "a cat", {"size": (512, 512)}),
    ("a cat --sampler DPM++ 2M Karras --n 2", "a cat", {"sampler": "DPM++ 2M Karras", "count": 2}),
    ('a cat --style "my ink"', "a cat", {"style": "my ink"}),
    ("a cat --no hat --no scarf", "a cat", {"negative": "hat, scarf"}),
    ("a cat --seed 1 --seed 2", "a cat", {"seed": "2"}),
)
NO_FLAGS = (
    "a cat -- and a dog",
    "well--known",
    "a cat - - ar",
    "x -ar 3:2",
    "1--2",
    "--",
    "—",
    "a --3 b",
    "  two  spaces ",
)
REFUSED = (
    ("a cat --foo 3", "“--foo” is no flag that Easel knows; there are --ar"),
    ("a cat --sead 3", "did you mean --seed?"),
    ("a cat --ar", "--ar needs a value, such as --ar 3:2"),
    ("a cat --no --ar 1:1", "--no needs a value"),
    ("a cat --steps many", "--steps takes a number, such as --steps 30, not “many”"),
    ("a cat --size big", "“big” is not a size"),
    ("a cat --repeat 0", "from 1 to 40, not 0"),
    ("a cat --repeat 1000", "from 1 to 40, not 1,000"),
)


@pytest.mark.parametrize(("text", "prompt", "said"), UNDERSTOOD)
def test_flags_say_what_options_would(text: str, prompt: str, said: dict[str, Any]) -> None:
    """The flags are out of the prompt and in the draft, and each is told."""
    found = understand(ImagineDraft(prompt=text))
    assert found.draft == ImagineDraft(prompt=prompt, **said)
    assert len(found.notes) == text.count(" --") + text.startswith("--") + text.count("—") + text.count("–")


@pytest.mark.parametrize("text", NO_FLAGS)
def test_hyphens_that_are_no_flags_stay(text: str) -> None:
    """A prompt without flags passes byte for byte."""
    assert understand(ImagineDraft(prompt=text)).draft.prompt == text


def test_an_escaped_flag_is_words() -> None:
    r"""`\--amend` paints the hyphens."""
    assert understand(ImagineDraft(prompt=r"git commit \--amend")).draft.prompt == "git commit --amend"
    assert understand(ImagineDraft(prompt=r"git \--amend --ar 1:1")).draft.prompt == "git --amend"


def test_options_win_over_flags() -> None:
    """What an option says stays, also where the flag says it in other words; the flag is told as left out."""
    draft = ImagineDraft(prompt="a cat --seed 5 --steps 9 --size 64x64", seed="7", aspect="1:1")
    found = understand(draft)
    assert (found.draft.seed, found.draft.steps, found.draft.size) == ("7", 9, None)
    assert found.notes == (
        "left out --seed 5 (the option says it already)",
        "steps 9",
        "left out --size 64x64 (the option says it already)",
    )


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("a cat --niji 6 --v 5.2", "a cat"),
        ("a --style raw", "a"),
        ("--s 250 a cat", "a cat"),
        ("a --niji cat", "a cat"),
    ],
)
def test_flags_that_mean_nothing_here_are_left_out_and_told(text: str, prompt: str) -> None:
    """Midjourney's own flags change nothing, take their numbers with them and leave the words."""
    found = understand(ImagineDraft(prompt=text))
    assert found.draft == ImagineDraft(prompt=prompt)
    assert all(note.startswith("left out --") and note.endswith("(Midjourney's)") for note in found.notes)


def test_repeating_and_combining() -> None:
    """--repeat and --all are no draft's, and are handed on beside it."""
    found = understand(ImagineDraft(prompt="a {b|c} --all --repeat 3"))
    assert (found.draft.prompt, found.repeat, found.combine) == ("a {b|c}", 3, True)


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_what_is_no_flag_is_refused_in_words(text: str, sentence: str) -> None:
    """With what was wrong and what would be right."""
    with pytest.raises(RequestRefused) as refused:
        understand(ImagineDraft(prompt=text))
    assert sentence in refused.value.sentence


def test_the_table_is_of_one_piece() -> None:
    """No name means two things, and every field is a draft's or handed on beside it."""
    names = [name for row in FLAGS for name in row.names]
    assert len(names) == len(set(names))
    fields = {row.field for row in FLAGS} - {"", "repeat", "combine"}
    assert fields <= set(ImagineDraft.__struct_fields__)


def test_any_ratio_becomes_a_canvas() -> None:
    """--ar takes ratios that no list has, and what is none is refused."""
    made = resolve(understand(ImagineDraft(prompt="a cat --ar 7:4 --tile --merge 0.5")).draft, **AROUND)
    assert made.canvas.width / made.canvas.height == pytest.approx(7 / 4, rel=0.1)
    assert made.tiling
    assert made.token_merging_ratio == 0.5
    with pytest.raises(RequestRefused, match=r"ratio must be between 0 and 0\.9, not 2"):
        resolve(ImagineDraft(prompt="a cat", merging=2.0), **AROUND)
    with pytest.raises(RequestRefused, match="no aspect called “wide”"):
        resolve(ImagineDraft(prompt="a cat", aspect="wide"), **AROUND)
