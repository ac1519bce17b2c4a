"""Samplers, schedules and noise against the webui's own numbers (`samplers.*`, `noise.*`; how they were made: README)."""

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
from inference.api.catalog import SCHEDULES as SCHEDULE_ROWS
from inference.api.request import Sampling, Seeds
from inference.engine.noise import initial_noise, philox_normals
from inference.engine.sampling import SAMPLERS, SCHEDULES, TIMESTEP_SAMPLERS, ModelTable, model_calls, sample
from inference.engine.sampling.run import ddim_timesteps, schedule_of
from inference.engine.sampling.samplers import Knobs
from inference.engine.work import Evaluate

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
IDS = {row.label: row.id for row in ROWS}
SCHEDULE_IDS = {row.label: row.id for row in SCHEDULE_ROWS}
CASES = [
    case
    for case in json.loads((FOLDER / "samplers.json").read_text(encoding="utf-8"))["cases"]
    if case["sampler"] in IDS
]
NOISES = [
    case
    for case in json.loads((FOLDER / "noise.json").read_text(encoding="utf-8"))["cases"]
    if case["kind"] in ("initial", "variation", "sequence")
]
BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
TABLE = ModelTable((1 - BETAS).cumprod(0).float())


@pytest.fixture(scope="module")
def arrays() -> dict[str, Tensor]:
    """Arrays of both files."""
    found: dict[str, Tensor] = {}
    for name in ("samplers.npz", "noise.npz"):
        with np.load(FOLDER / name) as file:
            found |= {key: torch.from_numpy(file[key]) for key in file.files}
    return found


def exact_denoiser(x: Tensor, sigma: float, arrays: dict[str, Tensor]) -> Tensor:
    """The ideal estimate for a mixture of Gaussians."""
    means, weights = arrays["means"], arrays["weights"]
    variance = arrays["stds"] ** 2 + sigma**2
    distance = ((x.unsqueeze(1) - means) ** 2).flatten(2).sum(2)
    share = (weights.log() - 128 * variance.log() - distance / (2 * variance)).softmax(1)
    spread = arrays["stds"] ** 2
    clean = (spread.view(-1, 1, 1, 1) * x.unsqueeze(1) + sigma**2 * means) / variance.view(-1, 1, 1, 1)
    return (share.view(*share.shape, 1, 1, 1) * clean).sum(1)


def knobs_of(case: dict[str, Any]) -> Knobs:
    """The case's parameters as ours."""
    given = case["params"]
    return Knobs(
        eta=given.get("eta", 0.0 if case["kind"] == "timesteps" else 1.0),
        s_noise=given.get("s_noise", 1.0),
        churn=given.get("s_churn", 0.0),
        churn_from=given.get("s_tmin", 0.0),
        churn_to=given.get("s_tmax", float("inf")),
    )


def driven(walk: Any, answer: Callable[[Evaluate], Tensor]) -> tuple[Tensor, int]:
    """Run a sampler with `answer`; its final latent and how many estimates it asked for."""
    given, count = None, 0
    while True:
        try:
            wanted = walk.send(given)
        except StopIteration as end:
            return end.value, count
        given, count = answer(wanted), count + 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['sampler']}")
