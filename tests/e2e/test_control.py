"""/control with the real client and real SQLite: the map is looked at before anything is painted, and steers what is."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import msgspec
import pytest
from PIL import Image

from bot.discord_ui import view
from bot.discord_ui.actions import Action, read_ticket
from bot.discord_ui.control.painting import card_of
from bot.discord_ui.control.sheets import sheet_on
from bot.sandbox.driver import Json, Person
from bot.sandbox.places import add_thread
from bot.sandbox.server import Loopback
from bot.settings import LimitSettings
from inference.client.fake import FakeBackend
from inference.client.gates import HeldGate, Point
from tests.e2e.easel import (
    Studio,
    button_of,
    bytes_at,
    paint,
    parts_of,
    pictures_of,
    result_in,
    settings_in,
    studio_at,
    words_of,
)
from tests.e2e.steered import SHELF, SIZE, alts, look, painted, press, sent
from tests.e2e.test_forms import fields_of
from tests.e2e.test_menus import picture, used


@pytest.fixture
def painter() -> FakeBackend:
    """A painter with ControlNets on its shelf."""
    return FakeBackend(inventory=SHELF)


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path, painter: FakeBackend) -> AsyncIterator[Studio]:
    """A studio whose painter is done at once."""
    async with studio_at(settings_in(tmp_path, count=2), token=loopback.token, painter=painter) as running:
        yield running


async def test_the_map_is_looked_at_before_painting(studio: Studio, ada: Person) -> None:
    """The card shows the map with its settings to the person alone; Paint queues what was asked, with the control."""
    card = await look(ada, kind="canny", weight=0.8, end=0.5, seed="7", count=1)
    said = words_of(card).replace("\\", "")
    assert "a boat" in said
    assert "1.** Canny edges" in said
    assert "`tiny_canny`" in said
    assert "weight 0.8 · from 0 to 0.5 of the steps · Balanced · Crop and resize" in said
    assert alts(card) == ["Map of control 1: Canny edges of photo.png"]
    with Image.open(io.BytesIO(await bytes_at(pictures_of(card)[0]))) as seen:
        edges = seen.convert("L")
        assert edges.size == SIZE
        assert edges.getpixel((63, 48)) > 200, "the two colours meet there"
        assert edges.getpixel((10, 48)) < 50
    assert studio.easel.desk.dispatcher.queue() == (), "nothing is painted by looking"
    done, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    (unit,) = request.control
    assert (unit.model, unit.preprocessor.id, unit.weight, unit.end) == ("tiny_canny", "canny", 0.8, 0.5)
    assert (request.seeds.seed, request.canvas.width, request.canvas.height) == (7, 144, 112)
    assert "for" in words_of(done)


@pytest.mark.parametrize("place", ["thread", "conversation"])
async def test_elsewhere_than_in_a_channel(studio: Studio, loopback: Loopback, ben: Person, place: str) -> None:
    """In a thread and in a conversation with Easel, card and pictures come where the command was used."""
    where = ben.open_dm()
    if place == "thread":
        where = add_thread(loopback.world, ben.channel("#paint"), "boats", owner_id=ben.id).id
    card = await look(ben, where, kind="canny", count=1)
    done, request = await painted(studio, ben, await ben.click(card, button_of(card, Action.CONTROL_PAINT)), where)
    assert len(request.control) == 1
    assert alts(done)[1:] == ["Map of control 1: Canny edges"]


async def test_the_answer_may_be_private(studio: Studio, ben: Person) -> None:
    """Then the pictures come by direct message, and the channel shows nothing."""
    card = await look(ben, kind="canny", count=1, private=True)
    await (await ben.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
    done = await result_in(ben, ben.open_dm())
    assert alts(done)[1:] == ["Map of control 1: Canny edges"]
    assert [message for message in ben.messages("#paint") if not message["flags"] & 64] == []


async def test_the_map_comes_with_the_result(studio: Studio, ada: Person, ben: Person) -> None:
    """It is the last picture of the card, called a map; anybody uses it again as it is, for words of their own."""
    card = await look(ada, kind="canny")
    done, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    assert alts(done)[2:] == ["Map of control 1: Canny edges"]
    assert "The last picture is the map that was followed" in words_of(done)
    assert len(alts(done)) == 3
    lines = await bytes_at(pictures_of(done)[2])
    again = await (await ben.click(done, button_of(done, Action.CONTROL_MAP))).answered()
    assert again["flags"] & 64
    assert "None" in words_of(again)
    with Image.open(io.BytesIO(lines)) as shown, Image.open(io.BytesIO(await bytes_at(pictures_of(again)[0]))) as used:
        assert shown.size == used.size
    form = await ben.click(again, button_of(again, Action.CONTROL_WORDS))
    before = fields_of(form)
    assert (before["prompt"], before["seed"]) == ("a boat", "random")
    second, steered = await painted(studio, ben, await ben.submit(form, {"prompt": "a castle"}))
    (unit,) = steered.control
    assert (unit.preprocessor.id, unit.model, steered.prompt.positive) == ("none", "tiny_canny", "a castle")
    assert unit.picture != request.control[0].picture
    assert len(alts(second)) == 2, "a ready map is not shown a second time"
    images = await studio.easel.desk.db.images.of_message(int(second["id"]))
    assert {image.person for image in images} == {int(ben.id)}


async def test_a_control_steers_its_places_only(studio: Studio, ada: Person) -> None:
    """With `where` the request carries a mask of the places, soft at its border; a place that is none is a sentence."""
    card = await look(ada, kind="canny", where="left")
    assert "left only" in words_of(card)
    done, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    (unit,) = request.control
    (image, *_) = await studio.easel.desk.db.images.of_message(int(done["id"]))
    mask = (await studio.easel.desk.db.jobs.sources(image.job))[unit.region]
    with Image.open(io.BytesIO(mask)) as shown:
        assert shown.mode == "L"
        width, height = shown.size
        assert [shown.getpixel((x, height // 2)) for x in (0, width - 1)] == [255, 0]
    assert [row["value"] for row in await ada.autocomplete("control", "#paint", "where", "top")][:2] == [
        "top",
        "top left",
    ]
    refused = await (
        await ada.slash("control", "#paint", picture=("photo.png", picture(SIZE)), prompt="a boat", where="somewhere")
    ).answered()
    assert "is no place; write a side such as left" in words_of(refused)


async def test_maps_go_with_the_picture(studio: Studio, ada: Person) -> None:
    """Deleted, its map and the picture that it followed are files no more; the buttons of its card say so."""
    card = await look(ada, kind="canny")
    done, _ = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    db = studio.easel.desk.db
    (image, *_) = await db.images.of_message(int(done["id"]))
    (made,) = (await db.jobs.maps(image.job)).values()
    await ada.click(card, button_of(card, Action.CONTROL_CANCEL))
    await ada.until(lambda: (m := ada.message(card)) is not None and "Put away" in words_of(m))
    assert await db.pictures.has(made)
    await db.images.remove_message(int(done["id"]), person=int(ada.id))
    assert await db.pictures.hashes() == frozenset()
    for action in (Action.CONTROL_MAP, Action.CONTROL_OF):
        refusal = await (await ada.click(done, button_of(done, action))).answered()
        assert "That picture is gone" in words_of(refusal)


async def test_everything_of_a_control_can_be_changed(studio: Studio, ada: Person) -> None:
    """Its form begins with what is set; another kind brings its own ControlNet, and the map is made anew."""
    card = await look(ada, kind="canny", threshold_a=50.0)
    form = await ada.click(card, button_of(card, Action.CONTROL_CHANGE))
    before = fields_of(form)
    assert before == {
        "kind": "canny",
        "network": "tiny_canny",
        "seen": "auto, 50, 200",
        "span": "1, 0, 1",
        "fit": "balanced,1",
    }
    assert form.modal is not None
    offered = [row["value"] for row in form.modal["components"][1]["component"]["options"]]
    assert offered == ["tiny_canny", "tiny_scribble", "tiny_tile"], "grand_canny is for another family"
    changes = {"kind": ["scribble"], "span": "0,6, 0.1, 0.9", "fit": ["control,2"]}
    card = await sent(ada, card, form, changes)
    said = words_of(card)
    assert "Scribble from a drawing · `tiny_scribble`" in said
    assert "weight 0.6 · from 0.1 to 0.9 of the steps · ControlNet is more important · Resize and fill" in said
    form = await ada.click(card, button_of(card, Action.CONTROL_CHANGE))
    card = await sent(ada, card, form, {"seen": "pixel perfect"})
    assert "pixel perfect" in words_of(card)
    _, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    (unit,) = request.control
    assert (unit.preprocessor.id, unit.preprocessor.pixel_perfect, unit.mode) == ("scribble", True, "control")
    assert (unit.resize_mode, unit.weight, unit.start, unit.end) == (2, 0.6, 0.1, 0.9)


async def test_a_refused_change_loses_nothing(studio: Studio, ada: Person) -> None:
    """Each mistake is named, the card stays, and the form opens again with every word that was in it."""
    card = await look(ada)
    for values, sentence in (
        ({"span": "1, 0.9, 0.1"}, "the start first; not 0.9 and 0.1"),
        ({"span": "much"}, "A control's weight must be a number from 0 to 2, not “much”"),
        ({"seen": "12"}, "A map's resolution must be a whole number from 64 to 4,096, not “12”"),
        ({"seen": "auto, 300"}, "Canny low threshold must be between 1 and 255, not 300"),
    ):
        form = await ada.click(card, button_of(card, Action.CONTROL_CHANGE))
        typed = fields_of(form) | values
        refusal = await sent(ada, card, form, values)
        assert sentence in words_of(refusal).replace("\\", ""), values
        assert fields_of(await ada.click(refusal, button_of(refusal, Action.REOPEN))) == typed
    form = await ada.click(card, button_of(card, Action.CONTROL_CHANGE))
    refusal = await sent(ada, card, form, {"span": "1, 0.9, 0.1"})
    mended = await ada.click(refusal, button_of(refusal, Action.REOPEN))
    await ada.submit(mended, {"span": "1, 0.1, 0.9"})
    seen = await ada.until(lambda: next((m for m in ada.messages("#paint") if "from 0.1 to 0.9" in words_of(m)), None))
    assert "Canny edges" in words_of(seen)


async def test_several_controls_at_once(studio: Studio, ada: Person) -> None:
    """＋ adds one by a form, with a picture of its own or the first's; each is listed, changed by a menu and taken out."""
    card = await look(ada, kind="canny", seed="7", count=1)
    form = await ada.click(card, button_of(card, Action.CONTROL_ADD))
    other = ada.upload(picture((64, 96)), "lines.png")
    card = await sent(
        ada, card, form, {"picture": [other], "kind": ["scribble"], "network": ["tiny_scribble"], "span": "0.5"}
    )
    assert "lines.png" in alts(card)[1]
    form = await ada.click(card, button_of(card, Action.CONTROL_ADD))
    card = await sent(ada, card, form, {"kind": ["tile_resample"], "network": ["tiny_tile"]})
    said = words_of(card)
    assert "**1.** Canny edges" in said
    assert "**2.** Scribble from a drawing" in said
    assert "**3.** Tile" in said
    assert "2. The control picture has 64 × 96 pixels" in said.replace("\\", ""), "another shape is explained"
    assert len(pictures_of(card)) == 3
    card = await press(ada, card, Action.CONTROL_REMOVE, 0)
    assert "**1.** Scribble from a drawing" in words_of(card)
    menu = next(part for part in parts_of(card) if part.get("custom_id") == button_of(card, Action.CONTROL_CHANGE))
    form = await ada.select(card, menu["custom_id"], [menu["options"][1]["value"]])
    assert fields_of(form)["kind"] == "tile_resample"
    card = await sent(ada, card, form, {"span": "0.3, 0, 0.5"})
    _, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    assert [(unit.model, unit.weight, unit.end) for unit in request.control] == [
        ("tiny_scribble", 0.5, 1.0),
        ("tiny_tile", 0.3, 0.5),
    ]
    card = await press(ada, card, Action.CONTROL_REMOVE, 0)
    form = await ada.click(card, button_of(card, Action.CONTROL_PICTURE))
    card = await sent(ada, card, form, {"picture": [ada.upload(picture((96, 96)), "square.png")]})
    assert alts(card) == ["Map of control 1: Tile of square.png"]


