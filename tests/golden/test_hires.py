"""Hires fix against the webui's own: sizes, the six ways to stretch a latent (`images.*`), and whole runs (`pipeline.*`)."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.api.catalog import LATENT_UPSCALERS as ROWS
from inference.api.request import GenerationRequest, Hires
from inference.api.sizes import HiresSize, hires_size
from inference.engine.generate import Easel, Palette, enlarged, from_words
from inference.engine.hires import LATENT_UPSCALERS, asked_calls, cropped, second_pass, stretched
from inference.engine.job import Brushes
from inference.engine.picture import to_picture
from inference.engine.sampling import guided_calls
from inference.engine.work import Decode, Painting, TakeUp
from tests.golden.stand_in import (
    FOLDER,
    GIVEN,
    ExactNetwork,
    IdentityVae,
    arrays,
    model_of,
    painted,
    requests_of,
    words,
)

PICTURES: dict[str, Any] = json.loads((FOLDER / "images.json").read_text(encoding="utf-8"))
CASES = [case for case in GIVEN["cases"] if "hr" in case["case"] and case["case"]["sampler"] != "DPM adaptive"]
MODES = {mode: upscaler for upscaler, mode in LATENT_UPSCALERS.items()}
LABELS = {row.label: row.id for row in ROWS}


@pytest.fixture(scope="module")
def given() -> dict[str, Tensor]:
    """The arrays of the whole runs."""
    return arrays()


@pytest.mark.parametrize(
    "case", PICTURES["hires_resolution"], ids=lambda case: f"{case['upscale_to']} {case['hr_scale']}"
)
def test_sizes_are_the_original(case: dict[str, Any]) -> None:
    """Scale, one side, or both sides give the original's target, cropping and latent."""
    wanted = case["hr_resize_x"], case["hr_resize_y"]
    size = hires_size(
        (case["width"], case["height"]), scale=case["hr_scale"], resize=None if wanted == (0, 0) else wanted
    )
    assert size.target == tuple(case["upscale_to"])
    assert size.crop == tuple(case["truncate_latent"])
    assert size.latent == tuple(case["final_latent_wh"])
    empty = torch.zeros(1, 4, size.target[1] // 8, size.target[0] // 8)
    assert cropped(empty, size).shape[-2:] == size.latent[::-1]


@pytest.mark.parametrize("case", PICTURES["latent_upscale"], ids=lambda case: case["key"])
def test_latents_stretch_as_in_the_original(case: dict[str, Any]) -> None:
    """Each latent upscaler gives the original's numbers, enlarging and shrinking."""
    with np.load(FOLDER / "images.npz") as file:
        latent, expected = torch.tensor(file["latent"]), torch.tensor(file[case["key"]])
    size = HiresSize((case["w"] * 8, case["h"] * 8), (0, 0), (case["w"], case["h"]))
    grown = stretched(latent, LABELS[case["mode_label"]], size)
    assert (grown - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['key']} {case['case']['sampler']}")
def test_a_second_pass_is_the_original(case: dict[str, Any], given: dict[str, Tensor]) -> None:
    """Both passes: prompts that change between them, new noise, exact steps; the original's final latent and timesteps.

    Some of the recorded sizes are out of proportion, which no request can say; so the passes are joined here.
    """
    said, wanted = case["case"], case["case"]["hr"]
    height, width = wanted["size"]
    hires = Hires(
        upscaler=MODES[wanted["mode"], wanted["aa"]],
        steps=wanted["steps"],
        denoising_strength=wanted["ds"],
    )
    requests = requests_of(case, hires=hires)
    sampling, velocity = requests[0].sampling, said.get("v", False)
    network = ExactNetwork(given, requests[0], velocity=velocity)
    vae = IdentityVae(given["init_latent"])
    model, changes = model_of(network, vae, velocity=velocity), second_pass(requests[0], hires)
    first = words(requests[0], calls=asked_calls(sampling), guided=guided_calls(sampling))
    again = guided_calls(changes.sampling, hires.denoising_strength, exact_steps=True)
    second = Brushes(model, words(requests[0], calls=changes.calls, guided=again, before=changes.before))
    size = HiresSize((width * 8, height * 8), (0, 0), (width, height))

    def both(request: GenerationRequest) -> Painting:
        easel = Easel(request, 0, torch.device("cpu"), Palette(TakeUp(lambda: second)))
        latent = yield from from_words(easel, model)
        larger = yield from enlarged(easel, latent, lambda _: size)
        return to_picture((yield Decode(larger)))

    painted(Brushes(model, first), [both(request) for request in requests])
    tolerance = 1e-2 if "SDE" in said["sampler"] else 1e-3
    assert (torch.cat(vae.decoded) - given[f"{case['key']}_x_final"]).abs().max() <= tolerance
    assert network.asked == pytest.approx(case["network_t"], abs=2e-3)
