"""Where the fake painter stops before each thing it does: a way to hold a job in any state, or to let it run.

Owns the waiting; refuses to know what is painted.
"""

import asyncio
from typing import NamedTuple, Protocol


class Point(NamedTuple):
    """Where a job stands: `stage` is queued, painting, decoding or finishing; `done` counts model calls that are over."""

    job: int
    stage: str
    done: int


class Gate(Protocol):
    """Something that is passed before each thing a job does."""

    async def passed(self, point: Point) -> None:
        """Return when the job may go on from `point`."""
        ...


class OpenGate:
    """Holds nobody; gives way to the event loop once, as a real painter would."""

    async def passed(self, point: Point) -> None:  # noqa: ARG002 - everybody passes, wherever they stand
        """Return at the next turn of the event loop."""
        await asyncio.sleep(0)


class HeldGate:
    """Holds every job at every point until it is let through: for tests that need a job to stand still."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Point, asyncio.Future[None]]] = {}
        self._arrivals: list[asyncio.Future[None]] = []
        self._open = False

    @property
    def held(self) -> tuple[Point, ...]:
        """Points at which jobs stand now, in the order in which they came."""
        return tuple(point for point, _ in self._held.values())

    async def passed(self, point: Point) -> None:
        """Stand at `point` until `release` or `open` is called."""
        if self._open:
            await asyncio.sleep(0)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held[point.job] = point, turn
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)
        self._arrivals.clear()
        try:
            await turn
        finally:
            self._held.pop(point.job, None)

    async def reached(self, job: int, stage: str | None = None) -> Point:
        """Wait until `job` stands at the gate (in `stage`, if one is named) and say where; lets it through until then."""
        while True:
            if job in self._held:
                point, turn = self._held[job]
                if stage is None or point.stage == stage:
                    return point
                if not turn.done():
                    turn.set_result(None)
            arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._arrivals.append(arrival)
            await arrival

    def release(self, job: int) -> None:
        """Let `job` do one thing more. A job that does not stand at the gate is left alone."""
        if job in self._held:
            _, turn = self._held[job]
            if not turn.done():
                turn.set_result(None)

    def open(self) -> None:
        """Hold nobody from now on."""
        self._open = True
        for _, turn in self._held.values():
            if not turn.done():
                turn.set_result(None)
