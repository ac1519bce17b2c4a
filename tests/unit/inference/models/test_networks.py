"""LoRAs and their relatives on a whole checkpoint: every naming finds its layer, and taking off leaves no trace."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.networks.activation import activate
from inference.engine.networks.keys import canonical, split_key
from inference.engine.networks.merge import Adapter
from inference.engine.prompt.networks import NetworkTag, strip_networks
from tests.checkpoints import FamilyName, write_tiny_checkpoint

Load = Callable[[Path], Checkpoint]
UP, DOWN = ".lora_up.weight", ".lora_down.weight"
ATTENTION = "down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


def tag(name: str, *, te: float = 1.0, unet: float | None = None, kind: str = "lora") -> NetworkTag:
    """A tag as the prompt language reads it."""
    (found,) = strip_networks(f"<{kind}:{name}:{te}:{te if unet is None else unet}>")[1]
    return found


def state_of(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Copies of all weights that a network can touch."""
    modules = {"unet": checkpoint.unet, **{f"te{i}": tower.model for i, tower in enumerate(checkpoint.text.towers)}}
    return {
        f"{side}.{name}": value.clone()
        for side, module in modules.items()
        for name, value in module.state_dict().items()
    }


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> list[str]:
    """Names of weights that are not bit for bit the same."""
    return [name for name, value in before.items() if not torch.equal(value, after[name])]


def pair(layer: str, out: int, into: int, *, up: str = UP, down: str = DOWN, seed: int = 0) -> dict[str, Tensor]:
    """A rank-2 LoRA of one layer."""
    source = torch.Generator().manual_seed(seed)
    return {
        layer + up: torch.randn(out, 2, generator=source),
        layer + down: torch.randn(2, into, generator=source),
    }


def write(folder: Path, name: str, tensors: dict[str, Tensor]) -> ModelFile:
    """A LoRA file on the shelf."""
    path = folder / f"{name}.safetensors"
    save_file(tensors, path)
    return ModelFile(name, str(path), "", "unknown")


@pytest.mark.parametrize(
    ("layer", "ends"),
    [
        (f"lora_unet_{ATTENTION}", (UP, DOWN)),
        ("lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k", (UP, DOWN)),
        ("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", (".lora_B.weight", ".lora_A.weight")),
        (
            "base_model.model.unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k",
            (".lora_B.default.weight", ".lora_A.default.weight"),
        ),
        (
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora",
            (".up.weight", ".down.weight"),
        ),
        ("diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k", (UP, DOWN)),
    ],
)
def test_every_naming_finds_the_same_layer(tmp_path: Path, load: Load, layer: str, ends: tuple[str, str]) -> None:
    """kohya's, the original, diffusers', its old and peft's names change the same single weight in the same way."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    before = state_of(checkpoint)
    info = write(tmp_path, "x", pair(layer, 16, 16, up=ends[0], down=ends[1]))
    _, notes = activate(checkpoint, [tag("x", unet=0.5)], Inventory(loras=(info,)))
    assert notes == ()
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    after = state_of(checkpoint)
    assert changed(before, after) == [name]
    up, down = pair("", 16, 16).values()
    assert torch.allclose(after[name], before[name] + 0.5 * up @ down, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "layer", "name"),
    [
        ("sd1", "lora_te_text_model_encoder_layers_1_mlp_fc1", "te0.encoder.layers.1.mlp.fc1.weight"),
        ("sd2", "lora_te_text_model_encoder_layers_1_mlp_fc1", "te0.encoder.layers.1.mlp.fc1.weight"),
        ("sdxl", "lora_te1_text_model_encoder_layers_1_mlp_fc1", "te0.encoder.layers.1.mlp.fc1.weight"),
        ("sdxl", "lora_te2_text_model_encoder_layers_1_mlp_fc1", "te1.encoder.layers.1.mlp.fc1.weight"),
        ("sd1", "text_encoder.text_model.encoder.layers.1.mlp.fc1", "te0.encoder.layers.1.mlp.fc1.weight"),
        ("sdxl", "text_encoder_2.encoder.layers.1.mlp.fc1", "te1.encoder.layers.1.mlp.fc1.weight"),
    ],
)
def test_text_layers_take_the_text_strength(
    tmp_path: Path, load: Load, family: FamilyName, layer: str, name: str
) -> None:
    """Text encoder layers of every family are found and take `te`, not `unet`."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors", family=family))
    before = state_of(checkpoint)
    out, into = before[name].shape
    info = write(tmp_path, "x", pair(layer, out, into))
    activate(checkpoint, [tag("x", te=0.25, unet=9.0)], Inventory(loras=(info,)))
    after = state_of(checkpoint)
    assert changed(before, after) == [name]
    up, down = pair("", out, into).values()
    assert torch.allclose(after[name], before[name] + 0.25 * up @ down, atol=1e-6)