async def test_as_many_as_the_operator_allows(
    discord_here: None, loopback: Loopback, tmp_path: Path, painter: FakeBackend, ada: Person
) -> None:
    """The button for one more is off; a request that comes with more is refused before it is queued."""
    limits = LimitSettings(controls=2)
    async with studio_at(settings_in(tmp_path, limits=limits), token=loopback.token, painter=painter) as studio:
        card = await look(ada)
        form = await ada.click(card, button_of(card, Action.CONTROL_ADD))
        card = await sent(ada, card, form, {})
        more = button_of(card, Action.CONTROL_ADD)
        assert next(part for part in parts_of(card) if part.get("custom_id") == more)["disabled"]
        third = await sent(ada, card, form, {})
        assert "2 controls at most here" in words_of(third)
        assert studio.easel.desk.dispatcher.queue() == ()


async def test_a_sheet_outlives_a_restart(
    discord_here: None, loopback: Loopback, tmp_path: Path, painter: FakeBackend, ada: Person
) -> None:
    """Card, controls and maps wait in the database; a form that was open is answered too."""
    async with studio_at(settings_in(tmp_path), token=loopback.token, painter=painter):
        card = await look(ada, kind="canny", count=1)
        form = await ada.click(card, button_of(card, Action.CONTROL_CHANGE))
    async with studio_at(settings_in(tmp_path), token=loopback.token, painter=FakeBackend(inventory=SHELF)) as studio:
        card = await sent(ada, card, form, {"span": "0.7"})
        assert "weight 0.7" in words_of(card)
        done, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
        assert request.control[0].weight == 0.7
    async with studio_at(settings_in(tmp_path), token=loopback.token, painter=FakeBackend(inventory=SHELF)):
        again = await (await ada.click(done, button_of(done, Action.CONTROL_OF))).answered()
        assert "weight 0.7" in words_of(again)


