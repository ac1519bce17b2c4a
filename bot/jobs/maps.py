"""Maps that people look at before they paint: made past the queue, a person's one after the other.

A map costs less than a step of a picture, and who waits for it has a card open before them; the painter's loop shares fairly
all the same, by lane. Owns how many somebody may wait for. Nothing is written down: what is lost in a restart is made again.
"""

from collections import Counter
from contextlib import aclosing
from typing import Final

from bot.errors import LimitReached, RequestRefused
from bot.jobs.failures import OURS, sentence_of
from inference.api.backend import Backend
from inference.api.control import PreprocessRequest
from inference.api.errors import FailureCode
from inference.api.wire import Failed, Finished

WAITING: Final = 3
"""Maps that one person may wait for at once."""
_DIED: Final = "The painter broke down while it made the map, and is up again in a moment; try again."


class MapMaker:
    """Makes maps on `backend`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._waiting: Counter[int] = Counter()
        self._number = 0

    async def make(self, request: PreprocessRequest, *, picture: bytes, person: int, guild: int | None) -> bytes:
        """The map as a PNG. Raises RequestRefused, LimitReached, and BackendUnavailable where there is no painter."""
        if self._waiting[person] >= WAITING:
            raise LimitReached(f"{WAITING} of your maps are being made; wait for one of them.")
        self._waiting[person] += 1
        try:
            return await self._made(request, picture, lane=f"{guild or 0}:{person}")
        finally:
            self._waiting[person] -= 1
            if not self._waiting[person]:
                del self._waiting[person]

    async def _made(self, request: PreprocessRequest, picture: bytes, *, lane: str) -> bytes:
        self._number -= 1  # below zero: no job of the queue has that number
        attached = {request.picture: picture}
        generator = self._backend.generate(self._number, request, attachments=attached, lane=lane)
        async with aclosing(generator) as events:
            async for event in events:
                match event:
                    case Finished(images=(first, *_)):
                        return first.data
                    case Failed():
                        raise RequestRefused(_DIED if event.code is FailureCode.WORKER_DIED else sentence_of(event))
                    case _:
                        pass
        raise RequestRefused(OURS)
