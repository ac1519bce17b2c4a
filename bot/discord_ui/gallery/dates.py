"""Days, months and years as people write them, as a stretch of time. Pure; days are UTC's.

Owns what can be written. Refuses to know what the time is used for.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bot.errors import RequestRefused
from bot.requests.drafts import shown

HINT: Final = (
    "Write a day, month or year (2026-11-05, 2026-11, 2026), two of them (2026-11-05..2026-11-10), today, or 7 days."
)
_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?", re.ASCII)
_AGO: Final = re.compile(r"(?:last\s+)?([0-9]{1,5})?\s*(d|days?|w|weeks?|m|months?|y|years?)", re.ASCII | re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\s*(?:\.{2,3}|–|—|\bto\b)\s*", re.IGNORECASE)
_DAYS: Final[Mapping[str, int]] = {"d": 1, "w": 7, "m": 30, "y": 365}
_NAMED: Final[Mapping[str, Callable[[date], date]]] = {
    "today": lambda day: day,
    "yesterday": lambda day: day - timedelta(days=1),
}

Stretch = tuple[float | None, float | None]
"""From a moment, inclusive, to another, exclusive; seconds since 1970, None for no end."""


def read_dates(text: str, *, now: float) -> Stretch:
    """The stretch that `text` means; nothing is all of time. Raises RequestRefused with what can be written."""
    words = text.strip()
    if not words:
        return None, None
    try:
        return _read(words, datetime.fromtimestamp(now, UTC).date())
    except (ValueError, OverflowError) as error:
        raise RequestRefused(f"“{shown(text)}” is no time that I know. {HINT}") from error


def dates_shown(since: float | None, until: float | None) -> str:
    """A stretch as `read_dates` reads it; empty for all of time."""
    if since is None and until is None:
        return ""
    first = "" if since is None else _day(since).isoformat()
    last = "" if until is None else (_day(until - 1.0)).isoformat()
    return first if first == last else f"{first}..{last}"


def _read(words: str, today: date) -> Stretch:
    ago = _AGO.fullmatch(words)
    if ago is not None:
        days = int(ago[1] or "1") * _DAYS[ago[2][0].lower()]
        return _moment(today - timedelta(days=days)), None
    parts = _BETWEEN.split(words)
    if len(parts) > 2:
        raise ValueError(words)
    first, last = parts[0], parts[-1]
    since = _span(first, today)[0] if first else None
    until = _span(last, today)[1] if last else None
    if (since is None and until is None) or (since is not None and until is not None and since >= until):
        raise ValueError(words)
    return since, until


def _span(word: str, today: date) -> tuple[float, float]:
    """The beginning and the end of a day, month or year."""
    named = _NAMED.get(word.lower())
    if named is not None:
        day = named(today)
        return _moment(day), _moment(day + timedelta(days=1))
    found = _DATE.fullmatch(word)
    if found is None:
        raise ValueError(word)
    year, month, day_of = int(found[1]), int(found[2] or "1"), int(found[3] or "1")
    first = date(year, month, day_of)
    if found[3]:
        return _moment(first), _moment(first + timedelta(days=1))
    if found[2]:
        return _moment(first), _moment(date(year + month // 12, month % 12 + 1, 1))
    return _moment(first), _moment(date(year + 1, 1, 1))


def _moment(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()
