"""/imagine from the command to the card and on: with the real client, the real queue, real SQLite and a held painter."""

import asyncio
import io

import msgspec
import pytest
from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from inference.api.result import ModelFile
from inference.client.fake import FakeBackend
from inference.client.gates import HeldGate
from storage.gallery_values import Query
from tests.e2e.easel import Studio, button_of, bytes_at, paint, pictures_of, result_in, results_in, words_of


def png() -> bytes:
    """A small picture to begin from."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 96), (200, 60, 40)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_card_at_once_then_four_pictures(held: Studio, gate: HeldGate, ada: Person) -> None:
    """The answer comes before anything is painted, moves while it is, and ends as a new message that pings the asker alone."""
    card = await (await ada.slash("imagine", "#paint", prompt="a *red* apple @everyone")).answered()
    assert "a \\*red\\* apple" in words_of(card)
    assert button_of(card, Action.CANCEL)
    await gate.reached(1, "painting")
    while (await gate.reached(1)).done < 6:
        gate.release(1)
        await asyncio.sleep(0)
    async with asyncio.timeout(20):  # the painter is ahead of what the bot has heard from it
        while not pictures_of(ada.message(card) or card):
            await held.refresh_cards()
            await asyncio.sleep(0)
    moved = ada.message(card)
    assert moved is not None
    assert "%" in words_of(moved)
    gate.open()
    done = await result_in(ada, "#paint")
    assert len(pictures_of(done)) == 4
    assert [user["id"] for user in done["mentions"]] == [ada.id]
    assert not done["mention_everyone"]
    await ada.until(lambda: ada.message(card) is None)
    webp = await bytes_at(pictures_of(done)[0])
    assert webp[8:12] == b"WEBP"


async def test_every_button_of_a_card(quick: Studio, ada: Person, ben: Person) -> None:
    """U takes a picture out, V and 🔄 paint for whoever presses, ⭐ ℹ️ and the PNG answer in private."""
    card = await paint(ada)
    single = await (await ben.click(card, "U2")).answered()
    assert len(pictures_of(single)) == 1
    varied = await ben.click(card, "V1")
    await varied.answered()
    child = await result_in(ben, "#paint", after=single["id"])
    assert f"<@{ben.id}>" in words_of(child)
    assert "from this card" in words_of(child)
    again = await ada.click(card, button_of(card, Action.AGAIN))
    await again.answered()
    repeat = await result_in(ada, "#paint", after=child["id"])
    assert len(pictures_of(repeat)) == 4
    starred = await (await ben.click(card, button_of(card, Action.STAR))).answered()
    assert "Starred" in words_of(starred)
    assert ada.message(starred) is None
    about = await (await ben.click(card, button_of(card, Action.INFO))).answered()
    assert "Steps: 4" in words_of(about)
    whole = await (await ben.click(single, button_of(single, Action.PNG))).answered()
    file = await bytes_at(whole["attachments"][0]["url"])
    with Image.open(io.BytesIO(file)) as picture:
        assert picture.format == "PNG"
        assert "Seed: " in picture.text["parameters"]
    enlarged = await ben.click(single, button_of(single, Action.UPSCALE))
    await (await ben.submit(enlarged)).answered()
    large = await result_in(ben, "#paint", after=repeat["id"])
    assert "from this card" in words_of(large)


async def test_delete_is_for_the_owner(quick: Studio, ada: Person, ben: Person, loopback: Loopback) -> None:
    """Ben cannot delete Cleo's pictures, a moderator can take the message away, and the owner takes the pictures too."""
    cleo = loopback.person("Cleo")
    card = await paint(cleo)
    refused = await (await ben.click(card, button_of(card, Action.DELETE))).answered()
    assert "Only who asked" in words_of(refused)
    await ada.click(card, button_of(card, Action.DELETE))
    await cleo.until(lambda: cleo.message(card) is None)
    assert (await quick.easel.desk.db.gallery.page(int(cleo.id), Query())).total == 4
    mine = await paint(cleo)
    await cleo.click(mine, button_of(mine, Action.DELETE))
    await cleo.until(lambda: cleo.message(mine) is None)
    assert (await quick.easel.desk.db.gallery.page(int(cleo.id), Query())).total == 4


async def test_a_button_whose_picture_is_gone(quick: Studio, ada: Person) -> None:
    """It says so, to the person alone."""
    card = await paint(ada)
    for image in await quick.easel.desk.db.images.of_message(int(card["id"])):
        await quick.easel.desk.db.images.remove(image.id)
    answer = await (await ada.click(card, "U1")).answered()
    assert "That picture is gone" in words_of(answer)


async def test_edit_in_a_form(quick: Studio, ada: Person, ben: Person) -> None:
    """✏️ opens the words of the picture; what is sent is painted for who sent it, who is told at once what changed."""
    card = await paint(ada)
    form = await ben.click(card, button_of(card, Action.EDIT))
    assert form.modal is not None
    sent = await ben.submit(form, {"prompt": "three green apples", "seed": "keep", "size": "3:2"})
    await sent.answered()
    edited = await result_in(ben, "#paint", after=card["id"])
    assert "three green apples" in words_of(edited)
    assert len(pictures_of(edited)) == 4, "✏️ under four pictures changes all four"
    assert "Changed: prompt" in words_of(edited)
    changed = await ben.wait_for_message(
        "#paint", lambda m: m["flags"] & 64 and "Changed" in words_of(m), after=card["id"]
    )
    assert ada.message(changed) is None


