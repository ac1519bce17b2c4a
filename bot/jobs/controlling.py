"""What ControlNets add to a job: rows of theirs, in parts of a UNet's, averaged over the calls at which they act.

Owns the shares, counted in floating-point operations of the whole networks at 512² and 1024². Pure.
"""

from collections.abc import Mapping
from typing import Final

from inference.api.control import ControlUnit
from inference.api.request import GenerationRequest

SHARES: Final[Mapping[str, float]] = {"sd1": 0.334, "sd2": 0.334, "sdxl": 0.438}
"""A ControlNet's row in parts of its UNet's, by family; others are taken for SD 1, and T2I adapters, which cost less, for one."""


def control_rows(request: GenerationRequest, *, family: str, guided: int, second: bool = False) -> float:
    """UNet rows' worth of controls at a call of the first or the `second` pass; `guided` rows have no control yet."""
    other = "first pass" if second else "second pass"
    acting = [unit for unit in request.control if unit.weight and unit.during != other]
    return SHARES.get(family, SHARES["sd1"]) * sum(_rows(unit, guided) for unit in acting)


def _rows(unit: ControlUnit, guided: int) -> float:
    """A control that leaves the negative prompt alone has one row less."""
    return (max(guided - 1, 1) if unit.mode == "control" else guided) * (unit.end - unit.start)
