"""What each kind of network adds to a layer, against the webui's own numbers in `lora.*`."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.embeddings import Timesteps
from safetensors.torch import load_file
from torch import Tensor

from inference.engine.families import FAMILIES
from inference.engine.networks.activation import strengths
from inference.engine.networks.keys import SUFFIXES
from inference.engine.networks.kinds import delta_of
from inference.engine.prompt.networks import strip_networks

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
VECTORS: dict[str, Any] = json.loads((FOLDER / "lora.json").read_text(encoding="utf-8"))
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    """The arrays of the vectors."""
    return load_file(FOLDER / "lora.safetensors")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_what_a_network_adds(case: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Weight and bias changes, times the tag's strength for that side, equal the webui's."""
    prefix = f"{case['name']}.net."
    weights = {SUFFIXES[key.removeprefix(prefix)]: value for key, value in tensors.items() if key.startswith(prefix)}
    strength = case[f"{case['applies']}_multiplier"]
    delta = delta_of(weights, tensors[f"{case['name']}.orig"], rank=case["dyn_dim"])
    want = tensors[f"{case['name']}.delta"]
    assert delta.weight is not None
    assert (delta.weight * strength - want).abs().max() <= TOLERANCE * want.abs().max()
    assert (delta.bias is not None) == case.get("has_bias_delta", False)
    if delta.bias is not None:
        want = tensors[f"{case['name']}.bias_delta"]
        assert (delta.bias * strength - want).abs().max() <= TOLERANCE * want.abs().max()


@pytest.mark.parametrize("case", VECTORS["sdxl_size_embedding"], ids=lambda case: case["key"])
def test_sizes_reach_sdxl_as_in_the_original(case: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Sizes and crop, in the order in which a request's are told, become the original's 1536 numbers in our UNet."""
    config = FAMILIES["sdxl"].config()["unet"]
    width = config["addition_time_embed_dim"]
    embed = Timesteps(width, config["flip_sin_to_cos"], config["freq_shift"])
    size = case["height"], case["width"]
    told = torch.tensor([*size, case["crop_top"], case["crop_left"], *size])
    # one unit in the last place of a frequency, which processors round differently, times a size of a thousand
    assert (embed(told).flatten() - tensors[case["key"]]).abs().max() <= 5e-5


@pytest.mark.parametrize("case", VECTORS["tag_args"], ids=[case["text"] for case in VECTORS["tag_args"]])
def test_arguments_of_tags(case: dict[str, Any]) -> None:
    """Names, strengths and ranks are read from a tag as in the webui; what is no number is an error."""
    remaining, tags = strip_networks(case["text"])
    if "error" in case:
        with pytest.raises(ValueError, match=r"convert|needs a name"):
            [strengths(tag) for tag in tags]
        return
    assert remaining == case["remaining"]
    assert [tag.name for tag in tags] == case["names"]
    assert [strengths(tag) for tag in tags] == list(zip(case["te"], case["unet"], case["dyn"], strict=True))
