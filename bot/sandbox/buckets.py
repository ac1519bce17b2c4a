"""Rate limits: so many requests of a route in so many seconds, as Discord counts them and says so in headers.

Source: Discord's documentation, "Rate Limits". Its real numbers are secret and change; these are wide, so that a bot that
reads the headers is never held up, and a test can order narrow ones.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.sandbox.clock import Clock
from bot.sandbox.refusals import Json, Refusal

WIDE: Final = (200, 1.0)
"""Requests, seconds."""


class TooMany(Refusal):
    """429, with how long to wait."""

    def __init__(self, seconds: float, headers: Mapping[str, str]) -> None:
        super().__init__(429, 0, "You are being rate limited.", headers=headers)
        self.seconds = seconds

    def body(self) -> Json:
        """What is sent."""
        return {"message": self.message, "retry_after": self.seconds, "global": False}


@dataclass(slots=True)
class _Window:
    ends: datetime
    left: int


class Buckets:
    """Fixed windows by route and main parameter. `limits` names routes (`POST /channels/{c}/messages`) with other numbers."""

    def __init__(self, clock: Clock, limits: Mapping[str, tuple[int, float]] | None = None) -> None:
        self.limits = dict(limits or {})
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def take(self, route: str, parameter: str) -> dict[str, str]:
        """Count one request and return the headers that say what is left. Raises TooMany."""
        most, seconds = self.limits.get(route, WIDE)
        now = self._clock.now()
        window = self._windows.get((route, parameter))
        if window is None or window.ends <= now:
            window = self._windows[route, parameter] = _Window(now + timedelta(seconds=seconds), most)
        after = (window.ends - now).total_seconds()
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, window.left - 1)),
            "X-RateLimit-Reset": f"{window.ends.timestamp():.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        if window.left <= 0:
            raise TooMany(after, headers | {"Retry-After": f"{after:.3f}", "X-RateLimit-Scope": "user"})
        window.left -= 1
        return headers