def test_a_hundred_changes_leave_the_base_bit_for_bit(tmp_path: Path, load: Load) -> None:
    """After a hundred changes among sets of several kinds the bare checkpoint is exactly what was loaded."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    before = state_of(checkpoint)
    layer = f"lora_unet_{ATTENTION}"
    source = torch.Generator().manual_seed(5)
    files = [
        write(tmp_path, "plain", pair(layer, 16, 16) | {layer + ".alpha": torch.tensor(1.0)}),
        write(
            tmp_path, "dora", pair(layer, 16, 16, seed=1) | {layer + ".dora_scale": torch.rand(1, 16, generator=source)}
        ),
        write(
            tmp_path,
            "full",
            {"lora_unet_conv_in.diff": torch.ones(16, 4, 3, 3), "lora_unet_conv_in.diff_b": torch.ones(16)},
        ),
        write(tmp_path, "turn", {layer + ".oft_blocks": torch.randn(4, 4, 4, generator=source)}),
    ]
    inventory = Inventory(loras=tuple(files))
    dressed: dict[tuple[str, ...], dict[str, Tensor]] = {}
    for turn in range(100):
        names = tuple(files[(turn * 7 + step * 3) % 4].name for step in range(turn % 3))
        activate(checkpoint, [tag(name, te=0.7, unet=0.1 * (turn % 5)) for name in names], inventory)
        if turn % 5 == 3 and names:
            now = state_of(checkpoint)
            assert changed(before, now)
            assert not changed(dressed.setdefault(names, now), now)
    checkpoint.wardrobe.wear(())
    assert changed(before, state_of(checkpoint)) == []
    activate(checkpoint, [tag("plain")], inventory)
    assert checkpoint.wardrobe.forget() > 0
    assert changed(before, state_of(checkpoint)) == []


def test_several_networks_add_up_in_order(tmp_path: Path, load: Load) -> None:
    """Two LoRAs on one layer add up; a kind that depends on the weight sees what came before it."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    base = state_of(checkpoint)[name]
    layer = f"lora_unet_{ATTENTION}"
    scale = torch.linspace(0.1, 1.0, 16)
    files = (
        write(tmp_path, "one", pair(layer, 16, 16)),
        write(tmp_path, "rows", {layer + ".weight": scale, layer + ".on_input": torch.tensor(0)}),
    )
    inventory = Inventory(loras=files)
    up, down = pair("", 16, 16).values()
    activate(checkpoint, [tag("one"), tag("rows")], inventory)
    assert torch.allclose(state_of(checkpoint)[name], (base + up @ down) * (1 + scale[:, None]), atol=1e-5)
    activate(checkpoint, [tag("rows"), tag("one")], inventory)
    assert torch.allclose(state_of(checkpoint)[name], base * (1 + scale[:, None]) + up @ down, atol=1e-5)


def test_unknown_names_are_notes(tmp_path: Path, load: Load) -> None:
    """A LoRA or a kind that is not there is a note, and the checkpoint stays bare."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    adapters, notes = activate(checkpoint, [tag("nope"), tag("x", kind="hypernet")], Inventory())
    assert adapters == ()
    assert notes[0] == "There is no LoRA called “nope” here; it was left out."
    assert "hypernet" in notes[1]


def test_files_that_do_not_fit_are_refused_and_leave_the_base_clean(tmp_path: Path, load: Load) -> None:
    """Another family, other widths, foreign layers, NaN and a vanished file are refused; a partly foreign one gets a note."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    before = state_of(checkpoint)
    layer = f"lora_unet_{ATTENTION}"
    good = pair(layer, 16, 16)
    wide = write(tmp_path, "wide", {**pair("lora_unet_conv_in_x", 4, 4), **pair(layer, 16, 99)})
    foreign = write(tmp_path, "foreign", pair("lora_unet_double_blocks_0", 4, 4))
    broken = write(tmp_path, "broken", {key: value * float("nan") for key, value in good.items()})
    path = write(tmp_path, "xl", good).path
    other = ModelFile("xl", path, "", "sdxl")
    gone = ModelFile("gone", str(tmp_path / "gone.safetensors"), "", "unknown")
    partly = write(tmp_path, "partly", good | pair("lora_unet_double_blocks_0", 4, 4))
    inventory = Inventory(loras=(wide, foreign, broken, other, gone, partly))
    for name, words in (
        ("wide", "“wide” cannot be used with “a”: it does not fit"),
        ("foreign", "“foreign” has no layer in common"),
        ("broken", "“broken” cannot be used: it holds numbers that are not finite"),
        ("xl", "“xl” is made for Stable Diffusion XL"),
        ("gone", "“gone” cannot be used"),
    ):
        with pytest.raises(BrokenModel, match=words):
            activate(checkpoint, [tag("partly"), tag(name)], inventory)
        checkpoint.wardrobe.wear(())
        assert changed(before, state_of(checkpoint)) == []
    _, notes = activate(checkpoint, [tag("partly")], inventory)
    assert notes == ("1 of the 2 layers of “partly” have no place in this model.",)


def test_wearing_a_set_again_reads_no_file(tmp_path: Path, load: Load) -> None:
    """A set worn lately is put on again without its file, as the loop does between forwards."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    info = write(tmp_path, "x", pair(f"lora_unet_{ATTENTION}", 16, 16))
    adapters, _ = activate(checkpoint, [tag("x")], Inventory(loras=(info,)))
    dressed = state_of(checkpoint)
    checkpoint.wardrobe.wear(())
    Path(info.path).unlink()
    checkpoint.wardrobe.wear(adapters)
    assert changed(dressed, state_of(checkpoint)) == []
    with pytest.raises((BadFile, OSError)):
        checkpoint.wardrobe.wear((Adapter(info.path, unet=0.5),))
    assert checkpoint.wardrobe.worn == ()


def test_names_are_brought_to_one_form() -> None:
    """Prefixes and dots of every naming meet in kohya's form; endings of no network give nothing."""
    assert canonical("text_encoder.text_model.encoder.layers.0") == "lora_te1_text_model_encoder_layers_0"
    assert canonical("lora_te_text_model_encoder_layers_0") == "lora_te1_text_model_encoder_layers_0"
    assert split_key("lora_unet_conv_in.alpha") == ("lora_unet_conv_in", "alpha")
    assert split_key("model.buffer") is None
