"""The numbers of the places in a text encoder's window: whole, and 0 to 76. Merging in half precision has broken many.

Owns what is right and how wrong ones are told. Easel numbers the places itself; other programs believe the file.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from inference.engine.tools.entries import Entry, constant, retyped
from inference.engine.tools.parts import POSITIONS, is_positions

WINDOW: Final = 77
Told = Callable[[str], None]


def right_ones() -> Tensor:
    """(1, 77) int64."""
    return torch.arange(WINDOW, dtype=torch.int64).unsqueeze(0)


def wrong_in(value: Tensor) -> list[int]:
    """Places whose number is wrong; all where there are not 77 of them."""
    flat = value.flatten()
    if flat.numel() != WINDOW:
        return list(range(WINDOW))
    whole = flat.to(torch.float64)
    return [place for place in range(WINDOW) if float(whole[place]) != place]


def whole(entry: Entry) -> Entry:
    """Ids of places as whole numbers, whatever they were stored as."""
    return retyped(entry, "I64") if is_positions(entry.key) else entry


def repaired(entries: list[Entry], *, has_clip: bool, told: Told) -> list[Entry]:
    """`entries` with the right ids; where SD1's text encoder has none they are added. Says what was wrong."""
    found = False
    after: list[Entry] = []
    for entry in entries:
        if not is_positions(entry.key):
            after.append(entry)
            continue
        found = True
        wrong = wrong_in(entry.make())
        told(f"{_counted(wrong)} in {entry.key}." if wrong else "The position ids were right.")
        after.append(constant(entry.key, right_ones(), "I64") if wrong else entry)
    if not found and has_clip:
        told("The position ids were missing, and are there now.")
        return [*after, constant(POSITIONS, right_ones(), "I64")]
    if not found:
        told("This checkpoint's text encoder has no position ids, so none had to be mended.")
    return after


def _counted(wrong: list[int]) -> str:
    shown = ", ".join(map(str, wrong[:20])) + (" …" if len(wrong) > 20 else "")
    return f"{len(wrong)} position ids were wrong ({shown}) and are right now"
