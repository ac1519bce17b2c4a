"""The ways to controls besides /control: menus, Remix, pictures painted from a controlled one, forms, and the real painter."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from inference.api.wire import EngineSettings
from inference.client.fake import FakeBackend
from inference.client.local import LocalBackend
from storage.guild_settings import GuildSettings, Rule
from tests.checkpoints import write_tiny_checkpoint
from tests.controls import tiny_controlnet, write_controlnet
from tests.e2e.easel import (
    Studio,
    button_of,
    bytes_at,
    parts_of,
    pictures_of,
    settings_in,
    studio_at,
    words_of,
)
from tests.e2e.steered import SHELF, after, alts, look, painted, sent
from tests.e2e.test_forms import fields_of
from tests.e2e.test_menus import picture, say, used


@pytest.fixture
def painter() -> FakeBackend:
    """A painter with ControlNets on its shelf."""
    return FakeBackend(inventory=SHELF)


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path, painter: FakeBackend) -> AsyncIterator[Studio]:
    """A studio whose painter is done at once."""
    async with studio_at(settings_in(tmp_path, count=2), token=loopback.token, painter=painter) as running:
        yield running


async def test_use_as_control_on_anybodys_message(studio: Studio, ada: Person, ben: Person) -> None:
    """The first picture is followed, a menu takes another; words are asked for when it is painted."""
    said = say(ada, ("a.png", picture()), ("b.png", picture((64, 96))))
    card = await used(ben, said, "Use as control")
    ada.delete(said)
    assert alts(card) == ["Map of control 1: Canny edges of a.png"]
    assert "No words yet" in words_of(card)
    menu = next(part for part in parts_of(card) if part.get("custom_id") == button_of(card, Action.CONTROL_OTHER))
    card = await after(ben, card, await ben.select(card, menu["custom_id"], [menu["options"][1]["value"]]))
    assert alts(card) == ["Map of control 1: Canny edges of b.png"]
    form = await ben.click(card, button_of(card, Action.CONTROL_PAINT))
    assert fields_of(form) == {"prompt": "", "negative": "", "worn": "", "size": ""}
    refusal = await (await ben.submit(form, {"prompt": "a lighthouse", "size": "huge"})).answered()
    assert "“huge” is neither a size" in words_of(refusal).replace("\\", "")
    form = await ben.click(refusal, button_of(refusal, Action.REOPEN))
    assert fields_of(form)["prompt"] == "a lighthouse"
    done, request = await painted(studio, ben, await ben.submit(form, {"size": "128x192"}))
    assert (request.prompt.positive, request.canvas.width, request.canvas.height) == ("a lighthouse", 128, 192)
    (image, *_) = await studio.easel.desk.db.images.of_message(int(done["id"]))
    assert (image.person, image.kind) == (int(ben.id), "control")
    none = await used(ben, ada.say("#paint", "only words"), "Use as control")
    assert "no picture in that message" in words_of(none)


async def test_remix_leads_to_control(studio: Studio, ada: Person) -> None:
    """Who brought a picture along to remix may follow it in place of that."""
    card = await used(ada, say(ada, ("a.png", picture())), "Remix")
    sheet = await (await ada.click(card, button_of(card, Action.CONTROL_FROM))).answered()
    assert alts(sheet) == ["Map of control 1: Canny edges of a.png"]


async def test_children_keep_the_controls(studio: Studio, ada: Person, ben: Person) -> None:
    """Again, vary, Remix and a tiled upscale follow what the picture followed; moving, which is another place, does not."""
    card = await look(ada, kind="canny", weight=0.8, count=1, seed="7")
    done, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    for action in (Action.AGAIN, Action.VARY_STRONG):
        child, steered = await painted(studio, ben, await ben.click(done, button_of(done, action)))
        assert steered.control == request.control, action
        assert alts(child)[-1] == "Map of control 1: Canny edges"
    remixed = await used(ben, done, "Remix")
    form = await ben.click(remixed, button_of(remixed, Action.REMIX))
    _, steered = await painted(studio, ben, await ben.submit(form, {"prompt": "a ship"}))
    assert steered.control == request.control
    assert steered.source is not None
    form = await ben.click(done, button_of(done, Action.UPSCALE))
    large, tiled = await painted(studio, ben, await ben.submit(form, {"method": "tiles"}))
    assert tiled.redraw is not None
    assert tiled.control == request.control
    assert alts(large)[-1] == "Map of control 1: Canny edges"
    _, moved = await painted(studio, ben, await ben.click(done, button_of(done, Action.MOVE)))
    assert moved.control == ()


async def test_the_forms_of_a_controlled_picture(studio: Studio, ada: Person) -> None:
    """✏️ keeps the controls; ⚙️ lists them, weighs them anew and takes them out; the card says what changed."""
    card = await look(ada, kind="canny", count=1, seed="7")
    done, request = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    form = await ada.click(done, button_of(done, Action.EDIT))
    child, steered = await painted(studio, ada, await ada.submit(form, {"prompt": "a ship"}))
    assert steered.control == request.control
    assert "Changed: prompt" in words_of(child)
    assert "controls" not in words_of(child)
    form = await ada.click(child, button_of(child, Action.SETTINGS))
    assert fields_of(form) == {
        "sampler": "euler_a",
        "steps": "4, 1",
        "cfg": "7",
        "controls": "1. Canny edges, tiny_canny: 1, 0-1",
        "hires": "off",
    }
    child, steered = await painted(studio, ada, await ada.submit(form, {"steps": "5, 2", "controls": "1: 0.5, 0-0.8"}))
    told = "steps 4 → 5 · clip skip 1 → 2 · controls Canny edges 1 → Canny edges 0.5 (0 to 0.8)"
    assert f"Changed: {told}" in words_of(child).replace("\\", "")
    form = await ada.click(child, button_of(child, Action.SETTINGS))
    refusal = await (await ada.submit(form, {"controls": "strong"})).answered()
    assert "is no control; write its number" in words_of(refusal).replace("\\", "")
    form = await ada.click(refusal, button_of(refusal, Action.REOPEN))
    child, bare = await painted(studio, ada, await ada.submit(form, {"controls": ""}))
    assert bare.control == ()
    assert "controls Canny edges 0.5 (0 to 0.8) → none" in words_of(child).replace("\\", "")


async def test_the_controls_of_a_picture_are_changed(studio: Studio, ada: Person, ben: Person) -> None:
    """🕹️ opens them on a card: the same noise, another weight, and the new picture is the old one's child."""
    card = await look(ada, kind="canny", count=1, seed="7")
    done, _ = await painted(studio, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    sheet = await (await ben.click(done, button_of(done, Action.CONTROL_OF))).answered()
    form = await ben.click(sheet, button_of(sheet, Action.CONTROL_CHANGE))
    sheet = await sent(ben, sheet, form, {"span": "0.2"})
    child, request = await painted(studio, ben, await ben.click(sheet, button_of(sheet, Action.CONTROL_PAINT)))
    assert (request.seeds.seed, request.control[0].weight) == (7, 0.2)
    assert "Changed: controls Canny edges 1 → Canny edges 0.2" in words_of(child).replace("\\", "")
    (image,) = await studio.easel.desk.db.images.of_message(int(child["id"]))
    assert (image.person, image.kind) == (int(ben.id), "edit")


async def test_a_server_may_switch_it_off(studio: Studio, ada: Person, ben: Person) -> None:
    """A rule for the command holds for the command, the menu and the buttons, and its block list for the words of a card."""
    desk = studio.easel.desk
    guild = studio.easel.client.guilds[0].id
    message = say(ada, ("a.png", picture()))
    card = await look(ben)
    await desk.db.guilds.set(guild, GuildSettings(refused=("boat",)))
    desk.policies.forget()
    refusal = await (await ben.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
    assert "on the list of what is not painted here" in words_of(refusal)
    assert "on the list of what is not painted here" in words_of(await look(ben))
    await desk.db.guilds.set(guild, GuildSettings(commands=(Rule(name="control", nowhere=True),)))
    desk.policies.forget()
    assert "“control” is switched off in this server" in words_of(await look(ben)).replace("\\", "")
    assert "switched off" in words_of(await used(ben, message, "Use as control"))
    refusal = await (await ben.click(card, button_of(card, Action.CONTROL_PAINT))).answered()
    assert "switched off" in words_of(refusal)
    assert desk.dispatcher.queue() == ()


@pytest.fixture
async def real(discord_here: None, loopback: Loopback, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio with the real worker: a tiny checkpoint, and a ControlNet of random weights made for it."""
    models = tmp_path / "models"
    write_tiny_checkpoint(models / "Stable-diffusion" / "tiny.safetensors")
    folder = models / "ControlNet"
    folder.mkdir(parents=True)
    write_controlnet(folder / "tiny_canny.safetensors", tiny_controlnet(), kind="whole")
    painter = LocalBackend(
        EngineSettings(roots=(str(models),), cache=str(tmp_path / "cache"), device="cpu", threads=1, preview_every=2)
    )
    async with studio_at(settings_in(tmp_path, count=1), token=loopback.token, painter=painter) as studio:
        await studio.easel.desk.warm.wait()
        yield studio


async def test_the_real_painter_follows(real: Studio, ada: Person) -> None:
    """From the command over the real preprocessor and net to the picture, its text and its map; without the control the same
    seed is another picture, and what has no network is a sentence that names its file."""
    card = await look(ada, kind="canny", seed="7")
    with Image.open(io.BytesIO(await bytes_at(pictures_of(card)[0]))) as seen:
        edges = seen.convert("L")
    assert edges.getextrema()[1] > 200
    column = [edges.getpixel((x, edges.height // 2)) for x in range(edges.width)]
    assert abs(column.index(max(column)) - edges.width // 2) <= 2, "the line between the two colours"
    done, request = await painted(real, ada, await ada.click(card, button_of(card, Action.CONTROL_PAINT)))
    (image,) = await real.easel.desk.db.images.of_message(int(done["id"]))
    assert "ControlNet 0: " in image.infotext
    assert "tiny_canny" in image.infotext
    assert alts(done)[1:] == ["Map of control 1: Canny edges"]
    told = await used(ada, done, "Image info")
    assert "ControlNet 0" in words_of(told)
    form = await ada.click(done, button_of(done, Action.SETTINGS))
    bare, alone = await painted(real, ada, await ada.submit(form, {"controls": ""}))
    assert alone == msgspec.structs.replace(request, control=())
    (other,) = await real.easel.desk.db.images.of_message(int(bare["id"]))
    assert other.seed == image.seed
    assert await real.easel.desk.db.images.data(other.id) != await real.easel.desk.db.images.data(image.id)
    form = await ada.click(done, button_of(done, Action.UPSCALE))
    large, tiled = await painted(real, ada, await ada.submit(form, {"method": "tiles", "upscaler": ["Lanczos"]}))
    assert tiled.control == request.control
    (grown,) = await real.easel.desk.db.images.of_message(int(large["id"]))
    assert tiled.redraw is not None
    assert (grown.width, grown.height) == tiled.redraw.size
    lacking = await look(ada, kind="depth_midas", model="tiny_canny")
    assert "dpt_hybrid-midas" in words_of(lacking).replace("\\", "")
    assert "models/annotators" in words_of(lacking)
    paint_id = button_of(lacking, Action.CONTROL_PAINT)
    assert next(part for part in parts_of(lacking) if part.get("custom_id") == paint_id)["disabled"]
