"""img2img and inpainting, whole runs through the real loop, against the webui's own (`pipeline.*`)."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.api.request import Inpaint, SourcePicture
from inference.engine.generate import Source, paint
from inference.engine.hires import asked_calls
from inference.engine.job import Brushes
from inference.engine.sampling import guided_calls
from tests.golden.stand_in import GIVEN, ExactNetwork, IdentityVae, arrays, model_of, painted, requests_of, words

CASES = [case for case in GIVEN["cases"] if "ds" in case["case"] and case["case"]["sampler"] != "DPM adaptive"]
"""All but the sampler whose steps depend, in the webui, on who shares its batch; it is held in `test_pipeline`."""


@pytest.fixture(scope="module")
def given() -> dict[str, Tensor]:
    """The arrays of the file."""
    return arrays()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['key']} {case['case']['sampler']}")
def test_a_picture_from_a_picture_is_the_original(case: dict[str, Any], given: dict[str, Tensor]) -> None:
    """Steps, noise, masks and extra noise give the original's final latent, with as many model calls at the same times."""
    said = case["case"]
    source = SourcePicture(
        "p",
        denoising_strength=said["ds"],
        exact_steps=said.get("fix", False),
        inpaint=Inpaint("m", blur=0) if said.get("mask") else None,
    )
    requests = requests_of(case, source=source)
    sampling, velocity = requests[0].sampling, said.get("v", False)
    network = ExactNetwork(given, requests[0], velocity=velocity)
    vae, device = IdentityVae(given["init_latent"]), torch.device("cpu")
    model = model_of(network, vae, velocity=velocity)
    mask = np.kron(given["mask_regenerate"][0].numpy(), np.ones((8, 8))) * 255
    picture = Source(Image.new("RGB", (64, 64)), Image.fromarray(mask.astype(np.uint8)))
    guided = guided_calls(sampling, source.denoising_strength, exact_steps=source.exact_steps)
    guide = words(requests[0], calls=asked_calls(sampling), guided=guided)
    painted(Brushes(model, guide), [paint(each, 0, model=model, device=device, source=picture) for each in requests])
    expected = given[f"{case['key']}_x_final"]
    tolerance = 2e-3 if said["sampler"] in ("DPM adaptive", "DPM fast") else 1e-3
    assert (torch.cat(vae.decoded) - expected).abs().max() <= max(tolerance, 1e-2 if "SDE" in said["sampler"] else 0)
    assert network.asked == pytest.approx(case["network_t"], abs=2e-3)
