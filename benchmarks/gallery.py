"""What looking for pictures costs: 100,000 of them, of 1,000 people, in a real SQLite file.

    python -m benchmarks.gallery [--pictures 100000] [--people 1000] [--folder DIR]

A tenth of the pictures is the first person's, the rest are spread evenly. Each figure is the time of one page of nine with its
count, through all of storage. Warm: as people ask one after another. Cold: the file's pages are dropped from the system's cache
(posix_fadvise) and each question has a new connection; the disk is whatever the folder lies on.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from storage.database import FILE, Database
from storage.gallery_values import Order, Query
from storage.rows import to_json
from storage.words import kept_words, words_in

COMMON = ("masterpiece", "best quality", "highly detailed", "a portrait of", "soft light", "8k", "sharp focus")
MODELS = ("v1-5-pruned-emaonly", "sd_xl_base_1.0", "dreamlike", "ink-and-water")
LORAS = ("ink", "fur", "neon", "paper-cut", "oldphoto")
PROMPTS = 20_000
"""Different prompts; making more takes longer than asking."""
COLD = 60
"""Cold questions of each kind."""


def say(what: str, costs: list[tuple[float, float]]) -> None:
    """One line of figures."""
    parts = ""
    for name, seconds in (
        ("took", sorted(each[0] for each in costs)),
        ("processor", sorted(each[1] for each in costs)),
    ):
        tail = seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
        parts += f"  {name}: median {statistics.median(seconds) * 1e3:6.2f} p99 {tail * 1e3:7.2f} ms"
    print(f"{what:48s}{parts}  n {len(costs)}", flush=True)


async def timed(act: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Seconds that `act` takes: by the clock, and of this process's processors, which a busy machine does not change."""
    began, spent = time.perf_counter(), time.process_time()
    await act()
    return time.perf_counter() - began, time.process_time() - spent


def vocabulary(generator: random.Random) -> list[str]:
    """Twenty thousand words, the first of which are used most."""
    letters = "aabcdeefghiijklmnoopqrstuuvwxyz"
    return ["".join(generator.choices(letters, k=generator.randint(3, 9))) for _ in range(20_000)]


def prompt_of(generator: random.Random, words: list[str]) -> str:
    """Some forty words, as people write them: a few that everybody uses, and many that few do (Zipf)."""
    rare = (words[min(int(generator.paretovariate(0.7)), len(words) - 1)] for _ in range(30))
    tag = f" <lora:{generator.choice(LORAS)}:0.8>" if generator.random() < 0.3 else ""
    return ", ".join((*generator.sample(COMMON, 4), *rare)) + tag


def fill(path: Path, *, pictures: int, people: int) -> None:
    """Rows as Easel writes them, written at once; the index keeps itself."""
    generator = random.Random(1)
    words = vocabulary(generator)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        prompts = [prompt_of(generator, words) for _ in range(PROMPTS)]
        for number in range(1, pictures + 1):
            person = 1000 if number % 10 == 0 else 1000 + number % people
            prompt, model = generator.choice(prompts), generator.choice(MODELS)
            request = GenerationRequest(
                prompt=Prompt(prompt), canvas=Canvas(512, 512), seeds=Seeds(number), model=ModelRef(model)
            )
            _insert(connection, number, person=person, prompt=prompt, model=model, request=to_json(request))
            if number % 8 == 0:
                starring = 1000 + generator.randrange(people)
                connection.execute("INSERT OR IGNORE INTO favourites VALUES (?, ?, 1.0)", (starring, number))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(connection: sqlite3.Connection, number: int, *, person: int, prompt: str, model: str, request: str) -> None:
    """A job and its picture."""
    connection.execute(
        "INSERT INTO jobs (id, state, told, created, person, guild, channel, private, interaction_token, application, "
        "token_until, card_message, kind, prompt, request, attempts, cost, reason, notes, seconds, rows, pictures) "
        "VALUES (?, 'delivered', 1, ?, ?, 1, 1, 0, '', 0, 0, 0, 'imagine', ?, ?, 1, 1, '', '[]', 1, 1, 1)",
        (number, float(number), person, prompt, request),
    )
    painted = kept_words(words_in(prompt.partition("<")[0]))
    connection.execute(
        'INSERT INTO images (id, job, "index", person, guild, channel, sha256, width, height, seed, infotext, request, prompt, '
        "model, kind, created, message, message_channel, bytes, words) "
        "VALUES (?, ?, 0, ?, 1, 1, ?, 512, 512, ?, ?, ?, ?, ?, 'imagine', ?, ?, 1, 400000, ?)",
        (number, number, person, f"{number:064x}", number, prompt + "\nSteps: 20, Sampler: Euler, CFG scale: 7, " * 3,
         request, prompt, model, float(number), number, painted),
    )  # fmt: skip
    names = [("model", model)] + [("lora", name) for name in LORAS if f"<lora:{name}:" in prompt]
    for kind, name in names:
        connection.execute("INSERT INTO labels VALUES (?, ?, ?, ?, ?)", (person, kind, name.casefold(), number, name))


