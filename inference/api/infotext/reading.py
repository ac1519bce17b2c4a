"""Typed answers from a table of parameters: numbers within their bounds, and a sentence where a value makes no sense."""

import math
import re

from inference.api.infotext.defaults import Parameters

_NUMBER = re.compile(r"\s*[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?\s*|\s*inf\s*")


class Reader:
    """Reads parameters by key; `asked` are the keys that were asked for, `notes` what was wrong with their values."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.asked: set[str] = set()
        self.notes: list[str] = []

    def says(self, key: str) -> bool:
        """Whether there is such a key."""
        self.asked.add(key)
        return key in self._parameters

    def text(self, key: str) -> str:
        """The value as text; empty where there is none."""
        self.asked.add(key)
        value = self._parameters.get(key, "")
        return value.strip() if isinstance(value, str) else str(value)

    def flag(self, key: str) -> bool:
        """Whether the value is True."""
        return self.text(key).casefold() == "true"

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """The value as a number from `low` to `high`."""
        text = self.text(key)
        if not text:
            return default
        if not _NUMBER.fullmatch(text):
            self.notes.append(f"“{key}: {text[:40]}” is not a number; {default:g} was taken.")
            return default
        value = float(text)
        bounded = min(max(value, low), high)
        if bounded != value:
            self.notes.append(f"“{key}: {text[:40]}” is not between {low:g} and {high:g}; {bounded:g} was taken.")
        return bounded

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """The value as a whole number from `low` to `high`."""
        value = self.number(key, default, low=low, high=high)
        return int(value) if math.isfinite(value) else default

    def pair(self, key: str) -> tuple[int, int] | None:
        """A size `WIDTHxHEIGHT`; None where there is none or both sides are 0."""
        self.asked.add(key)
        sides = [self._parameters.get(f"{key}-{number}") for number in (1, 2)]
        if any(not str(side).isdecimal() or len(str(side)) > 9 for side in sides):
            if said := self._parameters.get(key):
                self.notes.append(f"“{key}: {str(said)[:40]}” is not a size like 512x768; it was left out.")
            return None
        width, height = (int(str(side)) for side in sides)
        return (width, height) if width or height else None

    def choice(self, key: str, options: tuple[str, ...], default: str) -> str:
        """One of `options`."""
        text = self.text(key)
        if not text or text in options:
            return text or default
        self.notes.append(f"“{key}: {text[:40]}” is none of {', '.join(options)}; {default} was taken.")
        return default
