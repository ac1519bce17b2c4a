"""From three axes and a request to the cells of a plot: what each paints, what it is called, and where it stands.

Owns the plan. Pure: it sees what is known and asks nobody.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.plots import changes
from bot.requests.plots.axes import NOTHING, AxisRow, apply, axis_named, written
from bot.requests.plots.changes import Here
from bot.requests.plots.layout import Layout, Mark
from bot.requests.plots.order import Cell, cells, seed_offset
from bot.requests.plots.values import Value, read_values
from inference.api.errors import RequestInvalid
from inference.api.request import SEED_LIMIT, GenerationRequest

_SEEDS: Final = frozenset({"Seed", "Var. seed"})
_NAMES: Final = "XYZ"


class Axis(msgspec.Struct, frozen=True):
    """An axis with its values: `text` as typed, `values` as read."""

    row: AxisRow
    text: str
    values: tuple[Value, ...]


class Planned(msgspec.Struct, frozen=True):
    """One cell: what it paints, and its name (its values on all axes)."""

    request: GenerationRequest
    label: str


class Plan(msgspec.Struct, frozen=True):
    """`cells` in the order of painting."""

    cells: tuple[Planned, ...]
    layout: Layout


def read_axes(
    typed: Sequence[tuple[str | None, str | None]], *, img: bool, random_seed: Callable[[], int], keep_random: bool
) -> tuple[Axis, Axis, Axis]:
    """The three axes that `typed` (label and values of X, Y and Z) means. Raises RequestRefused, LimitReached.

    A seed of -1 is drawn once here, so that it is the same along the other axes, unless `keep_random`.
    """
    read: list[Axis] = []
    for name, (label, text) in zip(_NAMES, typed, strict=True):
        row = axis_named(label, img=img)
        if row is NOTHING:
            if text and text.strip():
                raise RequestRefused(f"There are values for {name} and no axis; choose one as {name.lower()}_axis.")
            read.append(Axis(NOTHING, "", ("",)))
            continue
        values = read_values(row.kind, text or "")
        if not values:
            raise RequestRefused(f"The axis “{row.label}” has no values; give some as {name.lower()}_values.")
        if row.label in _SEEDS and not keep_random:
            values = tuple(random_seed() if value == -1 else value for value in values)
        read.append(Axis(row, text or "", values))
    if all(axis.row is NOTHING for axis in read):
        raise RequestRefused("A plot needs an axis: choose one as x_axis, and give its values as x_values.")
    x, y, z = read
    return x, y, z


def count(axes: tuple[Axis, Axis, Axis]) -> int:
    """How many cells they make."""
    return math.prod(len(axis.values) for axis in axes)


def plan(
    base: GenerationRequest, axes: tuple[Axis, Axis, Axis], here: Here, *, vary: tuple[bool, bool, bool], legend: bool
) -> Plan:
    """All cells over `base`. Raises RequestRefused, LimitReached for the first cell that cannot be."""
    x, y, z = axes
    counts = len(x.values), len(y.values), len(z.values)
    costs = x.row.cost, y.row.cost, z.row.cost
    planned: list[Planned] = []
    places: list[tuple[int, int, int]] = []
    for cell in cells(counts, costs):
        request = _request(base, axes, here, cell=cell)
        try:
            planned.append(Planned(_varied(request, seed_offset(cell, counts, vary=vary)), _label(axes, cell)))
        except RequestInvalid as error:
            raise RequestRefused(str(error)) from error
        places.append((cell.z, cell.y, cell.x))
    layout = Layout(
        columns=counts[0],
        rows=counts[1],
        pages=counts[2],
        places=tuple(places),
        across=_legend(x) if legend else (),
        down=_legend(y) if legend else (),
        titles=tuple(marks[0] for marks in _legend(z)) if legend else (),
        words=tuple(
            f"{name}: {axis.row.label}: {axis.text.strip()}"
            for name, axis in zip(_NAMES, axes, strict=True)
            if axis.row is not NOTHING
        ),
        facts=facts(axes, keep_random=any(value == -1 for axis in axes for value in axis.values)),
    )
    return Plan(tuple(planned), layout)


def facts(axes: tuple[Axis, Axis, Axis], *, keep_random: bool) -> dict[str, str]:
    """What the grid's parameter text says of them, in the webui's words."""
    said = {"Script": "X/Y/Z plot"}
    for name, axis in zip(_NAMES, axes, strict=True):
        if axis.row is NOTHING:
            continue
        said |= {f"{name} Type": axis.row.label, f"{name} Values": axis.text}
        if axis.row.label in _SEEDS and not keep_random:
            said[f"Fixed {name} Values"] = ", ".join(str(value) for value in axis.values)
    return said


def _request(base: GenerationRequest, axes: tuple[Axis, Axis, Axis], here: Here, *, cell: Cell) -> GenerationRequest:
    """`base` with the values of `cell`: first what begins anew or chooses a checkpoint, then X, Y, Z."""
    request = base
    for axis, index in sorted(zip(axes, cell, strict=True), key=lambda each: not each[0].row.early):
        value = axis.values[index]
        try:
            if axis.row.change is changes.search_replace:
                request = changes.replaced(request, first=str(axis.values[0]), value=str(value))
            else:
                request = apply(axis.row, value, request, here)
        except RequestInvalid as error:
            raise RequestRefused(f"{axis.row.label}: {error}") from error
    return request


def _varied(request: GenerationRequest, offset: int) -> GenerationRequest:
    seed = min(request.seeds.seed + offset, SEED_LIMIT - request.count) if offset else request.seeds.seed
    return msgspec.structs.replace(request, seeds=msgspec.structs.replace(request.seeds, seed=seed))


def _label(axes: tuple[Axis, Axis, Axis], cell: Cell) -> str:
    parts = (
        written(axis.row, axis.values[index]) for axis, index in zip(axes, cell, strict=True) if axis.row is not NOTHING
    )
    return " · ".join(part or "(nothing)" for part in parts)


def _legend(axis: Axis) -> tuple[tuple[Mark, ...], ...]:
    if axis.row is NOTHING:
        return ((Mark(""),),)
    return tuple((Mark(written(axis.row, value)),) for value in axis.values)
