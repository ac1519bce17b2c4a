"""What each button makes of a request."""

from typing import Any

import msgspec
import pytest

from bot.errors import LimitReached, RequestRefused
from bot.requests.derive import again, edited, picture_requests, upscale, vary
from bot.requests.drafts import ImagineDraft
from bot.requests.edit import Edit
from bot.requests.variations import STRONG_NOISE, STRONG_SOURCE, SUBTLE_NOISE, SUBTLE_SOURCE
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Hires,
    ModelRef,
    Seeds,
    SourcePicture,
    UpscaleRequest,
    attachments_of,
)
from tests.unit.bot.requests.shelf import AROUND, INVENTORY, SEED, asked

SHA = "cd" * 32
ENLARGED = UpscaleRequest(picture=SHA, upscaler="lanczos")


def edit(old: GenerationRequest, **said: Any) -> tuple[GenerationRequest, tuple[str, ...]]:
    """`old` after a form that says this."""
    return edited(old, ImagineDraft(**said), **AROUND)


def test_again_changes_nothing_but_the_seed() -> None:
    """The same wish, another throw."""
    old = asked(seed="5", count=3, lora="ink")
    new = again(old, 99)
    assert new.seeds.seed == 99
    assert msgspec.structs.replace(new, seeds=old.seeds) == old
    assert again(old, 2**32 - 1).seeds.seed == 2**32 - 3


def test_a_variation_again_is_another_variation_of_the_same_picture() -> None:
    """Its first noise stays; what is mixed in is fresh."""
    varied = vary(asked(seed="5", count=1), strong=False, count=4, random_seed=lambda: 1)
    new = again(varied, 77)
    assert new.seeds == Seeds(5, 77, SUBTLE_NOISE)


@pytest.mark.parametrize(("strong", "share"), [(False, SUBTLE_NOISE), (True, STRONG_NOISE)])
def test_a_variation_keeps_the_noise_and_mixes_fresh_noise_in(strong: bool, share: float) -> None:
    """So it looks like the picture it came from, and every one of the four differs."""
    old = asked(seed="5", count=1)
    new = vary(old, strong=strong, count=4, random_seed=lambda: 2**32 - 1, picture_sha=SHA)
    assert new.seeds == Seeds(5, 2**32 - 4, share)
    assert new.count == 4
    assert attachments_of(new) == ()
    assert len(set(picture_requests(new, [5, 5, 5, 5]))) == 4


@pytest.mark.parametrize(("strong", "strength"), [(False, SUBTLE_SOURCE), (True, STRONG_SOURCE)])
def test_a_variation_of_a_variation_begins_from_the_picture(strong: bool, strength: float) -> None:
    """One request can mix in one fresh noise only; a second would lose the first, and with it the picture."""
    first = vary(asked(seed="5", count=1, size=(128, 192)), strong=False, count=1, random_seed=lambda: 1)
    second = vary(first, strong=strong, count=2, random_seed=lambda: 9, picture_sha=SHA)
    assert second.source == SourcePicture(SHA, strength)
    assert second.seeds == Seeds(9)
    assert second.canvas == Canvas(128, 192)
    assert attachments_of(second) == (SHA,)


def test_a_variation_from_a_picture_has_the_pictures_size() -> None:
    """What hires fix enlarged is not enlarged again."""
    old = msgspec.structs.replace(asked(seed="5", count=1), hires=Hires(scale=2.0), seeds=Seeds(5, 6, 0.1))
    new = vary(old, strong=True, count=1, random_seed=lambda: 9, picture_sha=SHA)
    assert (new.canvas, new.hires) == (Canvas(256, 256), None)


def test_a_picture_made_from_a_picture_varies_over_the_same_source() -> None:
    """Its source travels again."""
    old = asked(seed="5", count=1, init_image="ab" * 32)
    assert attachments_of(vary(old, strong=True, count=1, random_seed=lambda: 9)) == ("ab" * 32,)


