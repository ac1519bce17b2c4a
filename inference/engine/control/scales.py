"""How strongly a control acts on each residual, and at which model calls (the webui's ControlNet extension, v1.1).

Owns the arithmetic of weights, modes and schedules. Touches no tensor.
"""

from dataclasses import dataclass

from inference.api.catalog import SAMPLERS
from inference.api.control import ControlUnit

SOFTNESS = 0.825
"""By how much a soft control's residuals lose with each step away from the middle of the UNet."""
ADAPTER_SOFTNESS = (0.25, 0.62, 0.825, 1.0)
"""The same for the features of a T2I adapter, from the finest to the coarsest."""
SOFT_WHEN_ENLARGED = ("canny", "mlsd")
"""Preprocessors of sharp lines: their controls are soft in the second pass of hires fix, whatever their mode."""
_ORDERS = {row.id: row.order for row in SAMPLERS}


@dataclass(frozen=True, slots=True)
class Pace:
    """How a sampler's model calls become steps as the webui counts them: so many `calls` a step, known `lag` calls late."""

    calls: int
    lag: int = 1


_PACES = {
    "plms": Pace(1, 2),
    "unipc": Pace(1, 2),
    "heunpp2": Pace(3),
    "dpm_fast": Pace(3),
    "dpm_adaptive": Pace(3, 3),
}
"""Samplers whose steps are not told by the order in the catalogue. The webui counts a step once its first call is over, at
the ends of steps here: of those that begin with a call more (PLMS, UniPC), and of DPM adaptive."""


def pace_of(sampler: str) -> Pace:
    """The pace of `sampler` (an id of the catalogue)."""
    return _PACES.get(sampler) or Pace(_ORDERS[sampler])


@dataclass(frozen=True, slots=True)
class Course:
    """One pass: its sampler's pace, and the `steps` that really run."""

    pace: Pace
    steps: int

    def progress(self, call: int) -> float:
        """The share of the steps that is over at model call `call` (from 0), as the webui knows it: a call late, at most 1."""
        return min(max(call - self.pace.lag, 0) // self.pace.calls / max(self.steps, 1), 1.0)

    def runs(self, unit: ControlUnit, call: int) -> bool:
        """Whether `unit` acts at model call `call`."""
        return unit.start <= self.progress(call) <= unit.end


def is_in_pass(unit: ControlUnit, *, second: bool) -> bool:
    """Whether `unit` acts in the first or the `second` pass of hires fix."""
    return unit.during != ("first pass" if second else "second pass")


def is_soft(unit: ControlUnit, *, second: bool) -> bool:
    """Whether the fine residuals are weakened."""
    return unit.mode != "balanced" or (second and any(name in unit.preprocessor.id for name in SOFT_WHEN_ENLARGED))


def residual_scales(weight: float, count: int, *, soft: bool, xl: bool) -> tuple[float, ...]:
    """Factors of a ControlNet's `count` residuals, the middle's last: `weight`, or `weight` · 0.825^(12 - i) where it is soft.

    Stable Diffusion has 13 of them. SDXL's ten take the first ten factors (as in the extension); nets of other depths take
    the last ones, so that the middle keeps the whole weight.
    """
    last = 12 if xl else count - 1
    return tuple(weight * SOFTNESS ** (last - number) if soft else weight for number in range(count))


def feature_scales(weight: float, count: int, *, soft: bool) -> tuple[float, ...]:
    """Factors of a T2I adapter's `count` features, the finest first."""
    if not soft:
        return (weight,) * count
    return tuple(weight * (ADAPTER_SOFTNESS[number] if number < 4 else 1.0) for number in range(count))