def questions(generator: random.Random, words: list[str], people: int) -> dict[str, Callable[[], tuple[int, Query]]]:
    """Kinds of questions, each a new person and new words."""

    def person() -> int:
        return 1000 + generator.randrange(people)

    def word() -> str:
        return generator.choice(words[:300])

    def query(**asked: object) -> Callable[[], tuple[int, Query]]:
        return lambda: (person(), Query(**{name: ask() if callable(ask) else ask for name, ask in asked.items()}))  # type: ignore[arg-type]

    return {
        "a word": query(words=word),
        "a beginning of two letters": query(words=lambda: word()[:2]),
        "three words, one in every prompt": query(words=lambda: f"masterpiece {word()} {word()[:3]}"),
        "words, model, LoRA and a month": query(
            words="portrait", model=MODELS[0], lora=LORAS[0], since=1000.0, until=90_000.0
        ),
        "a word among stars": query(words=word, starred=True),
        "a word, most starred first": query(words=word, order=Order.STARS),
        "all, oldest first": query(order=Order.OLDEST),
    }


async def measure(folder: Path, *, pictures: int, people: int) -> None:
    """Fill a database and print what each question costs."""
    print(f"{pictures:,} pictures of {people:,} people, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} processors")
    await (await Database.open(folder)).close()
    began = time.perf_counter()
    fill(folder / FILE, pictures=pictures, people=people)
    size = (folder / FILE).stat().st_size / 2**20
    print(f"filled in {time.perf_counter() - began:.0f} s, {size:.0f} MiB")
    say("opened", [await timed(lambda: _reopen(folder))])
    generator = random.Random(2)
    asked = questions(generator, vocabulary(random.Random(1)), people)
    database = await Database.open(folder)
    for what, ask in asked.items():
        say(f"warm: {what}", [await _ask(database, *ask()) for _ in range(400)])
    for what in ("a word", "a beginning of two letters", "a word, most starred first"):
        query = [asked[what]()[1] for _ in range(100)]
        say(f"warm, the one with {pictures // 10:,}: {what}", [await _ask(database, 1000, each) for each in query])
    names = [await timed(lambda p=p: database.gallery.names(p, "lora", Query())) for p in range(1000, 1000 + 200)]
    say("warm: names of LoRAs, for completing", names)
    for what, ask in asked.items():
        say(f"cold: {what}", [await _cold(database, folder, *ask()) for _ in range(COLD)])
    await database.close()


async def _reopen(folder: Path) -> None:
    await (await Database.open(folder)).close()


async def _ask(database: Database, person: int, query: Query) -> tuple[float, float]:
    return await timed(lambda: database.gallery.page(person, query))


def _drop_pages(folder: Path) -> None:
    for path in folder.glob(f"{FILE}*"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def _cold(database: Database, folder: Path, person: int, query: Query) -> tuple[float, float]:
    """One question by a connection of its own, to a file of which nothing is in memory."""
    await database._connections._reader.dispose()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    _drop_pages(folder)
    return await _ask(database, person, query)


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(Path(folder), pictures=arguments.pictures, people=arguments.people))


if __name__ == "__main__":
    main()
