"""Prompt matrices: `base|first|second` painted with every choice of the parts, after the webui's script.

Owns how the text is cut and joined and where each combination stands. Pure.
"""

import math
from typing import Final, Literal

import msgspec

from bot.errors import LimitReached
from bot.requests.plots.layout import Layout, Mark

Delimiter = Literal["comma", "space"]
_JOINERS: Final[dict[Delimiter, str]] = {"comma": ", ", "space": " "}
MAX_PARTS: Final = 9
"""Parts beside the base: 9 have 512 combinations, more than any server allows."""


class Matrix(msgspec.Struct, frozen=True):
    """`prompts` in the order of painting; bit i of an index says that part i is in."""

    prompts: tuple[str, ...]
    parts: tuple[str, ...]


def expand(text: str, *, delimiter: Delimiter = "comma", at_start: bool = False) -> Matrix:
    """Every combination of the parts of `text`, which stand behind the base, or before it with `at_start`.

    Raises LimitReached where there are too many parts.
    """
    base, *parts = text.split("|")
    if len(parts) > MAX_PARTS:
        raise LimitReached(
            f"A prompt matrix may have at most {MAX_PARTS} parts behind its first; this one has {len(parts)}."
        )
    parts = [part.strip().strip(",") for part in parts]
    prompts: list[str] = []
    for index in range(2 ** len(parts)):
        chosen = [part for bit, part in enumerate(parts) if index & (1 << bit)]
        prompts.append(_JOINERS[delimiter].join([*chosen, base] if at_start else [base, *chosen]))
    return Matrix(tuple(prompts), tuple(parts))


def rows_of(parts: int) -> int:
    """Rows of the grid of a matrix of `parts` parts."""
    return 2 ** (parts // 2)


def layout_of(matrix: Matrix, *, legend: bool = True) -> Layout:
    """Every part is beside every row or above every column; those that are not in are struck out."""
    split = math.ceil(len(matrix.parts) / 2)
    across, down = matrix.parts[:split], matrix.parts[split:]
    rows = rows_of(len(matrix.parts))
    columns = len(matrix.prompts) // rows
    return Layout(
        columns=columns,
        rows=rows,
        places=tuple((0, index // columns, index % columns) for index in range(len(matrix.prompts))),
        across=_marks(across) if legend else (),
        down=_marks(down) if legend else (),
        words=(f"Parts: {', '.join(matrix.parts)}",),
        facts={"Script": "Prompt matrix"},
    )


def label_of(matrix: Matrix, index: int) -> str:
    """The parts that are in."""
    chosen = [part for bit, part in enumerate(matrix.parts) if index & (1 << bit)]
    return " + ".join(chosen) or "the first part alone"


def _marks(parts: tuple[str, ...]) -> tuple[tuple[Mark, ...], ...]:
    return tuple(
        tuple(Mark(part, active=bool(position & (1 << bit))) for bit, part in enumerate(parts))
        for position in range(2 ** len(parts))
    )
