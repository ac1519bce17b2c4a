"""Samplers against the originals' own numbers (`samplers.*`; how they were made: README of the vectors)."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.api.catalog import SAMPLERS as ROWS
from inference.api.sampling import UniPC
from inference.engine.sampling import SAMPLERS, SPAN_SAMPLERS, TIMESTEP_SAMPLERS, ModelTable
from inference.engine.sampling.knobs import Knobs, Span
from inference.engine.work import Evaluate, Sampling

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
IDS = {row.label: row.id for row in ROWS}
CASES = json.loads((FOLDER / "samplers.json").read_text(encoding="utf-8"))["cases"]


class Mixture:
    """The exact denoiser of a mixture of Gaussians: what the README calls the model."""

    def __init__(self, arrays: dict[str, Tensor]) -> None:
        self.arrays = arrays

    def __call__(self, x: Tensor, sigma: float, weights: str = "weights") -> Tensor:
        """D(x, sigma), each batch item by itself."""
        means, spread = self.arrays["means"], self.arrays["stds"] ** 2
        variance = spread + sigma**2
        distance = ((x.unsqueeze(1) - means) ** 2).flatten(2).sum(2)
        share = (self.arrays[weights].log() - x[0].numel() / 2 * variance.log() - distance / (2 * variance)).softmax(1)
        clean = (spread.view(-1, 1, 1, 1) * x.unsqueeze(1) + sigma**2 * means) / variance.view(-1, 1, 1, 1)
        return (share.view(*share.shape, 1, 1, 1) * clean).sum(1)

    def answer(self, call: Evaluate, cfg_scale: float) -> Any:
        """What the engine would send back: the estimate, or the guided and the unconditional one."""
        conditional = self(call.x, call.sigma)
        if not call.pair:
            return conditional
        unconditional = self(call.x, call.sigma, "weights_uncond")
        return unconditional + (conditional - unconditional) * cfg_scale, unconditional


@pytest.fixture(scope="module")
def arrays() -> dict[str, Tensor]:
    """Arrays of the file."""
    with np.load(FOLDER / "samplers.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


class Draws:
    """The case's noise, draw after draw, and what was asked for."""

    def __init__(self, arrays: dict[str, Tensor], batch: int) -> None:
        self.numbers = iter(arrays["noise"][:, :batch].double())
        self.asked: list[tuple[float, float]] = []

    def __call__(self, sigma: float, following: float) -> Tensor:
        """The next draw."""
        self.asked.append((sigma, following))
        return next(self.numbers)


def knobs_of(case: dict[str, Any]) -> Knobs:
    """The case's parameters as ours."""
    given = case["params"]
    return Knobs(
        eta=given.get("eta", 0.0 if case["kind"] == "timesteps" else 1.0),
        s_noise=given.get("s_noise", 1.0),
        churn=given.get("s_churn", 0.0),
        churn_from=given.get("s_tmin", 0.0),
        churn_to=given.get("s_tmax", float("inf")),
        unipc=UniPC(
            variant=given.get("variant", "bh1"),
            skip=given.get("skip_type", "time_uniform"),
            order=given.get("order", 3),
            lower_order_final=given.get("lower_order_final", True),
        ),
    )


def walk_of(case: dict[str, Any], x: Tensor, draws: Draws, table: ModelTable) -> Sampling:
    """The case's sampler at its start."""
    sampler, knobs = IDS[case["sampler"]], knobs_of(case)
    if sampler in TIMESTEP_SAMPLERS:
        return TIMESTEP_SAMPLERS[sampler](x, case["timesteps"], knobs, draws, table)
    if sampler in SPAN_SAMPLERS:
        return SPAN_SAMPLERS[sampler](x, Span(case["sigma_max"], case["sigma_min"], case["steps"]), knobs, draws)
    return SAMPLERS[sampler](x, case["sigmas"], knobs, draws)


def driven(walk: Sampling, answer: Callable[[Evaluate], Any]) -> tuple[Tensor, list[Evaluate]]:
    """Run a sampler with `answer`; its final latent and what it asked for."""
    given, calls = None, []
    while True:
        try:
            call = walk.send(given)
        except StopIteration as end:
            return end.value, calls
        calls.append(call)
        given = answer(call)


def run_case(case: dict[str, Any], arrays: dict[str, Tensor]) -> tuple[Tensor, list[Evaluate], Draws]:
    """The case in double precision: where it ends, its calls, its draws."""
    draws, model = Draws(arrays, case["batch"]), Mixture(arrays)
    x = arrays["x_unit"][: case["batch"]].double() * case["x_T_scale"]
    walk = walk_of(case, x, draws, ModelTable(arrays["alphas_cumprod"]))
    final, calls = driven(walk, lambda call: model.answer(call, case["params"].get("cfg", 1.0)))
    return final, calls, draws


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['sampler']}")
def test_samplers_end_where_the_original_ends(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """On an exact denoiser, in double precision, each sampler makes the original's calls and ends where it ends."""
    final, calls, draws = run_case(case, arrays)
    if case.get("error"):
        # The original breaks down here; the one call's estimate is the only sane answer.
        assert len(calls) == case["steps"] == 1
        assert (final - Mixture(arrays)(calls[0].x, calls[0].sigma)).abs().max() <= 1e-12
        return
    tolerance = 1e-5 if case["sampler"] == "LMS" else 1e-7
    assert (final - arrays[f"{case['id']}_x_final"]).abs().max() <= tolerance
    levels = [call.timestep if case["kind"] == "timesteps" else call.sigma for call in calls]
    assert levels == pytest.approx(case["model_calls"], rel=1e-9)
    if case["noise_args"]:
        assert np.array(draws.asked) == pytest.approx(np.array(case["noise_args"]), rel=1e-9)


def test_the_denoiser_is_the_one_of_the_vectors(arrays: dict[str, Tensor]) -> None:
    """The README's spot values hold, so that the other tests measure samplers and not the model."""
    model = Mixture(arrays)
    places = zip(arrays["denoiser_check_sigma"], arrays["denoiser_check_x"], arrays["denoiser_check_D"], strict=True)
    for sigma, x, expected in places:
        shape = (-1, *arrays["means"].shape[1:])
        assert (model(x.view(shape), float(sigma)) - expected.view(shape)).abs().max() <= 1e-10


def test_every_sampler_has_a_case() -> None:
    """No sampler of the catalogue goes unchecked."""
    assert {IDS[case["sampler"]] for case in CASES} == {row.id for row in ROWS}
