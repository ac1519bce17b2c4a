"""In which order the cells of a plot are painted, and with which seeds: the webui's rules.

Owns the order: the axis that is dearest to change goes outermost, so that it changes least often. Pure numbers.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple


class Cell(NamedTuple):
    """Indices of a cell's values on the three axes."""

    x: int
    y: int
    z: int


def axis_order(costs: tuple[float, float, float]) -> tuple[int, int, int]:
    """The axes (0 for X) from the outermost to the innermost: Z, Y, X, but what is strictly dearest goes outermost.

    Of the other two the dearer goes second, the later one where they cost the same.
    """
    x, y, z = costs
    if x > y and x > z:
        return (0, 1, 2) if y > z else (0, 2, 1)
    if y > x and y > z:
        return (1, 0, 2) if x > z else (1, 2, 0)
    if z > x and z > y:
        return (2, 0, 1) if x > y else (2, 1, 0)
    return (2, 1, 0)


def cells(counts: tuple[int, int, int], costs: tuple[float, float, float]) -> Iterator[Cell]:
    """All cells of `counts` values an axis, in the order of painting."""
    order = axis_order(costs)
    for place in itertools.product(*(range(counts[axis]) for axis in order)):
        found = dict(zip(order, place, strict=True))
        yield Cell(found[0], found[1], found[2])


def seed_offset(cell: Cell, counts: tuple[int, int, int], *, vary: tuple[bool, bool, bool]) -> int:
    """What is added to a cell's seed where axes `vary` it: no two cells get the same (webui)."""
    x_count = counts[0] if vary[0] else 1
    y_count = counts[1] if vary[1] else 1
    return cell.x * vary[0] + cell.y * x_count * vary[1] + cell.z * x_count * y_count * vary[2]
