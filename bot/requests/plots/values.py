"""What a text says of an axis: the webui's lists with quotes, ranges with steps or counts, and permutations.

Owns the reading, in time proportional to the text and to a bounded number of values, whatever the text. Raises RequestRefused
with a sentence for a text that means nothing, LimitReached for one that means too much. Refuses to know axes.
"""

import csv
import io
import itertools
import math
import re
from collections.abc import Iterator
from typing import Final, Literal, TypeVar

from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import shown

Kind = Literal["int", "float", "str", "str_permutations"]
Value = int | float | str | tuple[str, ...]
N = TypeVar("N", int, float)

MAX_VALUES: Final = 1_000
"""Values of one axis, however many cells are allowed."""
MAX_TEXT: Final = 6_000
"""Characters: what Discord lets anybody type into one option."""
MAX_ITEM: Final = 64
"""Characters of one number or range."""
MAX_PERMUTED: Final = 6
"""Words whose permutations are an axis: 6 have 720."""
_WHOLE: Final = r"[+-]?\s*\d+"
_DECIMAL: Final = r"[+-]?\s*\d+(?:.\d*)?"
# The point of a decimal stands for any sign, as in the webui: what it lets through that is no number is refused behind it.
_RANGES: Final = {
    "int": re.compile(rf"\s*({_WHOLE})\s*-\s*({_WHOLE})(?:\s*\(([+-]\d+)\s*\)|\s*\[(\d+)\s*\])?\s*", re.ASCII),
    "float": re.compile(
        rf"\s*({_DECIMAL})\s*-\s*({_DECIMAL})(?:\s*\(([+-]\d+(?:.\d*)?)\s*\)|\s*\[(\d+(?:.\d*)?)\s*\])?\s*", re.ASCII
    ),
}


def read_values(kind: Kind, text: str) -> tuple[Value, ...]:
    """The values of `text`, in order. Raises RequestRefused, LimitReached."""
    items = read_list(text)
    if kind == "str":
        return _few(items)
    if kind == "str_permutations":
        if len(items) > MAX_PERMUTED:
            raise LimitReached(f"{len(items)} words have too many orders; give at most {MAX_PERMUTED}, which have 720.")
        return _few(itertools.permutations(items))
    numbers = (number for item in items if item for number in _numbers(kind, item))
    return _few(numbers)


def read_list(text: str) -> list[str]:
    """The items of a comma-separated list; one in double quotes may have commas, "" inside it is a quote. Raises as above."""
    if len(text) > MAX_TEXT:
        raise RequestRefused(f"The values of an axis may have {MAX_TEXT:,} characters, not {len(text):,}.")
    try:
        rows = csv.reader(io.StringIO(text), skipinitialspace=True)
        return [item.strip() for row in rows for item in row]
    except csv.Error as error:
        raise RequestRefused(
            f"“{shown(text)}” is not a list of values; part them by commas, and put one that has commas in double quotes."
        ) from error


def label_of(value: Value) -> str:
    """`value` as a legend has it: decimals rounded to eight places, words of an order joined."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(round(value, 8)) if isinstance(value, float) else str(value)


def _few(values: Iterator[Value] | list[str]) -> tuple[Value, ...]:
    taken = tuple(itertools.islice(values, MAX_VALUES + 1))
    if len(taken) > MAX_VALUES:
        raise LimitReached(f"An axis may have at most {MAX_VALUES:,} values; give fewer.")
    return taken


def _numbers(kind: Kind, item: str) -> Iterator[Value]:
    if len(item) > MAX_ITEM:
        raise RequestRefused(f"“{shown(item)}” is too long for a number.")
    try:
        found = _RANGES[kind].fullmatch(item)
        if found is None:
            yield int(item) if kind == "int" else _finite(item)
        elif kind == "int":
            yield from _whole_range(found)
        else:
            yield from _decimal_range(found)
    except (ValueError, OverflowError) as error:
        raise RequestRefused(_not_a_number(kind, item)) from error


def _whole_range(found: re.Match[str]) -> Iterator[int]:
    first, last = int(found[1]), int(found[2])
    if found[4] is None:
        yield from range(first, last + 1, int(found[3] or 1))
    else:
        yield from (int(value) for value in _spread(first, last, count=int(found[4])))


def _decimal_range(found: re.Match[str]) -> Iterator[float]:
    first, last = _finite(found[1]), _finite(found[2])
    if found[4] is not None:
        yield from _spread(first, last, count=int(found[4]))
        return
    step = _finite(found[3] or "1")
    # numpy's arange up to the end and a step, as the webui has it: the end may be overshot
    if step == 0:
        raise ValueError("a step of nothing")
    count = math.ceil((last + step - first) / step)
    yield from (first + index * step for index in range(count))


def _spread(first: float, last: float, *, count: int) -> Iterator[float]:
    """`count` values from `first` to `last`, both with them."""
    if count > MAX_VALUES:
        raise LimitReached(f"An axis may have at most {MAX_VALUES:,} values; give fewer.")
    for index in range(count):
        yield float(last) if 0 < index == count - 1 else first + (last - first) * index / max(1, count - 1)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _not_a_number(kind: Kind, item: str) -> str:
    examples = {
        "int": "a whole number or a range of them, such as 20, 10-30 (+5) or 10-30 [5]",
        "float": "a number or a range, such as 7.5, 5-9 (+0.5) or 5-9 [3]",
    }
    return f"“{shown(item)}” is not {examples[kind]}."
