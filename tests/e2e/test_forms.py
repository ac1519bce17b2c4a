"""✏️ and ⚙️ with the real client and real SQLite: what the forms begin with, what changed, and that nothing typed is lost."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Exchange, Json, Person
from bot.sandbox.server import Loopback
from inference.api.request import GenerationRequest
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from tests.e2e.easel import Studio, button_of, paint, result_in, settings_in, studio_at, words_of

WITH_LORA: Inventory = msgspec.structs.replace(
    FAKE_INVENTORY, loras=(ModelFile("ink", "models/Lora/ink.safetensors", "aaaaaaaaaaaa", "sd1", native=512),)
)


def fields_of(form: Exchange) -> dict[str, str]:
    """What each field of an open form begins with, by name."""
    assert form.modal is not None, form.error
    found: dict[str, str] = {}
    for label in form.modal["components"]:
        field: Json = label["component"]
        chosen = [row["value"] for row in field.get("options") or () if row.get("default")]
        found[field["custom_id"]] = chosen[0] if chosen else field.get("value") or ""
    return found


async def submitted(person: Person, form: Exchange, values: dict[str, Any], *, after: str) -> Json:
    """The card that a form leads to."""
    asked = await (await person.submit(form, values)).answered()
    done = await result_in(person, "#paint", after=after)
    await person.until(lambda: person.message(asked) is None)
    return done


async def request_of(studio: Studio, card: Json) -> GenerationRequest:
    """What the first picture of a card was painted with."""
    image = (await studio.easel.desk.db.images.of_message(int(card["id"])))[0]
    assert isinstance(image.request, GenerationRequest)
    return image.request


async def test_the_first_form_changes_words_seed_and_size(quick: Studio, ada: Person, ben: Person) -> None:
    """It begins with the picture's own values; the new card says what changed, for all; whoever sent it is its owner."""
    card = await paint(ada, prompt="a red apple", negative="fog", seed="7", count=1)
    form = await ben.click(card, button_of(card, Action.EDIT))
    before = fields_of(form)
    assert before == {"prompt": "a red apple", "negative": "fog", "worn": "", "seed": "keep", "size": "128x128"}
    changes = {"prompt": "a green pear", "negative": "", "seed": "variation", "size": "3:2"}
    done = await submitted(ben, form, changes, after=card["id"])
    said = words_of(done)
    assert "Changed: prompt · negative prompt · size 128×128 → 160×104" in said
    assert "variation none →" in said
    assert f"<@{ben.id}>" in said
    request = await request_of(quick, done)
    assert (request.prompt.positive, request.prompt.negative, request.seeds.seed) == ("a green pear", "", 7)


async def test_the_second_form_changes_everything_else(quick: Studio, ada: Person) -> None:
    """Sampler, steps, CFG scale, clip skip and hires fix begin as they were; what is left alone stays."""
    card = await paint(ada, seed="7", steps=4, cfg=6.5, count=1)
    form = await ada.click(card, button_of(card, Action.SETTINGS))
    before = {"sampler": "euler_a", "steps": "4", "cfg": "6.5", "clip_skip": "1", "hires": "off"}
    assert fields_of(form) == before
    changes = {"sampler": ["dpmpp_2m"], "steps": "6", "cfg": "7,25", "clip_skip": "2", "hires": "1.5x, 0.5, Lanczos"}
    done = await submitted(ada, form, changes, after=card["id"])
    told = "steps 4 → 6 · sampler Euler a → DPM++ 2M · CFG 6.5 → 7.25 · clip skip 1 → 2 · hires fix off → 1.5x, 0.5, Lanczos"
    assert f"Changed: {told}" in words_of(done).replace("\\", "")
    again = fields_of(await ada.click(done, button_of(done, Action.SETTINGS)))
    assert again == {
        "sampler": "dpmpp_2m",
        "steps": "6",
        "cfg": "7.25",
        "clip_skip": "2",
        "hires": "1.5x, 0.5, Lanczos",
    }


async def test_a_form_sent_as_it_was_changes_nothing(
    discord_here: None, loopback: Loopback, tmp_path: Path, ada: Person
) -> None:
    """Not a blank of the prompt, nor a tag in it; and a list of LoRAs takes them out, and puts them in."""
    prompt = "  a red apple <lora:ink:0.8>,\n  on snow"
    async with studio_at(
        settings_in(tmp_path), token=loopback.token, painter=FakeBackend(inventory=WITH_LORA)
    ) as studio:
        card = await paint(ada, prompt=prompt, seed="7", count=1)
        old = await request_of(studio, card)
        form = await ada.click(card, button_of(card, Action.EDIT))
        assert fields_of(form)["worn"] == "ink:0.8"
        done = await submitted(ada, form, {}, after=card["id"])
        assert "Changed: nothing" in words_of(done)
        assert await request_of(studio, done) == old
        form = await ada.click(done, button_of(done, Action.EDIT))
        bare = await submitted(ada, form, {"worn": ""}, after=done["id"])
        assert "Changed: LoRAs ink:0.8 → none" in words_of(bare).replace("\\", "")
        assert "<lora" not in (await request_of(studio, bare)).prompt.positive


