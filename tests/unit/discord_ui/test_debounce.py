"""Doing a thing twice in a hurry."""

from bot.discord_ui.debounce import PAUSE, Recent


def test_the_same_within_seconds_counts_once() -> None:
    """Another person, or the same after the pause, counts; the pause begins with what counted."""
    recent = Recent()
    assert not recent.again(("ada", "🔁"), now=100)
    assert recent.again(("ada", "🔁"), now=100 + PAUSE / 2)
    assert not recent.again(("ben", "🔁"), now=101)
    assert not recent.again(("ada", "🔁"), now=100 + PAUSE)


def test_a_clock_that_jumps_back_blocks_nobody() -> None:
    """What was seen in a future that is none any more is forgotten."""
    recent = Recent()
    assert not recent.again("x", now=1000)
    assert not recent.again("x", now=10)
