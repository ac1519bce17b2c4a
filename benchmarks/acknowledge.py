"""How long 50 people who ask at once wait for the bot's first answer, while the real worker paints for somebody else.

Run: python -m benchmarks.acknowledge [ROUNDS]. Real discord.py client, real database, real worker with the default model; the
loopback Discord and all the people live in the same process and event loop, so their share of the time is counted as the
bot's. Prints p50, p99 and the slowest, of all rounds together; the goal is a p99 under 200 ms.
"""

import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bot.app import sandbox
from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from bot.settings import GenerationSettings, LimitSettings, PathSettings, SandboxSettings, Settings
from inference.client.clock import SystemClock
from inference.client.local import LocalBackend
from tests.e2e.easel import Studio, studio_at

PEOPLE = 50
CHANNEL = "crowd"
PATIENCE = 240.0


def settle(loopback: Loopback) -> list[Person]:
    """A server with a crowd in it, who do not look at each other's screens: that would be the loopback's work, not the bot's."""
    world = loopback.world
    users = [world.add_user(f"Guest {number:02}") for number in range(PEOPLE)]
    guild = world.add_guild("Crowd", owner_id=users[0].id, member_ids=[user.id for user in users[1:]])
    world.add_channel(guild.id, CHANNEL)
    crowd = [loopback.person(user.id) for user in users]
    for person in crowd:
        person.leave()
    return crowd


async def paint_long(studio: Studio, person: Person) -> None:
    """Have the worker paint something that lasts, and return once it is at it."""
    await (await person.slash("imagine", "#paint", prompt="a city at night", count=4, steps=60)).answered(timeout=60)
    queue = studio.easel.desk.dispatcher.queue
    async with asyncio.timeout(PATIENCE):
        while not any(standing.done for standing in queue()):  # noqa: ASYNC110 - a benchmark may look now and then
            await asyncio.sleep(0.05)


async def ask(person: Person) -> float:
    """Seconds from the command to the bot's first answer."""
    began = time.perf_counter()
    exchange = await person.slash("imagine", f"#{CHANNEL}", prompt="a red apple", count=1, steps=4)
    spent = time.perf_counter() - began
    assert exchange.state in {"deferred", "answered"}, exchange.error
    return spent


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


async def measure(folder: Path, rounds: int) -> tuple[list[float], float]:
    """All answers' seconds, and the processor's seconds that this process spent on one."""
    settings = Settings(
        paths=PathSettings(data=folder),
        generation=GenerationSettings(count=1),
        limits=LimitSettings(jobs_per_person=100, jobs_per_guild=10_000),
        sandbox=SandboxSettings(open_browser=False),
    )
    waits: list[float] = []
    spent = 0.0
    async with sandbox(settings) as loopback:
        crowd = settle(loopback)
        painter, clock = LocalBackend(settings.engine()), SystemClock()
        async with studio_at(settings, token=loopback.token, painter=painter, clock=clock) as studio:
            await asyncio.wait_for(studio.easel.desk.warm.wait(), PATIENCE)
            for _ in range(rounds):
                await paint_long(studio, loopback.person("Ada"))
                began = time.process_time()
                waits += await asyncio.gather(*(ask(person) for person in crowd))
                spent += time.process_time() - began
                assert studio.easel.desk.dispatcher.queue(), "the worker had nothing left to paint"
    return waits, spent / len(waits)


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        waits, spent = asyncio.run(measure(Path(folder), rounds))
    print(f"{PEOPLE} people at once, {rounds} times, while the worker paints: /imagine to acknowledgement")
    print(f"  p50 {percentile(waits, 0.5) * 1000:7.1f} ms")
    print(f"  p99 {percentile(waits, 0.99) * 1000:7.1f} ms (goal: under 200)")
    print(f"  max {max(waits) * 1000:7.1f} ms")
    print(f"  {spent * 1000:.1f} ms of processor time for one /imagine, bot and loopback together")


if __name__ == "__main__":
    main()