async def test_the_form_paints(quick: Studio, ada: Person) -> None:
    """/form asks five things, a picture among them, and paints."""
    form = await ada.slash("form", "#paint")
    assert form.modal is not None
    assert len(form.modal["components"]) == 5
    await (await ada.submit(form, {"prompt": "a pear", "picture": [("start.png", png())]})).answered()
    done = await result_in(ada, "#paint")
    await ada.until(lambda: len(ada.messages("#paint")) == 1)
    image = (await quick.easel.desk.db.images.of_message(int(done["id"])))[0]
    assert image.request.source is not None


async def test_begin_from_a_picture(quick: Studio, ada: Person) -> None:
    """An attached picture is the source, and its shape the picture's."""
    card = await paint(ada, init_image=("start.png", png()), strength=0.5)
    image = (await quick.easel.desk.db.images.of_message(int(card["id"])))[0]
    assert image.request.source.denoising_strength == 0.5
    assert image.height > image.width


async def test_private_pictures_come_by_direct_message(quick: Studio, ada: Person, ben: Person) -> None:
    """Nobody else sees the card, and the pictures arrive in the conversation."""
    card = await (await ada.slash("imagine", "#paint", prompt="a secret", private=True)).answered()
    assert ben.message(card) is None
    done = await result_in(ada, ada.open_dm())
    assert len(pictures_of(done)) == 4
    assert not results_in(ben, "#paint")


async def test_the_queue_and_cancelling(held: Studio, gate: HeldGate, ada: Person, ben: Person) -> None:
    """/queue lists one's own jobs; 🛑 is for the owner, and the card says that it was cancelled."""
    card = await (await ada.slash("imagine", "#paint", prompt="never")).answered()
    await gate.reached(1)
    listed = await (await ada.slash("queue", "#paint")).answered()
    assert "never" in words_of(listed)
    others = await (await ben.slash("queue", "#paint")).answered()
    assert "Nothing of yours" in words_of(others)
    assert "One job of somebody else" in words_of(others)
    refused = await (await ben.click(card, button_of(card, Action.CANCEL))).answered()
    assert "Only who asked" in words_of(refused)
    await ada.click(card, button_of(card, Action.CANCEL))
    await ada.until(lambda: (m := ada.message(card)) is not None and "Cancelled" in words_of(m))
    gate.open()
    assert not results_in(ada, "#paint")
    assert held.easel.desk.dispatcher.queue() == ()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prompt": "  "}, "what to paint"),
        ({"model": "no such thing"}, "no such thing"),
        ({"sampler": "magic"}, "magic"),
        ({"style": "nobody's"}, "nobody's"),
        ({"steps": 0}, "0"),
        ({"steps": 10_000}, "10,000"),
        ({"cfg": 99.0}, "99"),
        ({"seed": "minus one"}, "minus one"),
        ({"lora": "nowhere:0.8"}, "nowhere"),
        ({"init_image": ("a.png", b"not a picture at all")}, "picture"),
        ({"init_image": ("a.txt", b"words")}, "picture"),
    ],
)
async def test_bad_input_is_a_sentence_where_the_person_is(
    quick: Studio, ada: Person, ben: Person, options: dict[str, object], sentence: str
) -> None:
    """Each mistake is named, to the person alone, and nothing is queued."""
    answer = await (await ada.slash("imagine", "#paint", **{"prompt": "a cat", **options})).answered()
    assert sentence in words_of(answer)
    assert "on our side" not in words_of(answer)
    assert quick.easel.desk.dispatcher.queue() == ()
    assert not results_in(ada, "#paint")


async def test_unbalanced_brackets_are_painted(quick: Studio, ada: Person) -> None:
    """A prompt of 6,000 characters, brackets everywhere, is a prompt like any other."""
    card = await paint(ada, prompt="([{" * 2000, count=1)
    assert len(pictures_of(card)) == 1


async def test_a_crowd(quick: Studio, loopback: Loopback, ada: Person, ben: Person) -> None:
    """Twelve wishes of three people at once are all acknowledged in time, and every one is painted."""
    crowd = [ada, ben, loopback.person("Cleo")] * 4
    asked = await asyncio.gather(*(each.slash("imagine", "#paint", prompt="a bee", count=1) for each in crowd))
    assert {each.state for each in asked} <= {"answered", "deferred"}
    await ada.until(lambda: len(results_in(ada, "#paint")) == len(crowd), timeout=30)
    await ada.until(lambda: len(ada.messages("#paint")) == len(crowd))


async def test_a_model_that_came_later(quick: Studio, ada: Person) -> None:
    """A file that is put into the folder while Easel runs can be named at once, and is suggested from then on."""
    assert isinstance(quick.painter, FakeBackend)
    new = ModelFile("fresh", "models/Stable-diffusion/fresh.safetensors", "aaaabbbbcc", "sd1", native=128)
    here = quick.painter.inventory
    quick.painter.inventory = msgspec.structs.replace(here, checkpoints=(*here.checkpoints, new))
    done = await paint(ada, model="fresh")
    assert "fresh" in words_of(done)
    offered = await ada.autocomplete("imagine", "#paint", "model", "fre")
    assert [choice["value"] for choice in offered] == ["aaaabbbbcc"]