def test_an_enlargement_cannot_be_painted_differently() -> None:
    """The sentence says where to go instead."""
    for attempt in (
        lambda: again(ENLARGED, 1),
        lambda: vary(ENLARGED, strong=True, count=1, random_seed=lambda: 1),
        lambda: edited(ENLARGED, ImagineDraft(), **AROUND),
    ):
        with pytest.raises(RequestRefused, match="go to the picture it was made from"):
            attempt()


def test_a_wrong_number_of_variations_is_refused() -> None:
    """As many as a card shows."""
    with pytest.raises(RequestRefused, match="1 to 4"):
        vary(asked(), strong=True, count=9, random_seed=lambda: 1)


def test_an_enlargement_keeps_the_parameter_text() -> None:
    """What was written into the picture stays in the larger one."""
    assert upscale(SHA, "a cat", upscaler="lanczos", scale=2.0) == UpscaleRequest(
        picture=SHA, upscaler="lanczos", scale=2.0, infotext="a cat"
    )
    assert upscale(SHA, "", upscaler="RealESR", scale=2.0, inventory=INVENTORY).upscaler == "realesr"
    assert upscale(SHA, "", upscaler="Nearest", scale=2.0, inventory=INVENTORY).upscaler == "nearest"


def test_an_enlargement_that_cannot_be_is_refused() -> None:
    """Unknown upscalers by name, scales by range."""
    with pytest.raises(RequestRefused, match="did you mean “Lanczos”"):
        upscale(SHA, "", upscaler="lancos", scale=2.0, inventory=INVENTORY)
    with pytest.raises(RequestRefused, match="stays as it is"):
        upscale(SHA, "", upscaler="lanczos", scale=1.0, inventory=INVENTORY)
    for scale in (9.0, float("nan")):
        with pytest.raises(RequestRefused, match="1 to 8 times"):
            upscale(SHA, "", upscaler="lanczos", scale=scale)


def test_each_picture_of_a_job_has_a_request_of_its_own() -> None:
    """Painted alone it is the same picture: one seed further for each, or one variation further."""
    plain = picture_requests(asked(seed="5", count=2), [5, 6])
    assert [(each.count, each.seeds.seed) for each in plain if isinstance(each, GenerationRequest)] == [(1, 5), (1, 6)]
    varied = picture_requests(vary(asked(seed="5"), strong=True, count=2, random_seed=lambda: 8), [5, 5])
    assert [each.seeds for each in varied if isinstance(each, GenerationRequest)] == [
        Seeds(5, 8, STRONG_NOISE),
        Seeds(5, 9, STRONG_NOISE),
    ]
    assert picture_requests(ENLARGED, [0]) == (ENLARGED,)


def test_an_edit_that_says_nothing_changes_nothing() -> None:
    """Whatever the defaults are by now."""
    old = asked(prompt="a dog", negative="", steps=33, model="vision", lora="ink", style="Ink", seed="5")
    assert edit(old) == (old, ())
    assert edit(old, seed="keep", prompt="  ") == (old, ())


def test_an_edit_tells_what_differs() -> None:
    """Texts by name, numbers with both values."""
    old = asked(seed="5")
    new, told = edit(
        old, prompt="a dog", negative="", steps=30, cfg=3.5, seed="8", model="grand", size=(1024, 512), count=2
    )
    assert (new.prompt.positive, new.prompt.negative) == ("a dog", "")
    assert new.model == ModelRef("grand", "9876543210")
    assert told == (
        "prompt",
        "negative prompt",
        "model easel-painter → grand",
        "size 128×128 → 1024×512",
        "seed 5 → 8",
        "steps 20 → 30",
        "CFG 7 → 3.5",
        "pictures 4 → 2",
    )
    assert edit(old, sampler="DPM++ 2M Karras")[1] == ("sampler Euler a → DPM++ 2M Karras",)


