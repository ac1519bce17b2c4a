"""One line of the doctor's report, as a value. Refuses to know what was looked at and where lines are shown."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a finding weighs; the word stands at the beginning of its line."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"
    """Easel cannot paint or cannot answer until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`topic` in a word or two, what was `found`, and what to do about it (`advice`, empty where nothing is to be done)."""

    level: Level
    topic: str
    found: str
    advice: str = ""


def ok(topic: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(Level.OK, topic, found)


def note(topic: str, found: str, advice: str) -> Finding:
    """Easel runs, but something is worth doing."""
    return Finding(Level.NOTE, topic, found, advice)


def fault(topic: str, found: str, advice: str) -> Finding:
    """Easel cannot paint or answer like this."""
    return Finding(Level.FAULT, topic, found, advice)
