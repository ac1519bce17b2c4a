"""Which job is next: a lane a guild, people inside a lane, start-time fair queueing over predicted cost on both levels.

A backlogged guild never delays another by more than one quantum (its costliest job), and within a guild the same holds
for people of one lane. A guild has a fast and a slow one: the slow one goes when the fast one is empty, or has had
`SLOWNESS` times as much since; so it is never starved, and other guilds notice nothing. A guild that is held keeps its place
and is not served. A job is paid for when it is taken, so one that is taken back before costs nobody anything. Pure: no
clock, no Discord, no database.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from bot.jobs.turns import SPARE, Turns

T = TypeVar("T", bound=Hashable)

DIRECT = 0
"""The lane that all direct messages share; no server has this id."""
SLOWNESS = 4.0
"""How much more than the slow lane a guild's fast lane is served while both wait."""
EXAMINED = 16
"""Lanes that are looked at for a job of the preferred model: a bound on the time of one decision."""


class Entry(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Something queued. `guild` is `DIRECT` for direct messages; `model` "" needs none; `again` was begun before.

    What was begun goes on in the fast lane, `slow` or not: it holds something that others wait for.
    """

    item: T
    guild: int
    person: int
    cost: float
    model: str
    again: bool = False
    slow: bool = False

    @property
    def last(self) -> bool:
        """Whether it waits in the slow lane."""
        return self.slow and not self.again


@dataclass(slots=True)
class Lane(Generic[T]):
    """People of one guild and what each of them waits for, in the order they asked."""

    turns: Turns[int] = field(default_factory=Turns[int])
    lines: dict[int, deque[Entry[T]]] = field(default_factory=dict[int, deque[Entry[T]]])

    def copy(self) -> "Lane[T]":
        """The same lane, to be played through."""
        return Lane(self.turns.copy(), {person: line.copy() for person, line in self.lines.items()})

    def put(self, entry: Entry[T]) -> None:
        """Let `entry` wait at the end of its person's line; one that is begun `again` goes to the head of the lane."""
        line = self.lines.setdefault(entry.person, deque())
        if entry.again:
            line.insert(sum(each.again for each in line), entry)
            self.turns.lead(entry.person)
        else:
            line.append(entry)
            self.turns.join(entry.person)

    def first(self) -> Entry[T] | None:
        """Whose turn it is; None when nobody waits."""
        person = self.turns.first()
        return None if person is None else self.lines[person][0]

    def drop(self, entry: Entry[T], *, served: bool) -> None:
        """Take `entry` out. If it is `served`, its person pays its cost."""
        line = self.lines[entry.person]
        line.remove(entry)
        if not line:
            del self.lines[entry.person]
        if served:
            self.turns.serve(entry.person, entry.cost, more=bool(line))
        if not line:
            self.turns.leave(entry.person)


@dataclass(slots=True)
class Guild(Generic[T]):
    """One guild's two lanes. `passed` is what the fast one was served while somebody waited in the slow one."""

    fast: Lane[T] = field(default_factory=Lane[T])
    slow: Lane[T] = field(default_factory=Lane[T])
    passed: float = 0.0

    def copy(self) -> "Guild[T]":
        """The same, to be played through."""
        return Guild(self.fast.copy(), self.slow.copy(), self.passed)

    @property
    def waits(self) -> bool:
        """Whether anybody does."""
        return bool(self.fast.lines or self.slow.lines)

    def of(self, entry: Entry[T]) -> Lane[T]:
        """The lane in which `entry` waits."""
        return self.slow if entry.last else self.fast

    def due(self) -> Lane[T]:
        """The lane whose turn it is."""
        slow = self.slow.first()
        if not self.fast.lines or (slow is not None and self.passed >= SLOWNESS * slow.cost):
            return self.slow
        return self.fast

    def drop(self, entry: Entry[T], *, served: bool) -> None:
        """Take `entry` out, and count what it was served for."""
        self.of(entry).drop(entry, served=served)
        if not self.slow.lines:
            self.passed = 0.0  # who comes later has not waited yet
        elif served:
            self.passed = max(0.0, self.passed + (-SLOWNESS if entry.last else 1.0) * entry.cost)


@dataclass(slots=True)
class Lanes(Generic[T]):
    """All levels together: whose turn it is among guilds, and inside each. Guilds that are `held` have none."""

    turns: Turns[int] = field(default_factory=Turns[int])
    guilds: dict[int, Guild[T]] = field(default_factory=dict[int, Guild[T]])
    held: set[int] = field(default_factory=set[int])

    def copy(self) -> "Lanes[T]":
        """The same lanes, to be played through."""
        return Lanes(self.turns.copy(), {id_: guild.copy() for id_, guild in self.guilds.items()}, self.held.copy())

    def put(self, entry: Entry[T]) -> None:
        """Let `entry` wait in its guild's lane."""
        guild = self.guilds.setdefault(entry.guild, Guild())
        guild.of(entry).put(entry)
        if entry.guild not in self.held:
            self.turns.join(entry.guild)

    def hold(self, guild: int, *, held: bool) -> None:
        """Serve nothing of `guild` until it is let go."""
        if held:
            self.held.add(guild)
            self.turns.leave(guild)
        else:
            self.held.discard(guild)
            if guild in self.guilds and self.guilds[guild].waits:
                self.turns.join(guild)

    def first(self) -> Entry[T] | None:
        """Whose turn it is, by fairness alone."""
        guild = self.turns.first()
        return None if guild is None else self.guilds[guild].due().first()

    def preferred(self, model: str, *, within: float, room: float) -> Entry[T] | None:
        """The first head of a line that wants `model`: whose turn it is anyway, or one that costs at most `room`.

        Looks at `EXAMINED` lines, none of them more than `within` behind the first of its level.
        """
        examined = 0
        if room <= 0:
            return None
        for guild in self.turns.nearest(within=within, limit=EXAMINED):
            lane = self.guilds[guild].due()
            for person in lane.turns.nearest(within=within, limit=EXAMINED - examined):
                head = lane.lines[person][0]
                if head.model == model and (examined == 0 or head.cost <= room):
                    return head
                examined += 1
            if examined >= EXAMINED:
                return None
        return None

    def drop(self, entry: Entry[T], *, served: bool) -> None:
        """Take `entry` out. If it is `served`, guild and person pay its cost."""
        guild = self.guilds[entry.guild]
        guild.drop(entry, served=served)
        if served:
            self.turns.serve(entry.guild, entry.cost, more=guild.waits)
        if not guild.waits:
            self.turns.leave(entry.guild)
        if len(self.guilds) > 2 * len(self.turns) + SPARE:
            self.guilds = {id_: each for id_, each in self.guilds.items() if each.waits or self.turns.owes(id_)}

    def adjust(self, entry: Entry[T], difference: float) -> None:
        """What `entry` was served for cost `difference` more, or less, than was said."""
        self.turns.adjust(entry.guild, difference)
        if entry.guild in self.guilds:
            self.guilds[entry.guild].of(entry).turns.adjust(entry.person, difference)


class FairQueue(Generic[T]):
    """Items (hashable, each at most once) in fair order. Costs are predicted seconds.

    `slack` is the cost that may go ahead of whoever is next because its model is loaded, all in all until that one goes.
    """

    def __init__(self, *, slack: float = 0.0) -> None:
        self._slack = slack
        self._overtaken = 0.0
        self._lanes: Lanes[T] = Lanes()
        self._entries: dict[T, Entry[T]] = {}
        self._taken: dict[T, Entry[T]] = {}
        self._order: dict[T, tuple[int, float]] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: T) -> bool:
        return item in self._entries

    def push(self, item: T, *, guild: int | None, person: int, cost: float, model: str, slow: bool = False) -> None:
        """Put `item` at the end of its person's line; `guild` None is a direct message, `model` "" needs none.

        `slow` puts it into the guild's slow lane. Raises ValueError when `item` is queued already.
        """
        self._put(Entry(item=item, guild=guild or DIRECT, person=person, cost=cost, model=model, slow=slow))

    def push_front(
        self, item: T, *, guild: int | None, person: int, cost: float, model: str, slow: bool = False
    ) -> None:
        """Put `item` at the head of its guild's fast lane: one that is tried again. Raises ValueError as `push`."""
        self._put(Entry(item=item, guild=guild or DIRECT, person=person, cost=cost, model=model, slow=slow, again=True))

    def hold(self, guild: int | None, *, held: bool) -> None:
        """Serve nothing of `guild` (None: direct messages) until it is let go. What waits keeps waiting."""
        self._lanes.hold(guild or DIRECT, held=held)
        self._order = None

    def is_held(self, item: T) -> bool:
        """Whether `item` waits in a guild that is held."""
        entry = self._entries.get(item)
        return entry is not None and entry.guild in self._lanes.held

    def peek(self, *, prefer_model: str | None = None) -> T | None:
        """What `pop` would take."""
        entry = self._next(prefer_model)
        return None if entry is None else entry.item

    def pop(self, *, prefer_model: str | None = None) -> T | None:
        """Take the next item; None when there is none. Its lanes pay its cost now; `settle` must follow when it is over.

        A job of `prefer_model` may go before the one whose turn it is, while what has gone before that one since costs no
        more than the slack.
        """
        entry = self._next(prefer_model)
        if entry is None:
            return None
        self._overtaken = 0.0 if entry is self._lanes.first() else self._overtaken + entry.cost
        self._lanes.drop(entry, served=True)
        del self._entries[entry.item]
        self._taken[entry.item] = entry
        self._order = None
        return entry.item

    def remove(self, item: T) -> bool:
        """Take `item` back, at no cost to its lanes. False when it is not queued."""
        entry = self._entries.pop(item, None)
        if entry is None:
            return False
        self._lanes.drop(entry, served=False)
        self._order = None
        self._forget_if_idle()
        return True

    def settle(self, item: T, *, spent: float | None = None) -> None:
        """A popped `item` is over and cost `spent` in the end: 0 gives all back, None means as predicted.

        Unknown items are ignored.
        """
        entry = self._taken.pop(item, None)
        if entry is None:
            return
        if spent is not None and spent != entry.cost:
            self._lanes.adjust(entry, spent - entry.cost)
            self._order = None
        self._forget_if_idle()

    def position(self, item: T) -> int:
        """Which place `item` has in the predicted order, from 1: the order of pops if nothing else happens.

        Raises KeyError when it is not queued.
        """
        return self._predicted()[item][0]

    def ahead(self, item: T) -> float:
        """The cost of everything that goes before `item`. Raises KeyError when it is not queued."""
        return self._predicted()[item][1]

    def order(self) -> tuple[T, ...]:
        """Everything queued, in the predicted order."""
        return tuple(self._predicted())

    def _put(self, entry: Entry[T]) -> None:
        if entry.item in self._entries:
            raise ValueError(f"{entry.item!r} is queued already")
        self._entries[entry.item] = entry
        self._lanes.put(entry)
        self._order = None

    def _next(self, prefer_model: str | None) -> Entry[T] | None:
        if prefer_model is not None and self._slack > 0:
            preferred = self._lanes.preferred(prefer_model, within=self._slack, room=self._slack - self._overtaken)
            if preferred is not None:
                return preferred
        return self._lanes.first()

    def _predicted(self) -> dict[T, tuple[int, float]]:
        """Place and cost ahead of each item, found by playing a copy to its end; kept until something changes."""
        if self._order is None:
            lanes, ahead = self._lanes.copy(), 0.0
            self._order = {}
            for guild in (
                None,
                *sorted(lanes.held),
            ):  # those that are held come last, as if they were let go one by one
                if guild is not None:
                    lanes.hold(guild, held=False)
                while (entry := lanes.first()) is not None:
                    self._order[entry.item] = len(self._order) + 1, ahead
                    ahead += entry.cost
                    lanes.drop(entry, served=True)
        return self._order

    def _forget_if_idle(self) -> None:
        """A studio with nothing to do starts afresh: nobody pays tomorrow for a night in which nobody else came."""
        if not self._entries and not self._taken:
            self._lanes = Lanes(held=self._lanes.held)
            self._overtaken = 0.0
