"""How long suggestions take with 100,000 pictures of 1,000 people in the memory, 150,000 tags, 500 wildcards and 1,000 LoRAs.

Run: python -m benchmarks.autocomplete [ROUNDS]. Every option of every command that suggests anything is typed into, over the
loopback: the real discord.py client over sockets, the real database, a painter without a model. The loopback Discord lives in
the same process, so its share is counted as the bot's. The goal is a p99 under 50 ms. Then the same 150,000 tags alone, without
Discord: the goal is under 5 ms for any prompt.
"""

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.acknowledge import percentile
from benchmarks.storage import multiply, paint
from bot.app import sandbox
from bot.completion.prompts import Shelf, completed
from bot.completion.tags import Tags
from bot.sandbox.driver import Json, Person
from bot.settings import PROJECT, PathSettings, SandboxSettings, Settings
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from storage.database import FILE, Database
from tests.e2e.easel import Studio, studio_at

PICTURES, PEOPLE, TAGS = 100_000, 1_000, 150_000
CHANNEL = "#paint"
LONG = "a portrait of somebody with a large hat in front of a lighthouse at sunset, oil painting, warm colours, soft light, "
TYPED = (
    "",
    "a",
    "lon",
    "1g",
    "a cat in the ha",
    f"{LONG}lon",
    "__a",
    "<lora:st",
    "a cat --s",
    "zzzz",
    "*ong",
    "euler",
    "x" * 300,
)
SUBCOMMAND, GROUP = 1, 2


def write_words(models: Path) -> None:
    """Lists of the size that people have: the shipped words in every combination of two, falling counts, an alias for some."""
    words = [
        line.split(",")[0].strip('"') for line in (PROJECT / "models/tags/easel.csv").read_text("utf-8").splitlines()
    ]
    chance = random.Random(1)

    def other(number: int) -> str:
        return chance.choice(words) if number % 3 == 0 else ""

    (models / "tags").mkdir(parents=True)
    rows = (
        f"{chance.choice(words)} {chance.choice(words)},0,{5_000_000 // (number + 1)},{other(number)}"
        for number in range(TAGS + TAGS // 50)
    )
    (models / "tags" / "many.csv").write_text("\n".join(rows).replace(" ", "_"), "utf-8")
    (models / "wildcards").mkdir()
    for number in range(500):
        (models / "wildcards" / f"{chance.choice(words).replace('/', ' ')}-{number}.txt").write_text("a\nb\n", "utf-8")


def shelf() -> Inventory:
    """A thousand LoRAs and a hundred embeddings."""
    loras = (
        ModelFile(f"style-{number:04}", f"/{number}", "0123456789", "sd1", triggers=("a", "b"))
        for number in range(1_000)
    )
    words = (ModelFile(f"word-{number:03}", f"/{number}", "0123456789", "sd1") for number in range(100))
    return Inventory(checkpoints=FAKE_INVENTORY.checkpoints, loras=tuple(loras), embeddings=tuple(words))


async def fill(folder: Path, person: int) -> None:
    """The pictures, spread over the people, of whom one is `person`, who keeps a hundred styles and seeds."""
    database = await Database.open(folder)
    job, _ = await paint(database, person, count=1, size=10_000)
    await database.jobs.deliver(job, message=job, channel=1, now=3.0)
    for number in range(100):
        await database.styles.save(person, f"style {number}", prompt=f"ink {number}", negative="", now=1.0)
        await database.seeds.save(person, f"seed {number}", number, now=1.0)
    await database.close()
    multiply(folder / FILE, PICTURES)
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        for table in ("jobs", "images"):
            connection.execute(f"UPDATE {table} SET person = {person} + (id % {PEOPLE})")  # noqa: S608


def suggesting(commands: list[Json]) -> Iterator[tuple[str, str]]:
    """Command and option of everything that suggests."""
    for command in commands:
        yield from _options(command, command["name"])


def _options(part: Json, name: str) -> Iterator[tuple[str, str]]:
    for option in part.get("options", ()):
        if option["type"] in {SUBCOMMAND, GROUP}:
            yield from _options(option, f"{name} {option['name']}")
        elif option.get("autocomplete"):
            yield name, option["name"]


async def type_everywhere(
    studio: Studio, person: Person, rounds: int
) -> tuple[dict[tuple[str, str], list[float]], float]:
    """Seconds of each suggestion, by command and option, and the processor's seconds for all of them."""
    options = list(suggesting(person.commands(CHANNEL)))
    await person.autocomplete("imagine", CHANNEL, "prompt", "a")
    while len(studio.easel.desk.prompts.suggest("lon", shelf(), person=1, adults=False)) < 25:  # noqa: ASYNC110 - they are read
        await asyncio.sleep(0.1)
    waits: dict[tuple[str, str], list[float]] = {option: [] for option in options}
    spent = time.process_time()
    for _ in range(rounds):
        for command, option in options:
            for typed in TYPED:
                began = time.perf_counter()
                await person.autocomplete(command, CHANNEL, option, typed)
                waits[command, option].append(time.perf_counter() - began)
    return waits, time.process_time() - spent


async def measure(folder: Path, rounds: int) -> tuple[dict[tuple[str, str], list[float]], float]:
    """Fill a memory, start a studio and type."""
    settings = Settings(
        paths=PathSettings(data=folder / "data", models=folder / "models"), sandbox=SandboxSettings(open_browser=False)
    )
    write_words(folder / "models")
    async with sandbox(settings) as loopback:
        person = loopback.person("Ada")
        await fill(folder / "data", int(person.id))
        async with studio_at(settings, token=loopback.token, painter=FakeBackend(inventory=shelf())) as studio:
            return await type_everywhere(studio, person, rounds)


def measure_tags(folder: Path) -> None:
    """The tags without Discord: how they are read, what they weigh, how long they take."""
    began = time.process_time()
    index = Tags([folder / "models" / "tags"]).look()
    spent = time.process_time() - began
    inventory = shelf()
    everything = Shelf(tags=index, loras=inventory.loras, embeddings=inventory.embeddings, flags=("seed",))
    waits: list[float] = []
    for typed in (*TYPED, *(f"a cat, {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "*zzzz"):
        for _ in range(20):
            began = time.perf_counter()
            completed(typed, everything)
            waits.append(time.perf_counter() - began)
    print(f"{len(index):,} tags: {index.size / 1e6:.1f} MB, read in {spent:.1f} s of processor time")
    print(
        f"  p50 {percentile(waits, 0.5) * 1000:6.2f} ms, p99 {percentile(waits, 0.99) * 1000:6.2f} ms (goal: under 5)"
    )


def told(seconds: list[float]) -> str:
    """Median and 99th percentile."""
    return f"p50 {percentile(seconds, 0.5) * 1000:6.2f} ms, p99 {percentile(seconds, 0.99) * 1000:6.2f} ms"


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        waits, spent = asyncio.run(measure(Path(name), rounds))
        every = [seconds for each in waits.values() for seconds in each]
        print(f"{PICTURES:,} pictures of {PEOPLE:,} people; {len(every):,} suggestions over the loopback")
        for (command, option), each in sorted(waits.items(), key=lambda item: -percentile(item[1], 0.99))[:8]:
            print(f"  /{command} {option:<10} {told(each)}")
        print(f"  all {told(every)} (goal: p99 under 50)")
        print(f"  {spent / len(every) * 1000:.1f} ms of processor time for one, bot and loopback together")
        measure_tags(Path(name))


if __name__ == "__main__":
    main()
