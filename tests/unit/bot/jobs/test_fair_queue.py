"""Fair lanes by example."""

import pytest

from bot.jobs.fair_queue import FairQueue


def drained(queue: FairQueue[str]) -> str:
    """Everything that waits, in the order in which it goes."""
    order = ""
    while (item := queue.pop()) is not None:
        order += item
    return order


def push(
    queue: FairQueue[str], items: str, *, guild: int | None, person: int = 1, cost: float = 1.0, model: str = "a"
) -> None:
    """Each letter is a job."""
    for item in items:
        queue.push(item, guild=guild, person=person, cost=cost, model=model)


def test_a_backlogged_guild_delays_another_by_one_job_at_most() -> None:
    """A hundred plots here, one picture there: the picture is second at the latest."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "abcdefgh", guild=1, cost=50.0)
    assert queue.pop() == "a"
    push(queue, "X", guild=2)
    assert queue.order()[0] == "X"
    queue = FairQueue()
    push(queue, "abcdefgh", guild=1, cost=50.0)
    push(queue, "X", guild=2)
    assert queue.position("X") == 2


def test_cost_counts_and_not_the_number_of_jobs() -> None:
    """Who asks for large pictures goes less often than who asks for small ones."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "ABC", guild=1, cost=4.0)
    push(queue, "abcdefgh", guild=2, cost=1.0)
    assert drained(queue) == "AabcdBefghC"


def test_people_of_a_guild_share_what_the_guild_has() -> None:
    """Somebody with ten jobs does not hold up the next person of the same server."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "abc", guild=1, person=1)
    push(queue, "x", guild=1, person=2)
    push(queue, "M", guild=None, person=3)
    assert drained(queue) == "aMxbc"


def test_leaving_and_coming_back_pays_no_debt_off() -> None:
    """A guild that was served goes on where it stood, not before those who waited."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "ab", guild=1, cost=10.0)
    push(queue, "xyz", guild=2, cost=4.0)
    assert queue.pop() == "a"
    assert queue.remove("b")
    push(queue, "c", guild=1, cost=10.0)
    assert drained(queue) == "xyzc"


def test_a_refund_lets_a_guild_go_again() -> None:
    """A job that failed cost its guild nothing."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "ab", guild=1, cost=10.0)
    push(queue, "xy", guild=2, cost=4.0)
    assert queue.pop() == "a"
    queue.settle("a", spent=0.0)
    assert drained(queue) == "xby"


def test_refunds_are_no_savings() -> None:
    """A guild whose jobs fail all night is not ahead of everybody in the morning."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "z", guild=3, cost=500.0)
    assert queue.pop() == "z"
    for _ in range(20):
        push(queue, "f", guild=1, cost=10.0)
        assert queue.pop() == "f"
        queue.settle("f", spent=0.0)
    push(queue, "abcd", guild=1)
    push(queue, "wxyz", guild=2)
    assert drained(queue) == "awbxcydz"


def test_a_retry_goes_to_the_head_of_its_lane() -> None:
    """What was begun goes before everybody of its guild, and before nobody of another."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "abc", guild=1)
    push(queue, "x", guild=1, person=2)
    push(queue, "M", guild=2)
    assert queue.pop() == "a"
    queue.settle("a", spent=0.0)
    queue.push_front("a", guild=1, person=1, cost=1.0, model="a")
    queue.push_front("d", guild=1, person=1, cost=1.0, model="a")
    queue.push_front("y", guild=1, person=2, cost=1.0, model="a")
    assert queue.order()[:1] == ("M",)
    assert (
        drained(queue).replace("M", "")[:3] == "ayd"
    )  # people of a guild take turns among those that begin again, too


def test_a_loaded_model_is_preferred_within_bounds() -> None:
    """Jobs of the loaded model go first until they have cost the slack; then it is the other's turn."""
    queue: FairQueue[str] = FairQueue(slack=3.0)
    push(queue, "b", guild=1, model="b")
    for guild, item in enumerate("uvwxyz", start=2):
        push(queue, item, guild=guild, model="a")
    order = ""
    while (item := queue.pop(prefer_model="a")) is not None:
        order += item
    assert order == "uvwbxyz"


def test_a_job_dearer_than_the_slack_never_goes_before_its_turn() -> None:
    """The bound is on what others wait for, not on the number of jobs."""
    queue: FairQueue[str] = FairQueue(slack=3.0)
    push(queue, "b", guild=1, model="b")
    push(queue, "a", guild=2, model="a", cost=3.5)
    assert queue.peek(prefer_model="a") == "b"


def test_an_idle_studio_forgets_debts() -> None:
    """Who painted all night while nobody else was there owes nothing in the morning."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "a", guild=1, cost=1000.0)
    assert queue.pop() == "a"
    queue.settle("a")
    push(queue, "b", guild=1)
    push(queue, "x", guild=2)
    assert drained(queue) == "bx"


def test_the_same_item_twice_is_a_mistake() -> None:
    """A job that is queued already is not queued again."""
    queue: FairQueue[str] = FairQueue()
    push(queue, "a", guild=1)
    with pytest.raises(ValueError, match="queued already"):
        push(queue, "a", guild=2)
    assert not queue.remove("q")
    with pytest.raises(KeyError):
        queue.position("q")


def test_thousands_of_jobs_are_drained_in_order() -> None:
    """Lanes that are gone are swept out on the way, and nothing is lost."""
    queue: FairQueue[int] = FairQueue(slack=5.0)
    for number in range(3_000):
        queue.push(number, guild=number % 300, person=number % 7, cost=1.0 + number % 5, model=str(number % 3))
    seen: list[int] = []
    while (item := queue.pop(prefer_model="1")) is not None:
        seen.append(item)
        queue.settle(item)
    assert sorted(seen) == list(range(3_000))
