"""Noise against the webui's own numbers (`noise.*`; how they were made: README of the vectors)."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.api.request import SEED_LIMIT, Seeds
from inference.engine.noise import NoiseStream, initial_noise, slerp
from inference.engine.philox import philox_normals

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
CASES = json.loads((FOLDER / "noise.json").read_text(encoding="utf-8"))["cases"]
SOURCES = {"CPU": "cpu", "NV": "gpu"}


@pytest.fixture(scope="module")
def arrays() -> dict[str, Tensor]:
    """Arrays of the file."""
    with np.load(FOLDER / "noise.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


def of_kind(*kinds: str) -> list[Any]:
    """Cases of these kinds, as pytest takes them."""
    return [pytest.param(case, id=case["key"]) for case in CASES if case["kind"] in kinds]


def seeds_of(case: dict[str, Any], image: int) -> tuple[Seeds, int]:
    """The request's seeds and the index of its picture that give picture `image` of `case`."""
    strength, seed = case.get("subseed_strength", 0.0), case["seeds"][image]
    given: dict[str, Any] = {"source": SOURCES[case["source"]]}
    if "seed_resize_from_w" in case:
        given["resize_from"] = (case["seed_resize_from_w"], case["seed_resize_from_h"])
    if strength:
        given |= {"variation_strength": strength, "variation_seed": case["subseeds"][image]}
        return Seeds(seed=seed, **given), 0
    # A later picture of a job may have a seed beyond the limit of requests: the first one's plus its index.
    beyond = max(0, seed - (SEED_LIMIT - 1))
    return Seeds(seed=seed - beyond, **given), beyond


def drawn(case: dict[str, Any], image: int, draws: int) -> Tensor:
    """The first noise of picture `image` and the draws after it, (draws, C, h, w)."""
    seeds, index = seeds_of(case, image)
    first, stream = initial_noise(seeds, index, (1, *case["latent_shape"]), ensd=case.get("eta_noise_seed_delta", 0))
    return torch.cat([first, *(stream.next(first.shape) for _ in range(draws - 1))])


def tolerance(case: dict[str, Any]) -> float:
    """Exact for torch's own generator, except where an interpolation rounds; a few ulp of sin and log for CUDA's."""
    return 2e-6 if case["source"] == "NV" or case.get("subseed_strength") else 0.0


@pytest.mark.parametrize("case", of_kind("initial", "variation", "seed_resize"))
def test_first_noise(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """Every picture of a batch begins with the webui's noise: plain, varied, or drawn at another size."""
    for image, expected in enumerate(arrays[case["key"]]):
        assert (drawn(case, image, 1)[0] - expected).abs().max() <= tolerance(case)


@pytest.mark.parametrize("case", of_kind("sequence"))
def test_draws_that_follow(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """A sampler gets the webui's draws after the first noise, with and without an eta noise seed delta."""
    expected = arrays[case["key"]]
    for image in range(expected.shape[1]):
        assert (drawn(case, image, len(expected)) - expected[:, image]).abs().max() <= tolerance(case)


@pytest.mark.parametrize("case", of_kind("seed_resize_then_next"))
def test_draws_after_a_resized_seed(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """Drawing the first noise at another size moves the picture's own stream by one draw only."""
    origin = next(other for other in CASES if other["key"] == case["key"].removesuffix("_next2"))
    expected = arrays[case["key"]]
    for image in range(expected.shape[1]):
        assert (drawn(origin, image, 1 + len(expected))[1:] - expected[:, image]).abs().max() <= tolerance(case)


@pytest.mark.parametrize("case", of_kind("brownian", "brownian_sde"))
def test_brownian_increments(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """SDE samplers get the webui's increments: one path a picture, whatever is asked of it in which order."""
    levels = [sigma for sigma in case["sigmas"] if sigma > 0]
    for image, seed in enumerate(case["seeds"]):
        stream = NoiseStream(seed, SOURCES[case["source"]])  # type: ignore[arg-type]
        path = stream.brownian(min(levels), max(levels), case["latent_shape"])
        found = torch.stack([path(*call) for call in case["calls"]])
        assert (found - arrays[case["key"]][:, image]).abs().max() <= 1e-5


@pytest.mark.parametrize("case", of_kind("philox_sequence"))
def test_philox_counts_draws_not_numbers(case: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """Draw after draw of one generator, each of many numbers."""
    (seed,) = case["seeds"]
    for number, expected in enumerate(arrays[case["key"]]):
        found = philox_normals(seed, number, expected.numel()).view_as(expected)
        assert (found - expected).abs().max() <= 2e-6


def test_philox_begins_as_cuda_does() -> None:
    """Seed 0 begins with the four numbers that CUDA gives."""
    assert philox_normals(0, 0, 4).tolist() == pytest.approx([-0.92466, -0.42534, -2.64384, 0.14518], abs=1e-5)


def test_slerp(arrays: dict[str, Tensor]) -> None:
    """Interpolation on the sphere, and its nearly parallel branch with the weights as the webui has them."""
    (across,) = (case for case in CASES if case["key"] == "slerp_out")
    (near,) = (case for case in CASES if case["key"] == "slerp_near")
    low, high = arrays["slerp_low"], arrays["slerp_high"]
    for share, expected in zip(across["vals"], arrays["slerp_out"], strict=True):
        assert (slerp(share, low, high) - expected).abs().max() <= 1e-6
    for share, expected in zip(near["vals"], arrays["slerp_near"].view(len(near["vals"]), *low.shape), strict=True):
        found = slerp(share, low, low * 1.01 + 1e-4 * high)
        assert (found - expected).abs().max() <= 1e-6
