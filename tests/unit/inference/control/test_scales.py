"""How strongly and when: the extension's factors, and progress as it counts steps."""

import pytest

from inference.api.control import ControlUnit, Preprocessor
from inference.engine.control.scales import (
    Course,
    feature_scales,
    is_in_pass,
    is_soft,
    pace_of,
    residual_scales,
)


def test_balanced_is_the_weight_alone() -> None:
    """Every residual gets the weight."""
    assert residual_scales(0.7, 13, soft=False, xl=False) == (0.7,) * 13
    assert feature_scales(0.7, 4, soft=False) == (0.7,) * 4


def test_soft_residuals_fade_from_the_middle() -> None:
    """w · 0.825^(12 - i): thirteen for Stable Diffusion, the first ten for SDXL; other depths keep the middle whole."""
    scales = residual_scales(0.5, 13, soft=True, xl=False)
    assert scales == tuple(pytest.approx(0.5 * 0.825 ** (12 - i)) for i in range(13))
    assert residual_scales(0.5, 10, soft=True, xl=True) == pytest.approx(scales[:10])
    assert residual_scales(0.5, 7, soft=True, xl=False) == pytest.approx(scales[6:])
    assert feature_scales(2.0, 4, soft=True) == (0.5, 1.24, 1.65, 2.0)


@pytest.mark.parametrize(
    ("sampler", "seen"),
    [
        ("euler", [0, 0, 1, 2, 3, 4]),
        ("heun", [0, 0, 0, 1, 1, 2]),
        ("dpmpp_sde", [0, 0, 0, 1, 1, 2]),
        ("plms", [0, 0, 0, 1, 2, 3]),
        ("unipc", [0, 0, 0, 1, 2, 3]),
        ("heunpp2", [0, 0, 0, 0, 1, 1]),
        ("dpm_adaptive", [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]),
    ],
)
def test_progress_is_a_call_late(sampler: str, seen: list[int]) -> None:
    """A step counts once its first model call is over, so call i sees max(i - 1, 0) of the steps; later where steps end later."""
    course = Course(pace_of(sampler), 100)
    assert [round(course.progress(call) * 100) for call in range(len(seen))] == seen


def test_a_unit_acts_between_start_and_end() -> None:
    """start ≤ progress ≤ end, both included; an end of 1 is never over."""
    course = Course(pace_of("euler"), 4)
    unit = ControlUnit("n", picture="p", start=0.25, end=0.5)
    assert [course.runs(unit, call) for call in range(5)] == [False, False, True, True, False]
    whole = ControlUnit("n", picture="p")
    assert all(course.runs(whole, call) for call in range(40))


def test_passes_and_softness() -> None:
    """A unit names its passes; lines are followed softly in the second one, other modes always."""
    unit = ControlUnit("n", picture="p", during="second pass")
    assert not is_in_pass(unit, second=False)
    assert is_in_pass(unit, second=True)
    lines = ControlUnit("n", picture="p", preprocessor=Preprocessor("canny"))
    assert (is_soft(lines, second=False), is_soft(lines, second=True)) == (False, True)
    depth = ControlUnit("n", picture="p", preprocessor=Preprocessor("depth_midas"))
    assert not is_soft(depth, second=True)
    assert is_soft(ControlUnit("n", picture="p", mode="prompt"), second=False)
