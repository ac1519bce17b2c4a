"""A gallery and somebody in it, for tests: pictures as if painted and posted, and pages as a person turns them."""

import io
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from PIL import Image

from bot.sandbox.driver import Json, Person
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Sampling, Seeds
from inference.api.result import ImageResult
from storage.database import Database
from storage.values import Address
from storage.values import Image as Stored
from tests.e2e.easel import parts_of, pictures_of

NOW = 1_793_880_000.0
"""2026-11-05, 12:00 UTC."""
OCTOBER = NOW - 7 * 86400
HOME = ["Recent", "Starred", "Collections", "Find", "Usage"]
MESSAGE = 9001
"""The card that shows what was painted before."""


def level(seed: int) -> int:
    """How red the picture of a seed is."""
    return 40 + 8 * seed


def request_for(seed: int, prompt: str = "an apple") -> GenerationRequest:
    """A request for one picture."""
    return GenerationRequest(
        prompt=Prompt(prompt),
        canvas=Canvas(64, 64),
        seeds=Seeds(seed),
        model=ModelRef("gradient"),
        sampling=Sampling(steps=4),
    )


def address_of(person: Person) -> Address:
    """As if asked in #paint."""
    channel = person.world.channel(person.channel("#paint"))
    return Address(channel=int(channel.id), guild=int(channel.guild_id or 0), person=int(person.id))


async def paint(
    db: Database,
    person: Person,
    count: int,
    *,
    now: float = NOW,
    prompt: str = "an apple",
    message: int = MESSAGE,
    parent: int | None = None,
    private: bool = False,
) -> tuple[Stored, ...]:
    """A job of `count` pictures, as if painted and posted in #paint; seeds from 1, each red to its own degree. Oldest first."""
    job = await db.jobs.add(
        address=msgspec.structs.replace(address_of(person), private=private),
        request=request_for(1, prompt),
        kind="imagine" if parent is None else "vary",
        prompt=prompt,
        parent=parent,
        cost=1.0,
        now=now,
    )
    await db.jobs.start(job.id)
    made = await db.jobs.render(
        job.id,
        images=[painted(seed) for seed in range(1, count + 1)],
        requests=[request_for(seed, prompt) for seed in range(1, count + 1)],
        models=["fruit/gradient"] * count,
        seconds=2.5 * count,
        rows=8 * count,
        now=now,
    )
    await db.jobs.deliver(job.id, message=message, channel=address_of(person).channel, now=now)
    return made


def painted(seed: int) -> ImageResult:
    """A picture whose red tells its seed."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (level(seed), 0, 0)).save(buffer, "PNG")
    return ImageResult(buffer.getvalue(), 64, 64, seed, "parameters")


def lose_file(folder: Path, image: Stored) -> None:
    """Take a picture's file away behind the database's back."""
    (path,) = folder.rglob(f"{image.sha256}.png")
    path.unlink()


async def reds(message: Json, *corners: tuple[int, int]) -> list[int]:
    """How red the shown picture is at each of `corners`."""
    (url,) = pictures_of(message)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        data = await answer.read()
    with Image.open(io.BytesIO(data)) as picture:
        pixels = picture.convert("RGB")
        return [_red(pixels.getpixel(corner)) for corner in corners]


def _red(pixel: Any) -> int:
    return int(pixel[0])


def menu_of(message: Json) -> Json:
    """The first menu of a page."""
    return next(part for part in parts_of(message) if part["type"] == 3)


def shelf_of(page: Json) -> dict[int, int]:
    """Which seeds stand on a page, by their numbers."""
    options = menu_of(page)["options"]
    return {int(each["label"].split(".")[0]): int(each["description"].split()[1]) for each in options}


def labels_of(message: Json) -> list[str]:
    """What stands on the buttons of a card."""
    return [part.get("label") or part["emoji"]["name"] for part in parts_of(message) if part["type"] == 2]


async def opened_home(person: Person) -> Json:
    """A home in the conversation with the bot."""
    return await (await person.slash("gallery open", person.open_dm())).answered()


async def press(person: Person, message: Json, button: str) -> Json:
    """Press, and return the same message once it has changed."""
    before = person.message(message)
    await person.click(message, button)
    return await changed(person, before)


async def choose(person: Person, message: Json, number: int) -> Json:
    """Open the picture with this number on the page, and return the same message once it has changed."""
    menu, before = menu_of(message), person.message(message)
    value = next(option["value"] for option in menu["options"] if option["label"].startswith(f"{number}. "))
    await person.select(message, menu["custom_id"], [value])
    return await changed(person, before)


async def changed(person: Person, before: Json | None) -> Json:
    """The message once it is not as it was."""
    assert before is not None

    def now() -> Json | None:
        message = person.message(before)
        return message if message is not None and message["components"] != before["components"] else None

    return await person.until(now)