async def test_a_card_is_its_owners(studio: Studio, ada: Person, ben: Person) -> None:
    """Somebody else's press changes and paints nothing."""
    card = await look(ada)
    seen = card | {"flags": 0}
    channel = studio.easel.client.get_channel(int(ada.channel("#paint")))
    assert isinstance(channel, discord.TextChannel)
    sheet = await sheet_on(studio.easel.desk, _sheet(card), person=int(ada.id))
    reply = await card_of(studio.easel.desk, sheet, guild=channel.guild.id)
    await channel.send(view=view.layout(reply), files=view.files(reply))
    seen = await ben.wait_for_message("#paint", lambda message: "### Control" in words_of(message), after=card["id"])
    for action in (Action.CONTROL_PAINT, Action.CONTROL_WORDS, Action.CONTROL_CHANGE, Action.CONTROL_ADD):
        refusal = await (await ben.click(seen, button_of(seen, action))).answered()
        assert "somebody else's" in words_of(refusal), action
    assert studio.easel.desk.dispatcher.queue() == ()


def _sheet(card: Json) -> int:
    ticket = read_ticket(button_of(card, Action.CONTROL_PAINT))
    assert ticket is not None
    return ticket.id


async def test_suggestions(studio: Studio, ada: Person) -> None:
    """Kinds by what can be followed here, ControlNets by kind and checkpoint; what does not fit says so."""
    kinds = await ada.autocomplete("control", "#paint", "kind", "")
    assert kinds[0] == {"name": "Canny edges · tiny_canny", "value": "canny"}
    lost = {row["value"]: row["name"] for row in kinds}
    assert lost["depth_midas"].endswith("its network is not here")
    assert [row["value"] for row in await ada.autocomplete("control", "#paint", "kind", "scrib")][:2] == [
        "scribble",
        "scribble_xdog",
    ]
    models = await ada.autocomplete("control", "#paint", "model", "", kind="scribble")
    assert [row["value"] for row in models] == ["tiny_scribble", "tiny_canny", "tiny_tile", "grand_canny"]
    assert models[1]["name"] == "tiny_canny · SD 1 · not for Scribble from a drawing"
    assert models[3]["name"] == "grand_canny · SDXL · does not fit SD 1"
    models = await ada.autocomplete("control", "#paint", "model", "", checkpoint="grand")
    assert models[0]["name"] == "grand_canny · SDXL"


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"picture": ("a.txt", b"words")}, "not a PNG, JPEG or WebP"),
    ({"picture": ("cut.png", picture()[:60])}, "damaged"),
    ({"kind": "cany"}, "did you mean “canny”"),
    ({"model": "tiny_cany"}, "no ControlNet called “tiny_cany”; did you mean “tiny_canny”"),
    ({"model": "grand_canny"}, "“grand_canny” is made for SDXL, and “gradient” is SD 1"),
    ({"kind": "depth"}, "no ControlNet here that follows “Depth (MiDaS)”"),
    ({"start": 0.9, "end": 0.1}, "the start first; not 0.9 and 0.1"),
    ({"weight": 9.0}, "between 0 and 2, not 9"),
    ({"resolution": 5}, "between 64 and 4,096, not 5"),
    ({"prompt": "a naked child"}, "sexualises minors"),
    ({"seed": "what"}, "“what” is no seed"),
)