def test_samplers_end_where_the_original_ends(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """On an exact denoiser, in double precision, each sampler gives the original's final latent."""
    draws = iter(arrays["noise"][:, : case["batch"]].double())
    x = arrays["x_unit"][: case["batch"]].double() * case["x_T_scale"]
    if case["kind"] == "timesteps":
        walk = TIMESTEP_SAMPLERS[IDS[case["sampler"]]](
            x, case["timesteps"], knobs_of(case), lambda: next(draws), ModelTable(arrays["alphas_cumprod"])
        )
    else:
        walk = SAMPLERS[IDS[case["sampler"]]](x, case["sigmas"], knobs_of(case), lambda: next(draws))
    final, _ = driven(walk, lambda wanted: exact_denoiser(wanted.x, wanted.sigma, arrays))
    tolerance = max(1e-5, 100 * case["sensitivity_1e-6"])
    assert (final - arrays[f"{case['id']}_x_final"]).abs().max() < tolerance


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case["zsnr"] and case["scheduler"] in SCHEDULE_IDS],
    ids=lambda case: f"{case['id']} {case['scheduler']}",
)
def test_schedules_give_the_original_sigmas(case: dict[str, Any]) -> None:
    """The sigmas (or timesteps) of a sampler and a schedule are the original's."""
    if case["kind"] == "timesteps":
        assert ddim_timesteps(case["steps"]) == list(case["timesteps"])
        return
    sampling = Sampling(sampler=IDS[case["sampler"]], schedule=SCHEDULE_IDS[case["scheduler"]], steps=case["steps"])
    assert schedule_of(sampling, TABLE) == pytest.approx(case["sigmas"], rel=1e-5)


@pytest.mark.parametrize("case", NOISES, ids=lambda case: case["key"])
def test_noise_is_the_original(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """First noise, variations and the draws that follow are the webui's, for both sources."""
    source = "cpu" if case["source"] == "CPU" else "gpu"
    expected = arrays[case["key"]]
    expected = expected if case["kind"] == "sequence" else expected.unsqueeze(0)
    for i, seed in enumerate(case["seeds"]):
        strength = case.get("subseed_strength", 0.0)
        seeds = Seeds(
            seed=seed % 2**32,
            variation_seed=(case["subseeds"][i] - i) if strength else 0,
            variation_strength=strength,
            source=source,
        )
        base = Seeds(seed=seeds.seed, source=source) if not strength else seeds
        if seed >= 2**32 or not strength:
            # A picture of a job may have a seed beyond the limit: the first one's plus its index.
            index = seed - min(seed, 2**32 - 1)
            base, offset = Seeds(seed=seed - index, source=source), index
        else:
            offset = i
        noise, stream = initial_noise(
            base, offset, (1, *case["latent_shape"]), ensd=case.get("eta_noise_seed_delta", 0)
        )
        draws = [noise, *(stream.next(noise.shape) for _ in range(len(expected) - 1))]
        assert (torch.cat(draws) - expected[:, i]).abs().max() <= 2e-6


def test_philox_begins_as_cuda_does() -> None:
    """Seed 0 begins with the four numbers that CUDA gives."""
    assert philox_normals(0, 0, 4).tolist() == pytest.approx([-0.92466, -0.42534, -2.64384, 0.14518], abs=1e-5)


@pytest.mark.parametrize("strength", [None, 0.0, 0.3, 0.75, 1.0])
@pytest.mark.parametrize("sampler", [row.id for row in ROWS])
@pytest.mark.parametrize("steps", [1, 2, 20, 30, 150])
def test_calls_are_counted_before_they_run(sampler: str, strength: float | None, steps: int) -> None:
    """`model_calls` says exactly how many estimates a sampler will ask for, with and without a source."""
    sampling = Sampling(sampler=sampler, steps=steps)
    latent = None if strength is None else torch.zeros(1, 4, 2, 2)
    _, stream = initial_noise(Seeds(1), 0, (1, 4, 2, 2))
    run = sample(
        sampling, table=TABLE, noise=torch.ones(1, 4, 2, 2), stream=stream, latent=latent, denoising_strength=strength
    )
    final, count = driven(run, lambda wanted: wanted.x * 0.5)
    assert torch.isfinite(final).all()
    assert count == model_calls(sampling, strength)


def test_img2img_runs_one_step_more() -> None:
    """20 steps at 0.75 run 16, as in the webui (diffusers: 15)."""
    assert model_calls(Sampling(sampler="euler", steps=20), 0.75) == 16


def test_every_row_of_the_catalogue_can_run() -> None:
    """Catalogue and engine name the same samplers and schedules."""
    assert {row.id for row in ROWS} == {*SAMPLERS, *TIMESTEP_SAMPLERS}
    assert {row.id for row in SCHEDULE_ROWS} - {"automatic"} == set(SCHEDULES)
