"""When a worker counts as dead or stuck, by an injected clock."""

from inference.api.wire import Alive, Progress
from inference.client.watch import FIRST_WORD, SILENT_AFTER, Watch


def test_silence_is_the_end() -> None:
    """A worker that says nothing for too long must be ended; any message keeps it."""
    watch = Watch(0.0)
    assert watch.verdict(FIRST_WORD) is None
    assert "said nothing" in (watch.verdict(FIRST_WORD + 1) or "")
    watch.heard(Progress(1, 1, 2), 15.0)
    assert watch.verdict(15.0 + SILENT_AFTER) is None
    assert "said nothing" in (watch.verdict(16.0 + SILENT_AFTER) or "")


def test_a_step_that_never_ends_is_seen() -> None:
    """Heartbeats with a job and without a new forward end the worker once patience is over."""
    watch = Watch(0.0, patience=100.0)
    for second in range(1, 101):
        watch.heard(Alive(step=7, running=1), float(second))
    assert watch.verdict(101.0) is None
    watch.heard(Alive(step=7, running=1), 102.0)
    assert "one step" in (watch.verdict(102.0) or "")


def test_progress_resets_patience() -> None:
    """Each new forward starts the wait again."""
    watch = Watch(0.0, patience=10.0)
    for second in range(1, 60):
        watch.heard(Alive(step=second // 5, running=1), float(second))
        assert watch.verdict(float(second)) is None


def test_idleness_is_not_being_stuck() -> None:
    """A worker without jobs may stand at one count for as long as it likes."""
    watch = Watch(0.0, patience=10.0)
    for second in range(1, 1000):
        watch.heard(Alive(step=3, running=0), float(second))
    assert watch.verdict(1000.0) is None
    watch.heard(Alive(step=3, running=1), 1001.0)
    assert watch.verdict(1005.0) is None


def test_slow_steps_earn_patience() -> None:
    """Where steps take a minute, twenty minutes at one step are still allowed."""
    watch = Watch(0.0, patience=100.0)
    now = 0.0
    for step in range(3):
        for _ in range(60):
            now += 1
            watch.heard(Alive(step=step, running=1), now)
    for _ in range(600):
        now += 1
        watch.heard(Alive(step=3, running=1), now)
    assert watch.verdict(now) is None
