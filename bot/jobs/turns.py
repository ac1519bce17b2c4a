"""Whose turn it is: start-time fair queueing among lanes that wait (Goyal, Vin and Cheng, SIGCOMM 1996).

Each lane has a start tag in virtual time, and the earliest goes first; being served moves the lane's tag on by what that
cost. A lane that comes back begins at the present virtual time, or where its debt ends: it can neither save up turns nor
shed what it owes by leaving. Owns tags only; refuses to know what waits in a lane.
"""

import heapq
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

SPARE = 64
"""Lanes that may be remembered for nothing before they are swept out."""

LEAD = 1 << 60
"""What puts a place in the order of arrival before all places without it."""


@dataclass(slots=True)
class Turns(Generic[K]):
    """Virtual time (`now`) and the tags of lanes. Costs are in any one unit, at least 0.

    `owed` is where a lane's next turn begins at the earliest; `waiting` holds tag and order of arrival of those who wait.
    """

    now: float = 0.0
    owed: dict[K, float] = field(default_factory=dict[K, float])
    waiting: dict[K, tuple[float, int]] = field(default_factory=dict[K, tuple[float, int]])
    heap: list[tuple[float, int, K]] = field(default_factory=list[tuple[float, int, K]])
    arrivals: int = 0

    def __len__(self) -> int:
        return len(self.waiting)

    def __contains__(self, lane: K) -> bool:
        return lane in self.waiting

    def copy(self) -> "Turns[K]":
        """The same turns, to be played through without consequence."""
        return replace(self, owed=self.owed.copy(), waiting=self.waiting.copy(), heap=self.heap.copy())

    def join(self, lane: K) -> None:
        """`lane` has something to do. One that waits already keeps its place."""
        if lane not in self.waiting:
            self.arrivals += 1
            self._stand(lane, max(self.now, self.owed.get(lane, 0.0)), order=self.arrivals)

    def lead(self, lane: K) -> None:
        """`lane` has something to do, and goes before all but those that lead already: for what must be begun again."""
        first = self.first()
        start = max(self.now, self.owed.get(lane, 0.0)) if first is None else self.start_of(first)
        self.arrivals += 1
        self._stand(lane, start, order=self.arrivals - LEAD)

    def leave(self, lane: K) -> None:
        """`lane` has nothing left; what it owes stays."""
        self.waiting.pop(lane, None)

    def start_of(self, lane: K) -> float:
        """The tag of a waiting lane. Raises KeyError when it does not wait."""
        return self.waiting[lane][0]

    def first(self) -> K | None:
        """The lane whose turn it is; None when nobody waits."""
        while self.heap and self._stale(self.heap[0]):
            heapq.heappop(self.heap)
        return self.heap[0][2] if self.heap else None

    def nearest(self, *, within: float, limit: int) -> Iterator[K]:
        """Lanes in the order of their turns: those at most `within` behind the first, and at most `limit` of them."""
        first = self.first()
        if first is None:
            return
        horizon, heap = self.start_of(first) + within, self.heap
        # A heap is a tree whose parents come before their children: walk it from the top, best first.
        frontier = [(heap[0], 0)]
        for _ in range(limit):
            if not frontier or frontier[0][0][0] > horizon:
                return
            entry, place = heapq.heappop(frontier)
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(heap):
                    heapq.heappush(frontier, (heap[child], child))
            if not self._stale(entry):
                yield entry[2]

    def serve(self, lane: K, cost: float, *, more: bool) -> None:
        """A waiting `lane` is served for `cost`; `more` says that it has something left."""
        first = self.first()
        if first is not None:
            # Not the tag of `lane`, which may have been let past others: time must not run over those who wait.
            self.now = max(self.now, self.start_of(first))
        self.owed[lane] = self.start_of(lane) + cost
        del self.waiting[lane]
        if more:
            self.join(lane)
        self._sweep()

    def adjust(self, lane: K, difference: float) -> None:
        """What `lane` was served for cost `difference` more (less, if negative) than was said.

        Nobody is paid back to before the present: a lane that failed much does not go ahead of all others for long.
        """
        if difference == 0 or lane not in self.owed:
            return
        self.owed[lane] = max(self.now, self.owed[lane] + difference)
        if lane in self.waiting:
            start, order = self.waiting[lane]
            moved = max(self.now, start + difference)
            if moved != start:
                self.waiting[lane] = moved, order
                heapq.heappush(self.heap, (moved, order, lane))

    def clear(self) -> None:
        """Forget all debts. Only while nobody waits and nothing runs."""
        self.owed.clear()

    def owes(self, lane: K) -> bool:
        """Whether `lane` would have to wait for others' virtual time to catch up."""
        return self.owed.get(lane, 0.0) > self.now

    def _stand(self, lane: K, start: float, *, order: int) -> None:
        self.waiting[lane] = start, order
        heapq.heappush(self.heap, (start, order, lane))

    def _stale(self, entry: tuple[float, int, K]) -> bool:
        start, order, lane = entry
        return self.waiting.get(lane) != (start, order)

    def _sweep(self) -> None:
        """Drop what no longer matters, seldom enough to cost nothing."""
        if len(self.owed) > 2 * len(self.waiting) + SPARE:
            self.owed = {lane: owed for lane, owed in self.owed.items() if owed > self.now or lane in self.waiting}
        if len(self.heap) > 2 * len(self.waiting) + SPARE:
            self.heap = [(start, order, lane) for lane, (start, order) in self.waiting.items()]
            heapq.heapify(self.heap)
