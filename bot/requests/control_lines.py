"""Controls in words: what is told of them, and how a list of them stands in a form.

Owns the spelling of a line (`1. Canny edges, control_canny: 0.8, 0-1`) and its sentence where it is none. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.controls import RESIZES
from bot.requests.drafts import shown
from inference.api.control import NO_PREPROCESSOR, ControlUnit
from inference.api.errors import RequestInvalid
from inference.api.preprocessors import row_of
from inference.api.request import Canvas

_SHAPES: Final = (
    "it is stretched to fit",
    "what stands over is cut off",
    "it is fitted inside, and what is missing is filled from its edges",
)
_SKEW: Final = 0.06
"""By how much proportions may differ without being another shape: canvases come in steps."""
_NUMBER: Final = r"[0-9]{0,4}[.,]?[0-9]{1,6}"
_LINE: Final = re.compile(
    rf"(?P<weight>{_NUMBER})(?:\s*[,;]?\s*(?P<start>{_NUMBER})\s*(?:[-–]|to)\s*(?P<end>{_NUMBER}))?"
)


def shape_note(size: tuple[int, int], canvas: Canvas, resize_mode: int) -> str:
    """What becomes of a control picture of `size` on a canvas of another shape; empty where they have the same."""
    width, height = size
    if abs(width * canvas.height - height * canvas.width) <= _SKEW * width * canvas.height:
        return ""
    return (
        f"The control picture has {width:,} × {height:,} pixels and the canvas {canvas.width:,} × {canvas.height:,}, another "
        f"shape: {_SHAPES[resize_mode]} ({RESIZES[resize_mode]}). “Change” offers the other ways."
    )


def kind_of(unit: ControlUnit) -> str:
    """The label of a control's preprocessor."""
    row = row_of(unit.preprocessor)
    return unit.preprocessor.id if row is None else row.label


def map_alt(unit: ControlUnit, *, number: int, name: str = "") -> str:
    """What a map shows, for who cannot see it; `number` counts from 1, `name` is its picture's."""
    what = "the picture itself" if unit.preprocessor.id == NO_PREPROCESSOR else kind_of(unit)
    return shown(f"Map of control {number}: {what}{f' of {name}' if name else ''}", limit=900)


def phrase(units: Sequence[ControlUnit]) -> str:
    """All controls in a few words, to tell what changed."""
    return ", ".join(f"{kind_of(unit)} {unit.weight:g}{_span(unit)}" for unit in units) or "none"


def units_text(units: Sequence[ControlUnit]) -> str:
    """Controls as `read_units` reads them: one a line with its weight, and from where to where it acts."""
    return "\n".join(
        f"{number}. {kind_of(unit)}, {unit.model}: {unit.weight:g}, {unit.start:g}-{unit.end:g}"
        for number, unit in enumerate(units, 1)
    )


def read_units(text: str, old: Sequence[ControlUnit]) -> tuple[ControlUnit, ...]:
    """`old` with what the lines of `text` say; those without a line are left out. Raises RequestRefused."""
    return tuple(_read_lines(text, old))


def _read_lines(text: str, old: Sequence[ControlUnit]) -> Iterator[ControlUnit]:
    seen: set[int] = set()
    for line in filter(str.strip, text.splitlines()):
        head, _, tail = line.rpartition(":")
        number = re.match(r"\s*([0-9]{1,2})\b", head)
        said = _LINE.fullmatch(tail.strip())
        if number is None or said is None:
            raise RequestRefused(
                f"“{shown(line)}” is no control; write its number, a colon, its weight and from where to where it acts, "
                "such as 1: 0.8, 0-1. A line that is taken out takes the control out."
            )
        index = int(number[1])
        if not 1 <= index <= len(old) or index in seen:
            raise RequestRefused(
                f"There is no further control {index} here; each line begins with the number that it had. New controls are "
                "added with 🕹️ under the picture."
            )
        seen.add(index)
        yield _weighed(old[index - 1], said)


def _weighed(unit: ControlUnit, said: re.Match[str]) -> ControlUnit:
    start, end = said["start"], said["end"]
    try:
        return msgspec.structs.replace(
            unit,
            weight=_float(said["weight"]),
            start=unit.start if start is None else _float(start),
            end=unit.end if end is None else _float(end),
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def _span(unit: ControlUnit) -> str:
    return "" if (unit.start, unit.end) == (0.0, 1.0) else f" ({unit.start:g} to {unit.end:g})"
