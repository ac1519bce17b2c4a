"""When a worker counts as dead or stuck. Pure: it is told what was heard and when.

A worker that works says so each second, and counts its forwards. Silence means that the process hangs; jobs without a new
forward for long mean that the device does. How long is long is learned: twenty of the slowest step seen, but never less
than `patience`, because a first step may have to load a model.
"""

from dataclasses import dataclass, field

from inference.api.wire import Alive, Event

SILENT_AFTER = 20.0
"""Seconds without any message."""
FIRST_WORD = 90.0
"""Seconds that a process may take to say its first word."""
PATIENCE = {"cuda": 120.0}
"""Seconds without a forward while jobs run, by kind of device; a CPU may be at one step for minutes."""
CPU_PATIENCE = 600.0


@dataclass(slots=True)
class Watch:
    """Verdicts on one worker. Times are seconds of one clock."""

    now: float
    patience: float = CPU_PATIENCE
    _heard: float = field(init=False)
    _moved: float = field(init=False)
    _spoke: bool = False
    _step: int = -1
    _busy: bool = False
    _slowest: float = 0.0

    def __post_init__(self) -> None:
        self._heard = self._moved = self.now

    def heard(self, event: Event, now: float) -> None:
        """Any message proves that the process lives; Alive also says whether it moves."""
        self._heard, self._spoke = now, True
        if not isinstance(event, Alive):
            return
        if event.step != self._step or not event.running or not self._busy:
            if self._busy and event.running:
                self._slowest = max(self._slowest, now - self._moved)
            self._step, self._moved = event.step, now
        self._busy = event.running > 0

    def verdict(self, now: float) -> str | None:
        """Why the worker must be ended, or None."""
        if now - self._heard > (SILENT_AFTER if self._spoke else FIRST_WORD):
            return f"it has said nothing for {now - self._heard:.0f} s"
        limit = max(self.patience, 20 * self._slowest)
        if self._busy and now - self._moved > limit:
            return f"it has been at one step for {now - self._moved:.0f} s"
        return None
