"""From a draft to a request: what a bare wish means, and a sentence for each thing that cannot be."""

import math
from typing import Any

import msgspec
import pytest

from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import ImagineDraft
from bot.requests.resolve import canvas_for, resolve, styled
from inference.api.request import Canvas, ModelRef, SourcePicture
from inference.api.result import Inventory
from tests.unit.bot.requests.shelf import AROUND, DEFAULTS, SEED, asked, style

SHA = "ab" * 32


def test_a_bare_wish_takes_the_servers_defaults() -> None:
    """Only the prompt is needed."""
    request = asked()
    assert request.prompt.positive == "a cat"
    assert request.prompt.negative == "blurry"
    assert request.model == ModelRef("easel-painter", "0123456789")
    assert request.canvas == Canvas(128, 128)
    assert (request.sampling.sampler, request.sampling.schedule, request.sampling.steps) == ("euler_a", "automatic", 20)
    assert (request.guidance.cfg_scale, request.count, request.seeds.seed) == (7.0, 4, SEED)
    assert request.source is None


def test_a_models_own_guidance_comes_before_the_servers_and_after_the_persons() -> None:
    """A checkpoint that asks for a guidance is painted with that, unless somebody says another."""
    (model, *others), rest = AROUND["inventory"].checkpoints, {"cfg": 3.0}
    careful = msgspec.structs.replace(
        AROUND["inventory"], checkpoints=(msgspec.structs.replace(model, cfg_scale=5.0), *others)
    )
    around = AROUND | {"inventory": careful}
    assert resolve(ImagineDraft(prompt="a cat"), **around).guidance.cfg_scale == 5.0
    assert resolve(ImagineDraft(prompt="a cat", **rest), **around).guidance.cfg_scale == 3.0
    assert resolve(ImagineDraft(prompt="a cat", model="vision"), **around).guidance.cfg_scale == 7.0


def test_what_is_said_is_done() -> None:
    """Every option reaches the request."""
    request = asked(
        negative="", model="vision", count=2, seed="123", steps=30, cfg=5.5, sampler="DPM++ 2M", aspect="2:3"
    )
    assert request.prompt.negative == ""
    assert request.model.name == "real/vision"
    assert (request.count, request.seeds.seed) == (2, 123)
    assert (request.sampling.sampler, request.sampling.steps, request.guidance.cfg_scale) == ("dpmpp_2m", 30, 5.5)
    assert request.canvas == Canvas(448, 640)


@pytest.mark.parametrize(("said", "words"), [
    ({"prompt": " "}, "Say what to paint"),
    ({"model": "vizion"}, "There is no model called “vizion”; did you mean"),
    ({"sampler": "euler b"}, "There is no sampler called “euler b”; did you mean “Euler a”"),
    ({"style": "Inc"}, "There is no style called “Inc”; did you mean “Ink”"),
    ({"aspect": "wide"}, "There is no aspect called “wide”"),
    ({"lora": "inc"}, "There is no LoRA called “inc”; did you mean “ink”"),
    ({"lora": "wide"}, "made for SDXL, and “easel-painter” is SD 1"),
    ({"lora": "a=b"}, "cannot be named in a prompt"),
    ({"steps": 0}, "Steps must be between 1 and 60, not 0."),
    ({"steps": 10_000}, "Steps must be between 1 and 60, not 10,000."),
    ({"count": 5}, "Ask for 1 to 4 pictures at once, not 5."),
    ({"count": 0}, "Ask for 1 to 4 pictures at once, not 0."),
    ({"cfg": 31.0}, "CFG scale must be between 0 and 30, not 31."),
    ({"cfg": math.nan}, "CFG scale must be between 0 and 30, not nan."),
    ({"size": (100, 128)}, "The width must be a multiple of 8 between 64 and 4,096, not 100."),
    ({"size": (128, 8)}, "The height must be a multiple of 8"),
    ({"seed": "tuesday"}, "“tuesday” is no seed; give a whole number from 0 to 4,294,967,292"),
    ({"seed": "luky"}, "did you mean “Lucky”?"),
    ({"seed": "-5"}, "A seed must be a whole number from 0"),
    ({"seed": "4294967295"}, "from 0 to 4,294,967,292 for 4 pictures"),
    ({"seed": "9" * 5000}, "A seed must be a whole number"),
    ({"seed": "edge"}, "from 0 to 4,294,967,292 for 4 pictures, not edge."),
    ({"prompt": "(" * 10_001}, "at most 10,000 characters; this one has 10,001."),
    ({"negative": "x" * 10_001}, "at most 10,000 characters"),
    ({"strength": 0.5}, "attach one as init_image"),
    ({"init_image": SHA, "strength": 1.5}, "Strength must be between 0 and 1, not 1.5."),
    ({"prompt": "naked child"}, "sexualises minors"),
])  # fmt: skip
def test_what_cannot_be_is_refused_in_one_sentence(said: dict[str, Any], words: str) -> None:
    """The sentence says what was wrong and what would be right."""
    with pytest.raises(RequestRefused) as refused:
        asked(**said)
    assert words in refused.value.sentence
    assert "\n" not in refused.value.sentence
    assert len(refused.value.sentence) < 300


