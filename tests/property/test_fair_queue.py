"""The fair queue as a state machine: whatever is pushed, taken back, popped and refunded, nobody is held up for long."""

from collections import Counter

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.jobs.fair_queue import DIRECT, FairQueue

GUILDS = st.sampled_from([None, 1, 2, 3, 4])
PEOPLE = st.integers(1, 4)
COSTS = st.sampled_from([0.5, 1.0, 2.0, 7.0, 40.0])
MODELS = st.sampled_from(["", "a", "b"])


class Queueing(RuleBasedStateMachine):
    """Remembers who waits and what each lane had; `slack` is the queue's."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.waiting: dict[int, tuple[int, int, float, str]] = {}
        self.running: dict[int, tuple[int, int, float]] = {}
        self.largest = 0.0
        # For each pair of guilds that both wait: what the first was served since both began to.
        self.served: dict[tuple[int, int], float] = {}
        self.overtaken = 0.0
        # What each guild was served before a newcomer, by the newcomer's item; kept while there is no slack.
        self.before: dict[int, Counter[int]] = {}

    @initialize(slack=st.sampled_from([0.0, 3.0]))
    def begin(self, slack: float) -> None:
        """A fresh queue."""
        self.slack = slack
        self.queue: FairQueue[int] = FairQueue(slack=slack)

    @rule(guild=GUILDS, person=PEOPLE, cost=COSTS, model=MODELS, front=st.booleans())
    def push(self, guild: int | None, person: int, cost: float, model: str, front: bool) -> None:
        """Somebody asks; or a job that failed is tried again."""
        self.count += 1
        put = self.queue.push_front if front else self.queue.push
        put(self.count, guild=guild, person=person, cost=cost, model=model)
        self.waiting[self.count] = guild or DIRECT, person, cost, model
        self.largest = max(self.largest, cost)
        self._both_wait()

    @rule(cost=COSTS)
    def newcomer(self, cost: float) -> None:
        """Somebody of a guild that was never here wants one picture."""
        self.push(1000 + self.count, 1, cost, "a", False)
        if self.slack == 0.0:
            self.before[self.count] = Counter()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """Somebody changes their mind while it waits: that costs nobody anything."""
        item = data.draw(st.sampled_from(sorted(self.waiting)))
        others = [each for each in self.queue.order() if each != item]
        assert self.queue.remove(item)
        assert not self.queue.remove(item)
        del self.waiting[item]
        self.before.pop(item, None)
        self._both_wait()
        assert sorted(self.queue.order()) == sorted(others)

    @precondition(lambda self: self.waiting)
    @rule(model=st.none() | MODELS)
    def pop(self, model: str | None) -> None:
        """The next goes, perhaps one whose model is loaded."""
        fair = self.queue.order()[0]
        peeked = self.queue.peek(prefer_model=model)
        item = self.queue.pop(prefer_model=model)
        assert item == peeked
        assert item is not None
        guild, person, cost, wanted = self.waiting.pop(item)
        self.running[item] = guild, person, cost
        if item == fair:
            self.overtaken = 0.0
        else:
            self.overtaken += cost
            assert wanted == model, "only a job of the loaded model goes before its turn"
            assert self.overtaken <= self.slack, "what goes before somebody's turn is bounded, all in all"
        for pair in self.served:
            if pair[0] == guild:
                self.served[pair] += cost
        self.before.pop(item, None)
        for newcomer, gone in self.before.items():
            gone[guild] += 1
            assert gone[guild] <= 1, f"guild {guild} held newcomer {newcomer} up with more than one job"
        self._bounded()
        self._both_wait()

    @precondition(lambda self: self.running)
    @rule(data=st.data(), spent=st.none() | st.sampled_from([0.0, 0.25]))
    def settle(self, data: st.DataObject, spent: float | None) -> None:
        """A job is over; one that failed is given back."""
        item = data.draw(st.sampled_from(sorted(self.running)))
        guild, _, cost = self.running.pop(item)
        self.queue.settle(item, spent=spent)
        self.queue.settle(item, spent=0.0)
        if spent is not None and spent < cost:
            for gone in self.before.values():
                gone[guild] -= 1
            # A guild that was paid back may be served as much more, and no more than that.
            for pair in self.served:
                if pair[0] == guild:
                    self.served[pair] -= cost - spent

    @precondition(lambda self: self.waiting)
    @rule()
    def positions_agree_with_pops(self) -> None:
        """What people are told is the order in which jobs go if nothing else happens."""
        order = self.queue.order()
        assert [self.queue.position(item) for item in order] == list(range(1, len(order) + 1))
        ahead = 0.0
        for item in order:
            assert abs(self.queue.ahead(item) - ahead) < 1e-6
            ahead += self.waiting[item][2]

    @precondition(lambda self: len(self.waiting) > 1)
    @rule()
    def drain(self) -> None:
        """Everything goes, in the order that was told."""
        told = self.queue.order()
        gone = [self.queue.pop() for _ in told]
        assert tuple(gone) == told
        assert self.queue.pop() is None
        assume(len(told) > 1)
        for item in told:
            guild, person, cost, _ = self.waiting.pop(item)
            self.running[item] = guild, person, cost
        self.served.clear()
        self.before.clear()
        self.overtaken = 0.0

    @invariant()
    def holds_what_was_pushed(self) -> None:
        """Nothing is lost and nothing is there twice."""
        if hasattr(self, "queue"):
            assert len(self.queue) == len(self.waiting)
            assert all(item in self.queue for item in self.waiting)
            assert set(self.queue.order()) == set(self.waiting)

    def _both_wait(self) -> None:
        """Begin to count for each pair of guilds that both wait, and stop where one no longer does."""
        guilds = {guild for guild, *_ in self.waiting.values()}
        pairs = {(one, other) for one in guilds for other in guilds if one != other}
        self.served = {pair: self.served.get(pair, 0.0) for pair in pairs}

    def _bounded(self) -> None:
        """Of two guilds that wait, neither is ahead of the other by more than a quantum of each, and the slack."""
        for (one, other), served in self.served.items():
            behind = self.served.get((other, one), 0.0)
            assert served - behind <= 2 * self.largest + self.slack + 1e-6


Queueing.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestQueueing = Queueing.TestCase
