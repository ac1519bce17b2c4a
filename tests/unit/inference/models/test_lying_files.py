"""Files that lie: whatever stands in a network or a learned word, it is read or refused in words, never anything else."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file
from torch import Tensor

from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import load_checkpoint
from inference.engine.embeddings import load_bundled, load_embedding
from inference.engine.networks.activation import activate
from inference.engine.networks.hypernetworks import read_hypernetwork
from inference.engine.prompt.networks import strip_networks
from tests.checkpoints import write_tiny_checkpoint

LAYER = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
T = torch.ones
UP, DOWN = {"lora_up.weight": T(16, 2)}, {"lora_down.weight": T(2, 16)}


def test_networks_of_wrong_shapes_are_refused_and_the_base_stays(tmp_path: Path) -> None:
    """A half of a pair, numbers that should be one, scalars and biases that are none: by name, with the base untouched."""
    path = write_tiny_checkpoint(tmp_path / "a.safetensors")
    info = ModelFile("a", str(path), "", "sd1")
    checkpoint = load_checkpoint(info, device=torch.device("cpu"), dtype=torch.float32)
    before = {name: value.clone() for name, value in checkpoint.unet.state_dict().items()}
    cases: list[tuple[str, dict[str, Tensor]]] = [
        (LAYER, UP),
        (LAYER, UP | DOWN | {"alpha": T(3)}),
        (LAYER, UP | DOWN | {"scale": T(0)}),
        (LAYER, {"lora_up.weight": T(()), "lora_down.weight": T(())}),
        (LAYER, {"hada_w1_a": T(2)}),
        (LAYER, {"lokr_w1": T(2), "lokr_w2": T(2)}),
        (LAYER, {"oft_blocks": T(4)}),
        (LAYER, {"weight": T(16), "on_input": T(2)}),
        ("lora_unet_conv_in", {"diff_b": T(())}),
        ("lora_unet_conv_norm_out", {"lora_up.weight": T(16, 1), "lora_down.weight": T(1, 1)}),
    ]
    for layer, parts in cases:
        file = tmp_path / "x.safetensors"
        save_file({f"{layer}.{part}": value for part, value in parts.items()}, file)
        (wanted,) = strip_networks("<lora:x:1>")[1]
        with pytest.raises(BrokenModel, match="The LoRA “x” cannot be used with “a”: it does not fit"):
            activate(checkpoint, [wanted], Inventory(loras=(ModelFile("x", str(file), "", "unknown"),)))
        after = checkpoint.unet.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("value", ["x", {}, None, [[1], [1, 2]], [[[1.0]]], [float("inf")]])
def test_cards_that_lie_are_refused(tmp_path: Path, value: Any) -> None:
    """Whatever stands where a card's numbers should, the card is refused in words."""
    text = json.dumps({"string_to_param": {"*": {"TORCHTENSOR": value}}})
    said = PngImagePlugin.PngInfo()
    said.add_text("sd-ti-embedding", base64.b64encode(text.encode()).decode())
    Image.new("RGB", (8, 8)).save(tmp_path / "card.png", pnginfo=said)
    with pytest.raises(BadFile):
        load_embedding(tmp_path / "card.png")


@pytest.mark.parametrize(
    "table",
    [
        {"string_to_param": {"*": T(2, 4).to_sparse()}},
        {"string_to_param": {"*": T(2, 4, device="meta")}},
        {"clip_l": T(2, 4), "clip_g": T(3, 4)},
        {"emb_params": "x"},
        [T(2)],
    ],
)
def test_learned_words_that_lie_are_refused(tmp_path: Path, table: Any) -> None:
    """Numbers that are not written out, or not as many for both encoders, are refused in words."""
    torch.save(table, tmp_path / "word.pt")
    with pytest.raises(BadFile):
        load_embedding(tmp_path / "word.pt")


def test_bundled_words_that_lie_are_refused(tmp_path: Path) -> None:
    """A LoRA's own words must have as many vectors for both encoders."""
    save_file({"bundle_emb.a.clip_l": T(2, 4), "bundle_emb.a.clip_g": T(3, 4)}, tmp_path / "x.safetensors")
    with pytest.raises(BadFile, match="different number of vectors"):
        load_bundled(tmp_path / "x.safetensors")


BENT: list[Any] = [
    {"activation_func": ["relu"], 8: ({"linear.0.weight": T(8, 8)},) * 2},
    {8: ({"linear.0.weight": T(4, 5), "linear.1.weight": T(9, 9)},) * 2},
    {8: ({"linear.0.weight": T(8, 7)},) * 2},
    {8: ({"linear.0.weight": T(7, 8)},) * 2},
    {8: ({}, {})},
    {8: 1},
]


@pytest.mark.parametrize("table", BENT)
def test_hypernetworks_that_lie_are_refused(tmp_path: Path, table: Any) -> None:
    """Layers that do not follow one another or change the width are refused when read, not while a picture is painted."""
    torch.save(table, tmp_path / "bent.pt")
    with pytest.raises(BadFile):
        read_hypernetwork(tmp_path / "bent.pt")