REFUSED: tuple[tuple[Action, dict[str, Any], str], ...] = (
    (Action.EDIT, {"worn": "inc:0.8"}, "no LoRA or style called “inc”"),
    (Action.EDIT, {"size": "huge"}, "“huge” is neither a size in pixels"),
    (Action.EDIT, {"size": "500x500"}, "multiple of 8"),
    (Action.EDIT, {"prompt": "x" * 4000, "size": "1x1"}, "between 64"),
    (Action.SETTINGS, {"steps": "many"}, "Steps must be a whole number from 1 to 150, not “many”"),
    (Action.SETTINGS, {"steps": "100"}, "At most 60 steps"),
    (Action.SETTINGS, {"cfg": "-1"}, "The CFG scale must be a number from 0 to 30"),
    (Action.SETTINGS, {"clip_skip": "13"}, "Clip skip must be a whole number from 1 to 12"),
    (Action.SETTINGS, {"hires": "9x"}, "enlarges 1 to 8 times"),
    (Action.SETTINGS, {"hires": "a lot"}, "no upscaler called “a lot”"),
)


async def test_what_was_typed_is_not_lost(quick: Studio, ada: Person) -> None:
    """Each mistake is named, to the person alone, and a button opens the form again with every word that was in it."""
    card = await paint(ada, count=1)
    for action, values, sentence in REFUSED:
        form = await ada.click(card, button_of(card, action))
        typed = fields_of(form) | values
        refusal = await (await ada.submit(form, values)).answered()
        assert sentence in words_of(refusal).replace("\\", ""), values
        assert refusal["flags"] & 64
        assert fields_of(await ada.click(refusal, button_of(refusal, Action.REOPEN))) == typed
    assert quick.easel.desk.dispatcher.queue() == ()


async def test_a_refused_form_outlives_a_restart(
    discord_here: None, loopback: Loopback, tmp_path: Path, ada: Person
) -> None:
    """The text waits in the database; mended, it is painted."""
    async with studio_at(settings_in(tmp_path), token=loopback.token):
        card = await paint(ada, count=1)
        form = await ada.click(card, button_of(card, Action.EDIT))
        refusal = await (await ada.submit(form, {"prompt": "a long thought", "size": "huge"})).answered()
    async with studio_at(settings_in(tmp_path), token=loopback.token):
        form = await ada.click(refusal, button_of(refusal, Action.REOPEN))
        assert fields_of(form)["prompt"] == "a long thought"
        done = await submitted(ada, form, {"size": "128x192"}, after=card["id"])
        assert "Changed: prompt · size 128×128 → 128×192" in words_of(done)


async def test_forms_without_a_picture(quick: Studio, ada: Person) -> None:
    """A picture that is gone, and a prompt that fits no form, are a sentence each; ⚙️ works for the latter."""
    card = await paint(ada, prompt="y" * 5000, count=1)
    refusal = await (await ada.click(card, button_of(card, Action.EDIT))).answered()
    assert "longer than the 4,000 characters" in words_of(refusal).replace("\\", "")
    form = await ada.click(card, button_of(card, Action.SETTINGS))
    image = (await quick.easel.desk.db.images.of_message(int(card["id"])))[0]
    await quick.easel.desk.db.images.remove(image.id)
    gone = await (await ada.submit(form, {"steps": "5"})).answered()
    assert "That picture is gone" in words_of(gone)
    for action in (Action.EDIT, Action.SETTINGS, Action.REGION, Action.ZOOM, Action.MOVE):
        refusal = await (await ada.click(card, button_of(card, action))).answered()
        assert "That picture is gone" in words_of(refusal), action


async def test_the_form_of_the_command_wears_styles(quick: Studio, ada: Person) -> None:
    """/form takes styles and LoRAs as one list, and keeps what was typed when one of them is not there."""
    await (await ada.slash("style save", "#paint", name="moody", prompt="{prompt}, at dusk")).answered()
    form = await ada.slash("form", "#paint")
    refusal = await (await ada.submit(form, {"prompt": "a pear", "worn": "mody"})).answered()
    assert "did you mean “moody”" in words_of(refusal).replace("\\", "")
    form = await ada.click(refusal, button_of(refusal, Action.REOPEN))
    newest = max((message["id"] for message in ada.messages("#paint")), key=int)
    done = await submitted(ada, form, {"worn": "moody"}, after=newest)
    assert (await request_of(quick, done)).prompt.positive == "a pear, at dusk"


@pytest.mark.parametrize("strange", ["\n", "\u202e" * 300, "`" * 4000, "<@&1> @everyone [x](https://x.y)"])
async def test_any_text_is_an_answer(quick: Studio, ada: Person, strange: str) -> None:
    """Four thousand signs of anything in every field that takes text: a card or a sentence, never an accident."""
    card = await paint(ada, count=1)
    for action in (Action.EDIT, Action.SETTINGS):
        form = await ada.click(card, button_of(card, action))
        texts = {label["component"]["custom_id"] for label in (form.modal or {})["components"]} - {"seed", "sampler"}
        answer = await (await ada.submit(form, dict.fromkeys(texts, strange))).answered()
        assert "on our side" not in words_of(answer)
