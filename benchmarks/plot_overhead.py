"""What a plot costs beyond its pictures: cells of a series against the same pictures as plain jobs, side by side in one run.

`python -m benchmarks.plot_overhead [CELLS] [STEPS] [ROUNDS]` starts one studio in the loopback Discord with the painter and
models of `config.toml`, and paints CELLS pictures (100 unless given) of one person by turns: as plain jobs, all handed to the
queue at once, and as a plot, from the yes to its grid in the channel, its card edited every five seconds all the while. A
plain job's time ends when its picture is stored: what it costs to show one by one is not counted against the plot. Prints the
seconds of each round and the medians of their proportion, to the last stored picture and to the posted grid; judges nothing.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bot.app import point_discord_at
from bot.discord_ui.actions import Action, read_ticket
from bot.discord_ui.wishes import wish_for
from bot.jobs.listener import Nobody
from bot.requests.drafts import ImagineDraft
from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from bot.settings import GenerationSettings, LimitSettings, PathSettings, SandboxSettings, Settings
from bot.studio import Easel
from inference.api.request import GenerationRequest
from inference.client.clock import SystemClock
from inference.client.local import LocalBackend
from storage.values import Address, JobState
from tests.e2e.easel import button_of, studio_at

PATIENCE = 600.0
POLL = 0.02
"""Seconds between two looks into the database; another process paints meanwhile."""


async def main(cells: int = 100, steps: int = 8, rounds: int = 3) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            paths=PathSettings(data=Path(folder)),
            generation=GenerationSettings(steps=steps, count=1),
            limits=LimitSettings(jobs_per_person=100, jobs_per_guild=10_000, series_cells=1_000),
            sandbox=SandboxSettings(open_browser=False),
        )
        loopback = Loopback()
        await loopback.start()
        point_discord_at(api=loopback.urls.api, gateway=loopback.urls.gateway)
        painter, clock = LocalBackend(settings.engine()), SystemClock()
        async with studio_at(settings, token=loopback.token, painter=painter, clock=clock) as studio:
            await asyncio.wait_for(studio.easel.desk.warm.wait(), PATIENCE)
            await _compare(studio.easel, loopback.person("Ada"), cells=cells, rounds=rounds)
        await loopback.stop()


async def _compare(easel: Easel, ada: Person, *, cells: int, rounds: int) -> None:
    await _plain(easel, ada, 2, first=0)  # the checkpoint is loaded before anything counts
    stored_shares: list[float] = []
    shown_shares: list[float] = []
    for number in range(rounds):
        first = 1_000 * (number + 1)
        plain = await _plain(easel, ada, cells, first=first)
        stored, shown = await _plot(easel, ada, cells, first=first)
        stored_shares.append(stored / plain)
        shown_shares.append(shown / plain)
        print(
            f"round {number + 1}: plain {plain:.2f} s, plot {stored:.2f} s to the last picture, {shown:.2f} s to the grid"
        )
    print(
        f"median of plot / plain: {statistics.median(stored_shares):.3f} stored, {statistics.median(shown_shares):.3f} shown"
    )


async def _plain(easel: Easel, ada: Person, cells: int, *, first: int) -> float:
    """Seconds from the first job in the queue to the last stored picture. Nothing is shown."""
    desk = easel.desk
    desk.dispatcher.listener = Nobody()
    address = Address(channel=int(ada.channel("#paint")), guild=None, person=int(ada.id))
    wish = await wish_for(desk, ImagineDraft(prompt="a red apple", count=1), person=1, guild=None)
    request = wish.request
    assert isinstance(request, GenerationRequest)
    began = time.perf_counter()
    jobs: list[int] = []
    for number in range(cells):
        seeds = msgspec.structs.replace(request.seeds, seed=first + number)
        job = await desk.dispatcher.submit(
            address=address,
            request=msgspec.structs.replace(request, seeds=seeds),
            kind="imagine",
            prompt="a red apple",
        )
        jobs.append(job.id)
    while jobs:
        found = await desk.db.jobs.get(jobs[0])
        assert found is not None
        assert found.state is not JobState.FAILED, found.reason
        if found.state is JobState.RENDERED:
            jobs.pop(0)
        else:
            await asyncio.sleep(POLL)
    seconds = time.perf_counter() - began
    desk.dispatcher.listener = easel.delivery
    return seconds


async def _plot(easel: Easel, ada: Person, cells: int, *, first: int) -> tuple[float, float]:
    """Seconds from the yes to the last stored picture, and to the grid in the channel."""
    last = first + cells - 1
    asked = await ada.slash("plot", "#paint", prompt="a red apple", x_axis="Seed", x_values=f"{first}-{last}")
    question = await asked.answered(timeout=60)
    button = button_of(question, Action.SERIES_GO)
    ticket = read_ticket(button)
    assert ticket is not None
    began = time.perf_counter()
    await ada.click(question, button)
    await _all_stored(easel, ticket.id, cells)
    stored = time.perf_counter() - began
    while True:
        series = await easel.desk.db.series.get(ticket.id)
        if series is not None and series.result_message:
            return stored, time.perf_counter() - began
        await asyncio.sleep(POLL)


async def _all_stored(easel: Easel, series: int, cells: int) -> None:
    """Wait for the last picture of a series, at what the plain side pays for looking: one job at a time.

    Reading all cells fifty times a second would take a quarter of a core from the painter, and count as the plot's.
    """
    done, pending = set[int](), list[int]()
    while len(done) < cells:
        if not pending:
            found = await easel.desk.db.series.cells(series)
            pending = [cell.job for cell in found if cell.job is not None and cell.job not in done]
        job = await easel.desk.db.jobs.get(pending[0]) if pending else None
        assert job is None or job.state is not JobState.FAILED, job.reason
        if job is not None and job.state in {JobState.RENDERED, JobState.DELIVERED}:
            done.add(pending.pop(0))
        else:
            await asyncio.sleep(POLL)


if __name__ == "__main__":
    asyncio.run(main(*(int(value) for value in sys.argv[1:])))
