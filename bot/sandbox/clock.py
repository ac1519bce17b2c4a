"""Time, from outside: the system's, or one that a test moves by hand.

Owns "now" and "call me in so many seconds". Deadlines of interactions, snowflakes, signed URLs and rate limits read it;
nothing else in the sandbox looks at a clock.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
"""The first second of Discord's snowflakes."""


class Alarm(Protocol):
    """Something that will be called later, unless it is cancelled."""

    def cancel(self) -> None:
        """Forget it; harmless when it has already been called."""
        ...


class Clock(Protocol):
    """What the world needs of time."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` once, `seconds` from now."""
        ...


class SystemClock:
    """The machine's own time and the running event loop's timers."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` from the running event loop."""
        return asyncio.get_running_loop().call_later(seconds, callback)


class _HandAlarm:
    """One entry of a ShiftedClock."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback; its entry falls due without effect."""
        self.callback = None


class SnowflakeMint:
    """Ids as Discord makes them: milliseconds since 2015 above 22 bits, each greater than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def __call__(self) -> str:
        """The next id."""
        milliseconds = (self._clock.now() - EPOCH) // timedelta(milliseconds=1)
        self._last = max(milliseconds << 22, self._last + 1)
        return str(self._last)

    def keep_above(self, snowflake: str) -> None:
        """Never hand out `snowflake` or anything below it (ids that were loaded from a file)."""
        self._last = max(self._last, int(snowflake))


def snowflake_time(snowflake: str) -> datetime:
    """When an id was made."""
    return EPOCH + timedelta(milliseconds=int(snowflake) >> 22)


class ShiftedClock:
    """The system's time, with a hand on it: it runs, and `advance` makes it jump, calling what falls due on the way.

    For a sandbox whose sockets live in real time, while a test does not wait fifteen minutes.
    """

    def __init__(self) -> None:
        self._shift = timedelta()
        self._alarms: dict[_HandAlarm, tuple[datetime, asyncio.TimerHandle]] = {}

    def now(self) -> datetime:
        """The system's time and all jumps."""
        return datetime.now(UTC) + self._shift

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` from the running event loop, or from the `advance` that passes its moment."""
        alarm = _HandAlarm(callback)
        timer = asyncio.get_running_loop().call_later(seconds, self._ring, alarm)
        self._alarms[alarm] = (self.now() + timedelta(seconds=seconds), timer)
        return alarm

    def advance(self, seconds: float) -> None:
        """Jump ahead."""
        self._shift += timedelta(seconds=seconds)
        due = sorted(
            (moment, n, alarm) for n, (alarm, (moment, _)) in enumerate(self._alarms.items()) if moment <= self.now()
        )
        for _, _, alarm in due:
            self._ring(alarm)

    def _ring(self, alarm: _HandAlarm) -> None:
        _, timer = self._alarms.pop(alarm, (None, None))
        if timer is not None:
            timer.cancel()
            if alarm.callback is not None:
                alarm.callback()
