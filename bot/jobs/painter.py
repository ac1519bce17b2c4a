"""One job with the painter: its events are taken in until the last, and the time that it had is measured.

Owns the task that reads the events; ending that task ends the painter's work. Refuses to know rows and queues.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing

from bot.jobs.failures import OURS
from bot.jobs.meter import Meter
from bot.jobs.open_job import OpenJob
from bot.jobs.pricing import Pricing
from inference.api.backend import Backend, BackendUnavailable
from inference.api.errors import FailureCode
from inference.api.wire import Failed, Finished, Started
from inference.client.clock import Clock

Ending = Finished | Failed | BackendUnavailable | None
"""How the painter ended with a job; None when it was ended from here."""


class Painter:
    """Paints on `backend`; `progressed` is called with a job's id at each event, `pricing` learns how long things take."""

    def __init__(self, backend: Backend, *, pricing: Pricing, clock: Clock, progressed: Callable[[int], None]) -> None:
        self._backend, self._pricing, self._clock, self._progressed = backend, pricing, clock, progressed
        self._meter: Meter[int] = Meter()

    async def paint(self, opened: OpenJob, sources: Mapping[str, bytes]) -> Ending:
        """Paint `opened` and return how it ended."""
        painting = opened.painting = asyncio.create_task(self._events(opened, sources), name=f"painting {opened.id}")
        ending: Ending = None
        try:
            ending = await painting
        except BackendUnavailable as error:
            ending = error
        except asyncio.CancelledError:
            if not painting.cancelled():
                painting.cancel()
                raise
        finally:
            opened.painting = None
            seconds = self._meter.end(opened.id, now=self._clock.now())
        if isinstance(ending, Finished):
            self._pricing.learn(opened.job.request, tflop=opened.tflop, seconds=seconds)
        return ending

    async def _events(self, opened: OpenJob, sources: Mapping[str, bytes]) -> Finished | Failed:
        generator = self._backend.generate(opened.id, opened.job.request, attachments=sources, lane=opened.lane)
        async with aclosing(generator) as events:
            async for event in events:
                if isinstance(event, Started):
                    self._meter.begin(opened.id, now=self._clock.now())
                opened.heard(event)
                self._progressed(opened.id)
                if isinstance(event, Finished | Failed):
                    return event
        return Failed(opened.id, FailureCode.INTERNAL, OURS)
