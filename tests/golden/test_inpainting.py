"""img2img and inpainting, whole runs through the real loop, against the webui's own (`pipeline.*`)."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.api.request import (
    Canvas,
    GenerationRequest,
    Guidance,
    Inpaint,
    ModelRef,
    Prompt,
    Sampling,
    Seeds,
    SourcePicture,
)
from inference.engine.generate import Source, paint
from inference.engine.hires import asked_calls
from inference.engine.job import Brushes
from tests.golden.stand_in import GIVEN, IDS, ExactNetwork, IdentityVae, arrays, model_of, painted, words

CASES = [case for case in GIVEN["cases"] if "ds" in case["case"]]


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
    request = GenerationRequest(
        prompt=Prompt(case["prompt"], case["negative_prompt"]),
        canvas=Canvas(64, 64),
        seeds=Seeds(case["seeds"][0], source="cpu" if said.get("src", "CPU") == "CPU" else "gpu"),
        model=ModelRef("m"),
        sampling=Sampling(sampler=IDS[said["sampler"]], steps=said["steps"], eta=said.get("eta")),
        guidance=Guidance(cfg_scale=case["cfg_scale"]),
        count=len(case["seeds"]),
        source=source,
        extra_noise=said.get("extra_noise", 0.0),
    )
    network, vae = ExactNetwork(given), IdentityVae(given["init_latent"])
    model, device = model_of(network, vae), torch.device("cpu")
    mask = np.kron(given["mask_regenerate"][0].numpy(), np.ones((8, 8))) * 255
    picture = Source(Image.new("RGB", (64, 64)), Image.fromarray(mask.astype(np.uint8)))
    guide = words(
        case["prompt"], case["negative_prompt"], calls=asked_calls(request.sampling), before=None, request=request
    )
    paintings = [paint(request, index, model=model, device=device, source=picture) for index in range(request.count)]
    painted(Brushes(model, guide), paintings)
    expected = given[f"{case['key']}_x_final"]
    tolerance = 2e-3 if said["sampler"] in ("DPM adaptive", "DPM fast") else 1e-3
    assert (torch.cat(vae.decoded) - expected).abs().max() <= max(tolerance, 1e-2 if "SDE" in said["sampler"] else 0)
    assert network.asked == pytest.approx(case["network_t"], abs=2e-3)