def test_an_edit_may_draw_or_vary_the_seed() -> None:
    """ "random" draws a new one; "variation" keeps the composition."""
    old = asked(seed="5")
    assert edit(old, seed="random")[0].seeds == Seeds(SEED)
    assert edit(old, seed="Variation")[0].seeds == Seeds(5, SEED, SUBTLE_NOISE)
    varied = edit(old, seed="variation")[0]
    assert edit(varied, steps=9)[0].seeds == varied.seeds
    assert edit(varied, seed="7")[0].seeds == Seeds(7)


def test_an_edit_replaces_a_loras_tag() -> None:
    """Naming it anew changes its strength; it is not worn twice."""
    old = asked(prompt="a <lora:ink:0.9> cat <lora:other>", lora="fur")
    new, told = edit(old, lora="ink:0.3")
    assert new.prompt.positive == "a cat <lora:other> <lora:Fur:1> <lora:ink:0.3>"
    assert told == ("LoRAs ink:0.9, other, Fur:1 → other, Fur:1, ink:0.3",)


def test_an_edit_by_the_whole_list_of_loras() -> None:
    """The list of a form takes the place of the tags, and may bring styles along."""
    old = asked(prompt="a cat", lora="ink, fur")
    new, told = edited(old, Edit(prompt="a dog", worn="fur, soft"), **AROUND)
    assert new.prompt.positive == "a dog <lora:Fur:1>, soft light, pastel"
    assert told == ("prompt", "LoRAs ink:0.7, Fur:1 → Fur:1")


def test_an_edit_of_clip_skip_and_the_second_pass() -> None:
    """Both are told; a second pass that is too large here is refused."""
    old = asked(model="vision", seed="5")
    new, told = edited(old, Edit(clip_skip=2, hires="1.5x, 0.5"), **AROUND)
    assert (new.prompt.clip_skip, new.hires) == (2, Hires(scale=1.5, denoising_strength=0.5))
    assert told == ("clip skip 1 → 2", "hires fix off → 1.5x, 0.5, Latent")
    assert edited(new, Edit(hires="off"), **AROUND)[0].hires is None
    with pytest.raises(LimitReached, match="megapixels allowed here"):
        edited(old, Edit(hires="8x"), **AROUND)
    with pytest.raises(RequestRefused, match="takes a larger size instead"):
        edited(asked(init_image=SHA), Edit(hires="2x"), **AROUND)


def test_an_edit_of_the_style_goes_around_the_text_as_it_stands() -> None:
    """The form shows the text with the old style in it."""
    assert edit(asked(), style="Ink")[0].prompt.positive == "ink drawing of a cat, paper"


def test_an_edit_of_the_strength_needs_a_source() -> None:
    """A new source may come with it."""
    with pytest.raises(RequestRefused, match="made from words alone"):
        edit(asked(), strength=0.3)
    old = asked(init_image=SHA, strength=0.9)
    assert edit(old, strength=0.3)[1] == ("strength 0.9 → 0.3",)
    assert edit(asked(), init_image=SHA)[1] == ("source picture", "strength none → 0.75")


def test_an_edit_is_held_to_the_same_rules() -> None:
    """Nothing that `resolve` refuses comes in through a form."""
    for said in ({"steps": 0}, {"cfg": 99.0}, {"count": 7}, {"seed": "x"}, {"prompt": "naked child"}, {"model": "qq"}):
        with pytest.raises(RequestRefused):
            edit(asked(), **said)
    with pytest.raises(LimitReached):
        edit(asked(), steps=100)


def test_a_model_that_is_gone_is_named() -> None:
    """Rather than painting with another one in silence."""
    old = msgspec.structs.replace(asked(), model=ModelRef("lost", "ffffffffff"))
    with pytest.raises(RequestRefused, match="no model called “lost”"):
        edit(old, prompt="a dog")
    assert edit(old, model="")[0].model.name == "easel-painter"
