"""A shelf with ControlNets, and what somebody does on the card of controls: for the tests of /control and of the ways to it."""

from typing import Any

import msgspec

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Exchange, Json, Person
from inference.api.request import GenerationRequest
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY
from tests.e2e.easel import (
    Studio,
    button_of,
    parts_of,
    result_in,
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


async def look(person: Person, channel: str = "#paint", /, **options: Any) -> Json:
    """The answer to /control; only the person sees it."""
    given = {"picture": ("photo.png", picture(SIZE)), "prompt": "a boat"} | options
    answer = await (await person.slash("control", channel, **given)).answered()
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
