"""The slow lane of a guild and a guild that is held, in the queue and through the whole studio."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import RequestRefused
from bot.jobs.fair_queue import SLOWNESS, FairQueue
from storage.guild_settings import Allowance
from tests.unit.bot.jobs.studio import NOW, address, request
from tests.unit.bot.jobs.studio import studio as studio_in


def push(queue: FairQueue[str], items: str, *, slow: bool = False, guild: int = 1, cost: float = 1.0) -> None:
    """Queue each letter; who asks is told by the letter."""
    for item in items:
        queue.push(item, guild=guild, person=ord(item.lower()), cost=cost, model="", slow=slow)


def drained(queue: FairQueue[str]) -> str:
    """Everything, in the order in which it goes."""
    order = ""
    while (item := queue.pop()) is not None:
        order += item
        queue.settle(item)
    return order


def test_the_slow_lane_waits_and_is_never_starved() -> None:
    """While both wait, four fast jobs go for each slow one of the same cost; the prediction says the same."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "XYZ", slow=True)
    push(queue, "abcdefghij")
    predicted = "".join(queue.order())
    assert predicted == "abcdXefghYijZ"
    assert drained(queue) == predicted


def test_alone_the_slow_lane_is_as_fast_as_any() -> None:
    """Where nobody else of the guild waits, it goes at once; waiting for nothing saves nothing up."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "X", slow=True)
    assert queue.pop() == "X"
    queue.settle("X")
    push(queue, "abcdefgh")
    assert [queue.pop() for _ in range(6)] == list("abcdef")
    push(queue, "Y", slow=True)
    assert drained(queue) == "ghY"


def test_other_guilds_notice_nothing() -> None:
    """A guild's own slow lane changes nothing in the share of another guild."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "XYZW", slow=True, guild=1)
    push(queue, "abcd", guild=2)
    assert drained(queue) == "XaYbZcWd"


def test_what_was_begun_goes_on() -> None:
    """A slow job that a dying worker gave back goes to the head of the fast lane."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "ab")
    queue.push_front("X", guild=1, person=9, cost=1.0, model="", slow=True)
    assert drained(queue) == "Xab"


def test_a_held_guild_keeps_its_place() -> None:
    """Nothing of it goes while it is held, others go on, and it is told to come last; let go, everything is there."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "ab", guild=1)
    push(queue, "X", slow=True, guild=1)
    push(queue, "mn", guild=2)
    queue.hold(1, held=True)
    push(queue, "c", guild=1)
    assert queue.is_held("a")
    assert not queue.is_held("m")
    assert queue.order() == ("m", "n", "a", "b", "c", "X")
    assert drained(queue) == "mn"
    assert len(queue) == 4
    assert queue.remove("b")
    queue.hold(1, held=False)
    assert drained(queue) == "acX"


def test_an_empty_guild_can_be_held_and_let_go() -> None:
    """Holding needs no jobs, survives an idle studio, and a job that is taken back then leaves nothing behind."""
    queue: FairQueue[str] = FairQueue()
    queue.hold(None, held=True)
    queue.push("a", guild=None, person=1, cost=1.0, model="")
    assert queue.pop() is None
    assert queue.remove("a")
    queue.push("b", guild=None, person=1, cost=1.0, model="")
    assert queue.pop() is None
    queue.hold(None, held=False)
    assert queue.pop() == "b"


COSTS = st.sampled_from([0.5, 1.0, 3.0, 9.0])


@given(fast=st.lists(COSTS, min_size=1, max_size=40), slow=st.lists(COSTS, min_size=1, max_size=10))
def test_a_slow_job_waits_for_a_bounded_share(fast: list[float], slow: list[float]) -> None:
    """Between two slow jobs the fast lane has at most `SLOWNESS` times the second's cost, and one job more."""
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for index, cost in enumerate(slow):
        queue.push(("slow", index), guild=1, person=2, cost=cost, model="", slow=True)
    for index, cost in enumerate(fast):
        queue.push(("fast", index), guild=1, person=1, cost=cost, model="")
    passed, seen = 0.0, 0
    while (item := queue.pop()) is not None:
        kind, index = item
        if kind == "fast":
            passed += fast[index]
            continue
        assert index == seen, "one person's jobs go in the order in which they asked"
        seen += 1
        assert passed <= SLOWNESS * sum(slow[:seen]) + max(fast)
    assert seen == len(slow)


async def test_an_allowance_is_spent_once(tmp_path: Path) -> None:
    """Who asks five times at once gets as many fast jobs as fit; the others are slow and say why; failures give back."""
    async with studio_in(tmp_path) as studio:
        first = await studio.submit(person=1)
        row = await studio.db.jobs.get(first)
        assert row is not None
        allowance = Allowance(guild=10, seconds=2.5 * row.cost, since=NOW - 3600, words="your hour is used up")

        async def ask(person: int = 1) -> str:
            job = await studio.dispatcher.submit(
                address=address(person=person), request=request(), kind="imagine", prompt="x", allowance=allowance
            )
            return job.slow

        assert [await ask() for _ in range(3)] == ["", "your hour is used up", "your hour is used up"]
        assert await ask(person=2) == ""
        assert await studio.dispatcher.cancel(first)
        assert await ask() == "", "what was cancelled is given back"


async def test_nothing_begins_while_all_is_held(tmp_path: Path) -> None:
    """A studio that is held takes jobs and begins none; let go, it goes on."""
    async with studio_in(tmp_path) as studio:
        studio.dispatcher.hold(None, held=True)
        job = await studio.submit()
        standing = studio.dispatcher.standing(job)
        assert standing is not None
        assert standing.held
        assert not studio.gate.held
        studio.dispatcher.hold(None, held=False)
        await studio.started(job)


async def test_what_is_never_painted_is_no_job(tmp_path: Path) -> None:
    """The dispatcher asks its check before it counts or writes anything."""

    def refuse(asked: object) -> None:
        raise RequestRefused("never")

    async with studio_in(tmp_path, check=refuse) as studio:
        with pytest.raises(RequestRefused, match="never"):
            await studio.submit()
        assert await studio.db.jobs.count_open() == 0