@pytest.mark.parametrize("said", [{"steps": 61}, {"steps": 150}, {"size": (4096, 2048)}])
def test_what_only_this_server_forbids_is_a_limit(said: dict[str, Any]) -> None:
    """The painter could do it; the sentence says that it is not allowed here."""
    with pytest.raises(LimitReached, match="allowed here"):
        asked(**said)


def test_brackets_need_not_be_balanced() -> None:
    """The painter reads them as the webui does, so they are nobody's mistake."""
    text = "(((a [b " * 1000
    assert asked(prompt=text).prompt.positive == text.strip()


def test_a_style_goes_around_the_prompt_or_behind_it() -> None:
    """The webui's two forms of template, and the negative text likewise."""
    request = asked(style="ink", negative="frame")
    assert request.prompt.positive == "ink drawing of a cat, paper"
    assert request.prompt.negative == "frame, colour"
    assert asked(style="soft").prompt.positive == "a cat, soft light, pastel"
    assert styled("", "pastel") == "pastel"
    assert styled("a", "{prompt} and {prompt}") == "a and a"


def test_a_style_cannot_bring_in_what_a_prompt_must_not_say() -> None:
    """Prompt and style are judged together."""
    around = AROUND | {"styles": {"s": style("s", prompt="naked {prompt}")}}
    with pytest.raises(RequestRefused, match="minors"):
        resolve(ImagineDraft(prompt="children", style="s"), **around)


def test_loras_become_tags_behind_the_prompt() -> None:
    """With the strength said, else the one of the LoRA's notes, else 1; the last word on a name counts."""
    assert asked(lora="ink:0.5, fur").prompt.positive == "a cat <lora:ink:0.5> <lora:Fur:1>"
    assert asked(lora="ink").prompt.positive == "a cat <lora:ink:0.7>"
    assert asked(lora="ink:1, ink:0.2").prompt.positive == "a cat <lora:ink:0.2>"


@pytest.mark.parametrize(
    ("text", "seed"),
    [(None, SEED), ("", SEED), (" Random ", SEED), ("-1", SEED), ("+5", 5), ("lucky", 7), ("Lucky", 7)],
)
def test_a_seed_is_a_number_a_name_or_drawn(text: str | None, seed: int) -> None:
    """Saved names are found whatever their case."""
    assert asked(seed=text).seeds.seed == seed


def test_a_drawn_seed_leaves_room_for_every_picture() -> None:
    """Picture i has seed + i, and all of them must be seeds."""
    request = resolve(ImagineDraft(prompt="a"), **(AROUND | {"random_seed": lambda: 2**32 - 1}))
    assert request.seeds.seed + request.count - 1 == 2**32 - 1


def test_older_sampler_titles_name_the_schedule_too() -> None:
    """People copy "DPM++ 2M Karras" from old pictures."""
    request = asked(sampler="dpm++ 2m karras")
    assert (request.sampling.sampler, request.sampling.schedule) == ("dpmpp_2m", "karras")


@pytest.mark.parametrize(("native", "shape", "size"), [
    (128, (1, 1), (128, 128)),
    (128, (3, 2), (160, 104)),
    (128, (16, 9), (168, 96)),
    (512, (2, 3), (448, 640)),
    (512, (1, 1), (512, 512)),
    (1024, (16, 9), (1344, 768)),
    (128, (1000, 1), (256, 64)),
    (128, (0, 5), (128, 128)),
])  # fmt: skip
def test_an_aspect_keeps_the_number_of_pixels(native: int, shape: tuple[float, float], size: tuple[int, int]) -> None:
    """A model paints best near the area it was trained on, whatever the shape."""
    assert canvas_for(shape, native=native) == Canvas(*size)


def test_a_size_wins_over_an_aspect() -> None:
    """Pixels are more exact than proportions."""
    assert asked(size=(256, 192), aspect="1:1").canvas == Canvas(256, 192)


def test_a_source_needs_no_prompt_and_gives_its_proportions() -> None:
    """It is cropped, not squashed, where another shape is said."""
    request = asked(prompt="", init_image=SHA, init_size=(1600, 900), strength=0.6)
    assert request.source == SourcePicture(SHA, 0.6, resize_mode=1)
    assert request.canvas == Canvas(168, 96)
    assert asked(init_image=SHA, init_size=(1600, 900), aspect="1:1").canvas == Canvas(128, 128)
    assert asked(init_image=SHA).source == SourcePicture(SHA, 0.75, resize_mode=1)


def test_without_models_the_sentence_says_where_they_go() -> None:
    """The person learns that it is not their fault."""
    with pytest.raises(RequestRefused, match="models/Stable-diffusion"):
        resolve(ImagineDraft(prompt="a"), **(AROUND | {"inventory": Inventory()}))


def test_the_servers_own_model_comes_first() -> None:
    """A setting names it; nobody needs to choose."""
    around = AROUND | {"defaults": DEFAULTS.model_copy(update={"model": "grand"})}
    assert resolve(ImagineDraft(prompt="a"), **around).model.name == "grand"
