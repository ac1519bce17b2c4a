"""Weights that are left out because a pattern of the person's finds their names. Owns that no pattern takes for ever."""

import time
from collections.abc import Sequence
from typing import Final

import regex

from inference.engine.tools.entries import Entry
from inference.engine.tools.refusal import ToolRefused

LONGEST: Final = 1000
"""Characters of a pattern."""
SECONDS: Final = 5.0
"""For all names together; a sane pattern takes milliseconds."""
_SLOW: Final = (
    "The pattern “{}” takes too long: it tries the same letters in too many ways. Avoid repeats inside repeats."
)


def discarded(entries: Sequence[Entry], pattern: str) -> list[Entry]:
    """`entries` without those whose keys `pattern` finds anywhere. Raises ToolRefused for one that is none, or too slow."""
    if not pattern:
        return list(entries)
    shown = pattern if len(pattern) <= 60 else f"{pattern[:60]}…"
    if len(pattern) > LONGEST:
        raise ToolRefused(f"A pattern has at most {LONGEST:,} characters; this one has {len(pattern):,}.")
    try:
        compiled = regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ToolRefused(f"“{shown}” is no regular expression: {error}.") from error
    end = time.monotonic() + SECONDS
    kept: list[Entry] = []
    for entry in entries:
        left = end - time.monotonic()
        try:
            if left <= 0 or compiled.search(entry.key, timeout=left) is None:
                kept.append(entry)
        except TimeoutError as error:
            raise ToolRefused(_SLOW.format(shown)) from error
        if left <= 0:
            raise ToolRefused(_SLOW.format(shown))
    return kept
