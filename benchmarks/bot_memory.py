"""Resident memory of the bot's process in the sandbox, at rest and after a job of four; the painter's process not counted.

Run: python -m benchmarks.bot_memory. The goal is under 120 MB. Each painter is started twice over the same folder: the first
start makes the database, and what it loads for that (Alembic) stays in memory until the process ends. In the sandbox the
process also holds the loopback Discord and its page, which a bot on Discord does not.
"""

import asyncio
import tempfile
from pathlib import Path

import psutil

from benchmarks.visit import visiting

MB = 10**6
BACKENDS = ("fake", "local")


async def measure(folder: Path, *, backend: str, start: str) -> None:
    """Print a line for this painter and this start."""
    async with visiting(folder, backend=backend) as visitor:
        process = psutil.Process(visitor.pid)
        rest = process.memory_info().rss
        await visitor.imagine(prompt="a red apple on a blue background", count=4, steps=8)
        after = process.memory_full_info()
        print(
            f"  {backend:5} {start:6} start: at rest {rest / MB:6.1f} MB, after four pictures {after.rss / MB:6.1f} MB "
            f"({after.uss / MB:.1f} MB its own), {process.num_threads()} threads"
        )


def main() -> None:
    """Measure and print."""
    print("The bot's process (goal: under 120 MB resident)")
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            for start in ("first", "second"):
                asyncio.run(measure(Path(folder), backend=backend, start=start))


if __name__ == "__main__":
    main()
