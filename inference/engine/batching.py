"""Which of the waiting pieces of work run together next: alike, within a limit, and fairly among lanes.

Pure: knows costs and keys, not tensors.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """Work that one picture waits for: `rows` of the batch called `key`, asked by `job` of `lane`."""

    key: Hashable
    rows: int
    job: int
    lane: str
    work: T


@dataclass(slots=True)
class Ledger:
    """What lanes and jobs have had so far, in latent pixels times rows. The one that had least goes first.

    A lane that comes back begins where the one served last stands: neither behind for what it had before, nor ahead.
    """

    lanes: dict[str, float] = field(default_factory=dict[str, float])
    jobs: dict[int, float] = field(default_factory=dict[int, float])
    _now: float = 0.0

    def join(self, job: int, lane: str) -> None:
        """A job begins to wait."""
        self.lanes[lane] = max(self.lanes.get(lane, 0.0), self._now)
        self.jobs[job] = 0.0

    def leave(self, job: int, *, lane: str, last: bool) -> None:
        """A job is over; `last` says that its lane has no other."""
        self.jobs.pop(job, None)
        if last:
            self.lanes.pop(lane, None)

    def spend(self, job: int, *, lane: str, cost: float) -> None:
        """A job had `cost`."""
        self._now = max(self._now, min(self.lanes.values(), default=0.0))
        self.lanes[lane] = self.lanes.get(lane, 0.0) + cost
        self.jobs[job] = self.jobs.get(job, 0.0) + cost


def choose(candidates: Sequence[Candidate[T]], *, ledger: Ledger, limit: int) -> list[Candidate[T]]:
    """The lane that had least decides what kind runs; work of the same key fills the batch up to `limit` rows.

    `candidates` are in order of arrival, which breaks ties. The first is taken even where it alone is over the limit.
    """
    order = sorted(candidates, key=lambda c: (ledger.lanes.get(c.lane, 0.0), ledger.jobs.get(c.job, 0.0)))
    if not order:
        return []
    chosen, room = [order[0]], limit - order[0].rows
    for candidate in order[1:]:
        if candidate.key == order[0].key and candidate.rows <= room:
            chosen.append(candidate)
            room -= candidate.rows
    return chosen
