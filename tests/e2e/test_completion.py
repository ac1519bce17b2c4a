"""What is suggested while a prompt is typed, over sockets: tags, wildcards, networks and flags, and prompts that are too long."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from bot.settings import ModerationSettings
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from tests.e2e.easel import Studio, paint, studio_at, words_of
from tests.e2e.test_dynamic import settings_at

TAGS = 'long_hair,0,4000,"lh"\nlong_sleeves,0,3000,\nnipples,0,2000,\nloli,0,1000,\n'
SHELF = Inventory(
    checkpoints=FAKE_INVENTORY.checkpoints,
    loras=(ModelFile("ink", "/ink.safetensors", "0123456789", "sd1", weight=0.7, triggers=("ink drawing",)),),
    embeddings=(ModelFile("easynegative", "/easynegative.pt", "0123456789", "sd1"),),
)


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio with a list of tags, a wildcard, a LoRA and an embedding."""
    for name, text in (("tags/mine.csv", TAGS), ("wildcards/animal.txt", "cat\ndog\n")):
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    painter = FakeBackend(inventory=SHELF)
    async with studio_at(settings_at(tmp_path), token=loopback.token, painter=painter) as running:
        yield running


async def offered(person: Person, typed: str, *, option: str = "prompt", channel: str = "#paint") -> list[str]:
    """What Discord would show; a choice's name is its value, since what is shown is what is typed on from."""
    others = {} if option == "prompt" else {"prompt": "x"}
    choices = await person.autocomplete("imagine", channel, option, typed, **others)
    assert all(choice["name"] == choice["value"] for choice in choices)
    return [choice["value"] for choice in choices]


async def test_the_last_words_are_completed(studio: Studio, ada: Person) -> None:
    """From tags and aliases, wildcards, LoRAs, embeddings and flags, in prompt and negative prompt, with the rest kept."""
    assert await offered(ada, "a girl, lon") == ["a girl, lon", "a girl, long hair", "a girl, long sleeves"]
    assert (await offered(ada, "lh"))[1:] == ["long hair"]
    assert (await offered(ada, "a __an"))[1:] == ["a __animal__"]
    assert (await offered(ada, "a fox <lora:i"))[1:] == ["a fox <lora:ink:0.7> ink drawing"]
    assert (await offered(ada, "blurry, easy", option="negative"))[1:] == ["blurry, easynegative"]
    assert "a cat --seed" in await offered(ada, "a cat --s")
    assert await offered(ada, "zzzz") == []
    assert await offered(ada, "") == []


async def test_what_is_not_for_this_place_is_not_suggested(
    discord_here: None, loopback: Loopback, tmp_path: Path
) -> None:
    """Tags for adults are only where pictures for adults may be painted; tags that sexualise minors are nowhere."""
    ada = loopback.person("Ada")
    (tmp_path / "models" / "tags").mkdir(parents=True)
    (tmp_path / "models" / "tags" / "mine.csv").write_text(TAGS, "utf-8")
    settings = settings_at(tmp_path).model_copy(update={"moderation": ModerationSettings(nsfw=True)})
    async with studio_at(settings, token=loopback.token) as studio:
        desk = studio.easel.desk
        for place in ("#paint", "#after-dark"):
            assert await offered(ada, "nipp", channel=place) == []
        (guild,) = loopback.world.guilds
        own = await desk.db.guilds.settings(int(guild))
        await desk.db.guilds.set(int(guild), msgspec.structs.replace(own, nsfw="restricted"))
        desk.policies.forget()
        assert await offered(ada, "nipp", channel="#paint") == []
        assert await offered(ada, "nipp", channel="#after-dark") == ["nipp", "nipples"]
        assert await offered(ada, "lol", channel="#after-dark") == []


async def test_a_long_prompt_is_completed_and_arrives_whole(studio: Studio, ada: Person, ben: Person) -> None:
    """A choice has a hundred characters: a sign stands for the beginning, more can be typed behind it, and all is painted."""
    long = (
        "a portrait of somebody with a very large hat, in front of a lighthouse at sunset, oil painting, warm colours, "
    )
    first, chosen, _ = await offered(ada, f"{long}lon")
    assert len(chosen) <= 100
    assert chosen.startswith("⟦")
    assert chosen.endswith("long hair")
    assert first.endswith("lon")
    assert (await offered(ada, f"{chosen}, easy"))[1].endswith("long hair, easynegative")
    card = await paint(ada, prompt=f"{chosen}, fog", count=1)
    (image,) = await studio.easel.desk.db.images.of_message(int(card["id"]))
    assert image.infotext.startswith(f"{long}long hair, fog\n")
    await ben.slash("imagine", "#paint", prompt=chosen)
    told = await ben.wait_for_message("#paint", lambda message: "type or paste it once more" in words_of(message))
    assert told["flags"] & 64


@pytest.mark.parametrize(
    "typed", ["⟦00000000⟧… and", "x" * 6000, "__" * 500, "<" * 500, "a\x01b", "*", "🦊" * 60 + ", lon"]
)
async def test_anything_may_be_typed(studio: Studio, ada: Person, typed: str) -> None:
    """Suggestions are there or not, and never an error."""
    found = await offered(ada, typed)
    assert all(0 < len(choice) <= 100 for choice in found)
