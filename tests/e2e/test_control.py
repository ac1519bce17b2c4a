"""/control with the real client and real SQLite: the map is looked at before anything is painted, and steers what is."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Exchange, Json, Person
from bot.sandbox.server import Loopback
from inference.api.request import GenerationRequest
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from tests.e2e.easel import (
    Studio,
    button_of,
    bytes_at,
    parts_of,
    pictures_of,
    result_in,
    settings_in,
    studio_at,
    words_of,
)
from tests.e2e.test_forms import request_of
from tests.e2e.test_menus import picture

SIZE = (128, 96)


def control(name: str, family: str = "sd1", **more: object) -> ModelFile:
    """A ControlNet on the shelf."""
    file = ModelFile(name, f"models/ControlNet/{name}.safetensors", "c" * 10, family)
    return msgspec.structs.replace(file, **more)


SHELF: Inventory = msgspec.structs.replace(
    FAKE_INVENTORY,
    checkpoints=(
        *FAKE_INVENTORY.checkpoints,
        ModelFile("grand", "models/Stable-diffusion/grand.safetensors", "abcdef0123", "sdxl", native=128),
    ),
    controls=(
        control("tiny_canny"),
        control("tiny_scribble"),
        control("tiny_tile"),
        control("grand_canny", "sdxl"),
    ),
)
"""ControlNets of two families."""


@pytest.fixture
def painter() -> FakeBackend:
    """A painter with ControlNets on its shelf."""
    return FakeBackend(inventory=SHELF)


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path, painter: FakeBackend) -> AsyncIterator[Studio]:
    """A studio whose painter is done at once."""
    async with studio_at(settings_in(tmp_path, count=2), token=loopback.token, painter=painter) as running:
        yield running


async def look(person: Person, where: str = "#paint", **options: Any) -> Json:
    """The answer to /control; only the person sees it."""
    given = {"picture": ("photo.png", picture(SIZE)), "prompt": "a boat"} | options
    answer = await (await person.slash("control", where, **given)).answered()
    assert answer["flags"] & 64
    return answer


async def after(person: Person, message: Json, exchange: Exchange) -> Json:
    """The card as it is once it is another one, or the message that says why it is not."""
    if exchange.interaction.response_id and exchange.interaction.response_id != message["id"]:
        return await exchange.answered()

    def other() -> Json | None:
        now = person.message(message)
        newer = person.messages(message["channel_id"])[-1]
        if newer["id"] != message["id"] and int(newer["id"]) > int(exchange.id):
            return newer
        return now if now is not None and now["components"] != message["components"] else None

    return await person.until(other)


async def press(person: Person, message: Json, action: Action, number: int = 0) -> Json:
    """The card after a press."""
    return await after(person, message, await person.click(message, button_of(message, action, number)))


async def sent(person: Person, message: Json, form: Exchange, values: dict[str, Any]) -> Json:
    """The card after a form was sent that it opened."""
    return await after(person, message, await person.submit(form, values))


async def painted(
    studio: Studio, person: Person, exchange: Exchange, where: str = "#paint"
) -> tuple[Json, GenerationRequest]:
    """The card with finished pictures to which `exchange` led, and what the first of them was painted with."""
    asked = await exchange.answered()
    done = await result_in(person, where, after=asked["id"])
    await person.until(lambda: person.message(asked) is None)
    return done, await request_of(studio, done)


def alts(message: Json) -> list[str]:
    """The alt texts of the pictures that a card shows."""
    return [item["description"] for part in parts_of(message) if part["type"] == 12 for item in part["items"]]


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
