"""What the memory costs: a page of a gallery of 100,000 pictures, fifty people who ask at once, pictures kept, forgetting.

Run: python -m benchmarks.storage [--pictures 100000] [--folder FOLDER]

Prints medians and 99th percentiles of one run on the disk that holds `--folder` (the system's temporary folder if none is given).
"""

import argparse
import asyncio
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from inference.api.result import ImageResult
from storage.database import FILE, Database
from storage.gallery_values import Query
from storage.values import Address, Job

PERSON = 7
REQUEST = GenerationRequest(
    prompt=Prompt("a lighthouse above a stormy sea, oil on canvas, golden hour " * 4),
    canvas=Canvas(512, 512),
    seeds=Seeds(1),
    model=ModelRef("painter", "0123456789"),
)
INFOTEXT = REQUEST.prompt.positive + "\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512"


def say(name: str, seconds: Sequence[float], note: str = "") -> None:
    """One line: median and 99th percentile in milliseconds."""
    worst = quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]
    print(f"{name:<44} median {median(seconds) * 1000:8.2f} ms   p99 {worst * 1000:8.2f} ms   {note}")


async def timed(act: Callable[[], Awaitable[object]]) -> float:
    """Seconds that `act` takes."""
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


async def ask(database: Database, person: int) -> Job:
    """One job of `person`."""
    return await database.jobs.add(
        address=Address(channel=1, guild=1, person=person, interaction_token="t" * 200),
        request=REQUEST,
        kind="imagine",
        prompt=REQUEST.prompt.positive,
        parent=None,
        cost=1.0,
        now=1.0,
    )


async def paint(database: Database, person: int, *, count: int, size: int) -> tuple[int, float]:
    """A job of `count` pictures of `size` bytes each: its id, and the seconds that `render` took."""
    job = await ask(database, person)
    await database.jobs.start(job.id)
    images = [ImageResult(os.urandom(size), 512, 512, seed, INFOTEXT) for seed in range(count)]
    began = time.perf_counter()
    await database.jobs.render(
        job.id, images=images, requests=[REQUEST] * count, models=["painter"] * count, seconds=2.0, rows=40, now=2.0
    )
    return job.id, time.perf_counter() - began


def multiply(path: Path, pictures: int) -> None:
    """Copy the first picture's row (and its job) until there are `pictures`; every eighth is starred."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, first, last in (("jobs", 2, pictures // 4), ("images", 5, pictures)):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(
                {"id": "n.n", "job": "(n.n + 3) / 4", "index": "n.n % 4"}.get(name, f'"{name}"') for name in names
            )
            connection.execute(
                f"WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last}) "  # noqa: S608
                f"INSERT INTO {table} SELECT {values} FROM {table}, n WHERE {table}.id = 1"
            )
        connection.execute(f"INSERT INTO favourites SELECT {PERSON}, id, 1.0 FROM images WHERE id % 8 = 0")  # noqa: S608


async def measure(folder: Path, pictures: int) -> None:
    """Fill a database and print what each thing costs."""
    print(f"{pictures:,} pictures, SQLite {sqlite3.sqlite_version}")
    database = await Database.open(folder)
    job, _ = await paint(database, PERSON, count=1, size=10_000)
    await database.jobs.deliver(job, message=job, channel=1, now=3.0)
    await database.close()
    multiply(folder / FILE, pictures)
    began = time.perf_counter()
    database = await Database.open(folder)
    size = (folder / FILE).stat().st_size / 2**20
    say("open", [time.perf_counter() - began], f"{size:.0f} MiB")
    try:
        await pages(database, pictures)
        await writes(database)
        say("forget a person with all of it", [await timed(lambda: database.people.forget(PERSON))])
    finally:
        await database.close()


async def pages(database: Database, pictures: int) -> None:
    """Gallery pages of nine, with how many there are."""
    generator = random.Random(1)
    await database.gallery.page(PERSON, Query())
    say("first page", [await timed(lambda: database.gallery.page(PERSON, Query())) for _ in range(200)])
    offsets = [generator.randrange(pictures - 9) for _ in range(200)]
    say("page anywhere", [await timed(lambda o=o: database.gallery.page(PERSON, Query(), offset=o)) for o in offsets])
    last = pictures - 9
    say("last page", [await timed(lambda: database.gallery.page(PERSON, Query(), offset=last)) for _ in range(200)])
    starred = [o // 8 for o in offsets]
    say(
        "starred page anywhere",
        [await timed(lambda o=o: database.gallery.page(PERSON, Query(starred=True), offset=o)) for o in starred],
    )
    say("usage", [await timed(lambda: database.people.usage(PERSON, since=0.0)) for _ in range(20)])


async def writes(database: Database) -> None:
    """Jobs taken and pictures kept, each on the disk when it returns."""
    alone = [await timed(lambda p=p: ask(database, p)) for p in range(100, 200)]
    say("a job alone", alone)
    crowd: list[float] = []
    for _ in range(10):
        crowd += await asyncio.gather(*(timed(lambda p=p: ask(database, p)) for p in range(100, 150)))
    say("a job among fifty at once", crowd)
    say("keep four pictures of 400 kB", [(await paint(database, 99, count=4, size=400_000))[1] for _ in range(30)])
    found = (await database.gallery.page(99, Query(), limit=100)).images
    say("a picture's bytes", [await timed(lambda i=image.id: database.images.data(i)) for image in found])
    say("delete a picture", [await timed(lambda i=image.id: database.images.remove(i)) for image in found[:50]])
    say("unfinished jobs at a start (700)", [await timed(database.jobs.unfinished) for _ in range(5)])


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(Path(folder), arguments.pictures))


if __name__ == "__main__":
    main()
