"""How much of the machine each job had, while several ran side by side.

A job that ran among three others for a second had a quarter of a second. Owns the arithmetic; the time is passed in.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Meter(Generic[T]):
    """Shares of one machine's time, in seconds. `now` may be any clock that does not run backwards."""

    def __init__(self) -> None:
        self._share = 0.0
        self._last = 0.0
        self._begun: dict[T, float] = {}

    def begin(self, job: T, *, now: float) -> None:
        """`job` uses the machine from `now` on."""
        self._advance(now)
        self._begun[job] = self._share

    def end(self, job: T, *, now: float) -> float:
        """`job` is over; the seconds of the machine that were its own. 0 for one that never began."""
        self._advance(now)
        begun = self._begun.pop(job, self._share)
        return self._share - begun

    def _advance(self, now: float) -> None:
        if self._begun:
            self._share += max(0.0, now - self._last) / len(self._begun)
        self._last = now
