"""What a file is, told by its content, whatever it is called; and that a wrong kind is told where it belongs."""

from pathlib import Path

import pytest
import torch

from inference.api.tools import Identified, Identify
from inference.engine.tools.refusal import ToolRefused
from tests.checkpoints import write_hostile_checkpoint, write_text_file, write_tiny_checkpoint
from tests.unit.inference.tools.doing import do, write

LORA = {
    f"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_{name}.weight": torch.ones(shape)
    for name, shape in (("down", (4, 768)), ("up", (320, 4)))
}
VAE = {"decoder.conv_in.weight": torch.ones(16, 4, 3, 3)}
CONTROL = {
    "control_model.input_hint_block.0.weight": torch.ones(16, 3, 3, 3),
    "control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": torch.ones(320, 768),
}


def what(path: Path, shelf: str = "") -> Identified:
    """What the file is."""
    return do(Identify(path=str(path), shelf=shelf))


@pytest.mark.parametrize("ending", [".safetensors", ".ckpt"])
def test_kinds_by_content(tmp_path: Path, ending: str) -> None:
    """Checkpoints of each family, LoRAs, VAEs and ControlNets, under a name that says nothing."""
    path = tmp_path / f"x{ending}"
    for family, label in (("sd1", "Stable Diffusion 1"), ("sdxl", "Stable Diffusion XL")):
        found = what(write_tiny_checkpoint(path, family=family))
        assert found == Identified("checkpoints", "Stable-diffusion", f"a checkpoint for {label}", family)
    assert what(write(path, LORA)) == Identified("loras", "Lora", "a LoRA for Stable Diffusion 1", "sd1")
    assert what(write(path, VAE)) == Identified("vaes", "VAE", "a VAE", "unknown")
    assert what(write(path, CONTROL)).shelf == "controls"


def test_embeddings(tmp_path: Path) -> None:
    """Learned words in each of their forms."""
    path = tmp_path / "x.pt"
    torch.save({"string_to_param": {"*": torch.ones(2, 768)}, "name": "e"}, path)
    assert what(path) == Identified("embeddings", "embeddings", "an embedding for Stable Diffusion 1", "sd1")
    pair = write(tmp_path / "y.safetensors", {"clip_l": torch.ones(2, 768), "clip_g": torch.ones(2, 1280)})
    assert what(pair).family == "sdxl"


def test_a_wrong_kind_is_told_where_it_belongs(tmp_path: Path) -> None:
    """A LoRA that is said to be a checkpoint, and the other way round; a kind that is right is believed."""
    lora, checkpoint = write(tmp_path / "l.safetensors", LORA), write_tiny_checkpoint(tmp_path / "c.safetensors")
    with pytest.raises(ToolRefused, match=r"l\.safetensors is a LoRA, not a checkpoint; it belongs in models/Lora"):
        what(lora, "checkpoints")
    with pytest.raises(ToolRefused, match=r"is a checkpoint, not a LoRA; it belongs in models/Stable-diffusion"):
        what(checkpoint, "loras")
    assert what(lora, "loras").shelf == "loras"
    with pytest.raises(ToolRefused, match="there are checkpoints"):
        what(lora, "hats")


def test_what_is_of_no_use(tmp_path: Path) -> None:
    """Text, code, Flux, half a checkpoint, unknown weights, an ending that the shelf does not read: a sentence each."""
    cases = (
        (write_text_file(tmp_path / "t.safetensors"), "is a text file"),
        (write_hostile_checkpoint(tmp_path / "h.ckpt", tmp_path / "ran"), "would run"),
        (write(tmp_path / "f.safetensors", {"double_blocks.0.img_attn.qkv.weight": torch.ones(2, 2)}), "Flux"),
        (
            write(
                tmp_path / "u.safetensors", {"model.diffusion_model.input_blocks.0.0.weight": torch.ones(8, 4, 3, 3)}
            ),
            "no text encoder",
        ),
        (write(tmp_path / "n.safetensors", {"a.b": torch.ones(2, 2), "c.d": torch.ones(2)}), "of no kind"),
        (write(tmp_path / "c.pt", LORA | {"model.diffusion_model.x": torch.ones(1)}), "has an ending"),
    )
    for path, words in cases:
        with pytest.raises(ToolRefused, match=words):
            what(path)
    assert not (tmp_path / "ran").exists()
