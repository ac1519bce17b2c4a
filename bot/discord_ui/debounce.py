"""What somebody did a moment ago, so that doing it twice in a hurry counts once.

Owns a memory of seconds, nothing else. Pure: the time is passed in.
"""

from collections.abc import Hashable
from typing import Final

PAUSE: Final = 5.0
"""Seconds within which the same is taken for the same."""


class Recent:
    """Remembers for `PAUSE` seconds; forgets by itself, so it never holds more than those seconds brought."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, float] = {}

    def again(self, what: Hashable, *, now: float) -> bool:
        """Whether `what` was seen within the last `PAUSE` seconds; it is remembered from now on if not."""
        self._seen = {key: when for key, when in self._seen.items() if 0 <= now - when < PAUSE}
        if what in self._seen:
            return True
        self._seen[what] = now
        return False
