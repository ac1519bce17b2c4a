"""Seconds from `python -m bot` to the page, to a bot that answers, and to the first finished card; one picture, default model.

Run: python -m benchmarks.first_picture [ROUNDS]. Every round is a new process with an empty memory folder; the files are in
the system's cache from the second round on, and the medians leave the first round out where there are more.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.visit import visiting

ROUNDS = 4


async def measure() -> dict[str, float]:
    """Seconds of one start, by what was reached."""
    with tempfile.TemporaryDirectory() as folder:
        async with visiting(Path(folder)) as visitor:
            there = time.perf_counter() - visitor.began
            acknowledged, card = await visitor.imagine(prompt="a red apple on a blue background", count=1)
            first = time.perf_counter() - visitor.began
            _, second = await visitor.imagine(prompt="a green tree on a white background", count=1)
            return {
                "start to a bot that answers": there,
                "/imagine to acknowledgement": acknowledged,
                "/imagine to the first card": card,
                "start to the first card": first,
                "/imagine to the second card": second,
            }


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    runs = [asyncio.run(measure()) for _ in range(rounds)]
    kept = runs[1:] or runs
    print(f"One picture of the default model, 20 steps; medians of {len(kept)} starts")
    for name in kept[0]:
        print(f"  {name:28} {statistics.median(run[name] for run in kept):8.3f} s")


if __name__ == "__main__":
    main()