async def test_bad_input_is_a_sentence(studio: Studio, ada: Person) -> None:
    """To who asked alone, and nothing is queued or kept."""
    for options, sentence in REFUSED:
        answer = await look(ada, **options)
        assert sentence in words_of(answer).replace("\\", ""), options
    assert studio.easel.desk.dispatcher.queue() == ()
    assert await studio.easel.desk.db.pictures.hashes() == frozenset()


async def test_without_any_controlnet(quick: Studio, ada: Person) -> None:
    """The sentence says where they go and which page tells more."""
    answer = words_of(await look(ada)).replace("\\", "")
    assert "the operator puts one into models/ControlNet" in answer
    assert "docs/control.md" in answer


async def test_what_went_meanwhile_is_said(studio: Studio, painter: FakeBackend, ada: Person, ben: Person) -> None:
    """A ControlNet, a picture and a model that were there when the card was shown."""
    card = await look(ada)
    whole = painter.inventory
    painter.inventory = msgspec.structs.replace(whole, controls=whole.controls[1:])
    await studio.easel.desk.found_more(again_after=0)
    gone = await (await ada.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
    assert "no ControlNet called “tiny_canny”" in words_of(gone).replace("\\", "")
    painter.inventory = msgspec.structs.replace(whole, checkpoints=())
    await studio.easel.desk.found_more(again_after=0)
    gone = await (await ada.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
    assert "no model to paint with" in words_of(gone)
    painter.inventory = whole
    await studio.easel.desk.found_more(again_after=0)
    own = await paint(ada, count=1)
    steered = await used(ben, own, "Use as control")
    (image,) = await studio.easel.desk.db.images.of_message(int(own["id"]))
    await studio.easel.desk.db.images.remove(image.id)
    form = await ben.click(steered, button_of(steered, Action.CONTROL_PAINT))
    refusal = await (await ben.submit(form, {"prompt": "a boat"})).answered()
    assert "That picture is gone" in words_of(refusal)
    shown = await ben.click(steered, button_of(steered, Action.CONTROL_CHANGE))
    card = await sent(ben, steered, shown, {"span": "0.5"})
    assert "That picture is gone" in words_of(card)
    paint_id = button_of(card, Action.CONTROL_PAINT)
    assert next(part for part in parts_of(card) if part.get("custom_id") == paint_id)["disabled"]


class Queueing(HeldGate):
    """Holds what waits in the queue; a map, which has no place there, goes through."""

    async def passed(self, point: Point) -> None:
        """Stand, where it is a job."""
        if point.job > 0:
            await super().passed(point)


async def test_the_queue_is_full(discord_here: None, loopback: Loopback, tmp_path: Path, ada: Person) -> None:
    """A map waits for no queue, a picture does: what is over the limit is said, and the card stays."""
    gate = Queueing()
    limits = LimitSettings(jobs_per_person=1)
    painter = FakeBackend(inventory=SHELF, gate=gate)
    async with studio_at(settings_in(tmp_path, limits=limits), token=loopback.token, painter=painter) as studio:
        card = await look(ada)
        await (await ada.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
        full = await (await ada.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
        assert "one job waiting or being painted" in words_of(full)
        again = await look(ada)
        assert len(pictures_of(again)) == 1
        assert len(studio.easel.desk.dispatcher.queue()) == 1
        gate.open()
