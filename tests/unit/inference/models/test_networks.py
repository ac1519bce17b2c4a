"""LoRAs and their relatives on a whole checkpoint: every naming finds its layer, and taking off leaves no trace."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.layout import unet_sources
from inference.engine.lexicon import Lexicon
from inference.engine.networks.activation import activate, lora_hashes
from inference.engine.networks.keys import canonical, split_key
from inference.engine.networks.kinds import delta_of
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


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("naming", ["lora_unet_{path}", "lora_unet_{old}", "unet.{path}", "diffusion_model.{old}"])
def test_every_family_has_every_naming(tmp_path: Path, load: Load, family: FamilyName, naming: str) -> None:
    """The deepest attention and a convolution of SD 1, 2 and SDXL are found by kohya's, LDM's and diffusers' names."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors", family=family))
    unet, before = checkpoint.unet, state_of(checkpoint)
    layers = [name for name, module in unet.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    wanted = [[name for name in layers if name.endswith(end)][-1] for end in ("attn1.to_v", "resnets.0.conv1")]
    sources = unet_sources([f"{name}.weight" for name in wanted], unet.config)
    tensors: dict[str, Tensor] = {}
    for name in wanted:
        old = sources[f"{name}.weight"].key.removeprefix("model.diffusion_model.").removesuffix(".weight")
        layer = naming.format(path=name, old=old)
        layer = layer.replace(".", "_") if naming.startswith("lora_unet_") else layer
        weight = unet.get_submodule(name).weight
        out, into = weight.shape[0], weight[0].numel()
        up, down = pair("", out, into).values()
        if weight.ndim == 4:
            up, down = up[:, :, None, None], down.view(2, *weight.shape[1:])
        tensors |= {layer + UP: up.clone(), layer + DOWN: down.clone()}
    _, notes = activate(checkpoint, [tag("x")], Inventory(loras=(write(tmp_path, "x", tensors),)))
    assert notes == ()
    assert sorted(changed(before, state_of(checkpoint))) == sorted(f"unet.{name}.weight" for name in wanted)


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


def test_memory_that_is_used_again_holds_nothing_of_before(tmp_path: Path, load: Load) -> None:
    """Four sets in turn, of which two stay ready, give each time what each gives alone, and the base stays."""
    path = write_tiny_checkpoint(tmp_path / "a.safetensors")
    checkpoint, before = load(path), state_of(load(path))
    other = ATTENTION.replace("to_k", "to_v")
    files = {
        "one": pair(f"lora_unet_{ATTENTION}", 16, 16),
        "two": pair(f"lora_unet_{ATTENTION}", 16, 16, seed=1) | pair(f"lora_unet_{other}", 16, 16, seed=2),
        "bias": {f"lora_unet_{ATTENTION}.diff": torch.ones(16, 16), "lora_unet_conv_in.diff_b": torch.ones(16)},
    }
    paths = {name: write(tmp_path, name, tensors).path for name, tensors in files.items()}
    sets = [
        tuple(Adapter(paths[name]) for name in names) for names in (("one",), ("two",), ("bias", "one"), ("two", "one"))
    ]
    alone = []
    for adapters in sets:
        fresh = load(path)
        fresh.wardrobe.wear(adapters)
        alone.append(state_of(fresh))
    for number in [0, 1, 2, 3, 0, 2, 1, 3, 3, 2, 0, 1]:
        checkpoint.wardrobe.wear(sets[number])
        assert not changed(alone[number], state_of(checkpoint))
    checkpoint.wardrobe.wear(())
    assert not changed(before, state_of(checkpoint))


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


@pytest.mark.parametrize("kind", ["lora", "ranked", "full", "dora"])
def test_a_plain_network_changes_only_the_latent_channels_of_an_inpainting_model(
    tmp_path: Path, load: Load, kind: str
) -> None:
    """The first convolution of nine channels takes a network for four: mask and masked picture weigh what they weighed."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors", inpainting=True))
    name, layer = "unet.conv_in.weight", "lora_unet_conv_in"
    base = state_of(checkpoint)[name]
    source = torch.Generator().manual_seed(2)
    up = torch.randn(16, 2, 1, 1, generator=source)
    down = torch.randn(2, 4, 3, 3, generator=source)
    change = (up.flatten(1) @ down.flatten(1)).reshape(16, 4, 3, 3)
    tensors = {layer + UP: up, layer + DOWN: down}
    if kind == "full":
        tensors = {layer + ".diff": change}
    elif kind == "dora":
        tensors[layer + ".dora_scale"] = torch.full((1, 4, 1, 1), 2.0)
        whole = base[:, :4] + change
        change = whole * 2 / whole.transpose(0, 1).flatten(1).norm(dim=1).reshape(1, 4, 1, 1) - base[:, :4]
    info = write(tmp_path, "x", tensors)
    dyn = ":dyn=2" if kind == "ranked" else ""
    (wanted,) = strip_networks(f"<lora:x:1:0.5{dyn}>")[1]
    activate(checkpoint, [wanted], Inventory(loras=(info,)))
    after = state_of(checkpoint)[name]
    assert torch.allclose(after[:, :4], base[:, :4] + 0.5 * change, atol=1e-5)
    assert torch.equal(after[:, 4:], base[:, 4:])
    nine = write(tmp_path, "y", {layer + ".diff": torch.ones(16, 9, 3, 3)})
    activate(checkpoint, [tag("y")], Inventory(loras=(nine,)))
    assert torch.allclose(state_of(checkpoint)[name], base + 1)
    odd = write(tmp_path, "z", {layer + UP: up, layer + DOWN: torch.ones(2, 5, 3, 3)})
    with pytest.raises(BrokenModel, match="“z” cannot be used with “a”: it does not fit"):
        activate(checkpoint, [tag("z")], Inventory(loras=(odd,)))
    assert torch.equal(state_of(checkpoint)[name], base)


def test_unknown_names_are_notes(tmp_path: Path, load: Load) -> None:
    """A LoRA or a kind that is not there is a note, and the checkpoint stays bare."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    adapters, notes = activate(checkpoint, [tag("nope"), tag("x", kind="hypernet")], Inventory())
    assert adapters == ()
    assert notes[0] == "There is no LoRA called “nope” here; it was left out."
    assert notes[1] == "There is no hypernetwork called “x” here; it was left out."
    _, notes = activate(checkpoint, [tag("x", kind="controlnet")], Inventory())
    assert notes == ("Easel knows no network of the kind “controlnet”; “x” was left out.",)


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
        ("broken", "“broken” cannot be used with “a”: it holds numbers that are not finite"),
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


def hypernetwork(path: Path, *, widths: tuple[int, ...] = (16,), activation: str = "relu", **more: object) -> ModelFile:
    """A hypernetwork's file as the webui writes it: two linear layers, a norm and dropout's gap between, by width."""
    source = torch.Generator().manual_seed(3)

    def state(width: int) -> dict[str, Tensor]:
        return {
            "linear.0.weight": torch.randn(width * 2, width, generator=source) * 0.1,
            "linear.0.bias": torch.randn(width * 2, generator=source) * 0.1,
            "linear.2.weight": torch.rand(width * 2, generator=source),
            "linear.2.bias": torch.zeros(width * 2),
            "linear.4.weight": torch.randn(width, width * 2, generator=source) * 0.1,
            "linear.4.bias": torch.zeros(width),
        }

    table = {"name": path.stem, "step": 9, "layer_structure": [1, 2, 1], "activation_func": activation, **more}
    torch.save({**table, **{width: (state(width), state(width)) for width in widths}}, path)
    return ModelFile(path.stem, str(path), "", "unknown")


def test_hypernetworks_change_keys_and_values_and_leave_no_trace(tmp_path: Path, load: Load) -> None:
    """What keys are made from is x + strength · network(x), by width; two stack in order; off, everything is as before."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    before = state_of(checkpoint)
    info = hypernetwork(tmp_path / "bent.pt", activate_output=False)
    inventory = Inventory(hypernetworks=(info,))
    layer = checkpoint.unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2.to_k
    context = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(0))
    bare = layer(context)
    adapters, notes = activate(checkpoint, [tag("bent", te=0.5, kind="hypernet")], inventory)
    assert notes == ()
    keys = torch.load(info.path, weights_only=True)[16][0]
    hidden = torch.relu(context @ keys["linear.0.weight"].T + keys["linear.0.bias"])
    hidden = torch.nn.functional.layer_norm(hidden, (32,), keys["linear.2.weight"], keys["linear.2.bias"])
    bent = context + 0.5 * (hidden @ keys["linear.4.weight"].T + keys["linear.4.bias"])
    assert torch.allclose(layer(context), bent @ layer.weight.T, atol=1e-5)
    assert changed(before, state_of(checkpoint)) == []
    checkpoint.wardrobe.wear(())
    assert torch.equal(layer(context), bare)
    checkpoint.wardrobe.wear(adapters)
    assert not torch.allclose(layer(context), bare)
    checkpoint.wardrobe.forget()
    assert torch.equal(layer(context), bare)


def test_hypernetworks_and_loras_are_worn_together(tmp_path: Path, load: Load) -> None:
    """A set may hold both; each has its effect, and the texts' hashes name the LoRA by the tag's word for it."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    before = state_of(checkpoint)
    lora = write(tmp_path, "x", pair(f"lora_unet_{ATTENTION}", 16, 16))
    lora = ModelFile("x", lora.path, "123456789abc", "unknown", alias="ink")
    inventory = Inventory(loras=(lora,), hypernetworks=(hypernetwork(tmp_path / "bent.pt"),))
    adapters, _ = activate(checkpoint, [tag("bent", kind="hypernet"), tag("ink")], inventory)
    assert len(adapters) == 2
    assert lora_hashes(adapters, inventory) == "ink: 123456789abc"
    assert len(changed(before, state_of(checkpoint))) == 1
    checkpoint.wardrobe.wear(())
    assert changed(before, state_of(checkpoint)) == []


def test_hypernetworks_that_do_not_fit_are_refused(tmp_path: Path, load: Load) -> None:
    """One for words of another width, an unknown activation and a file that is none are refused by name."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    torch.save({"name": "x"}, tmp_path / "empty.pt")
    files = (
        hypernetwork(tmp_path / "wide.pt", widths=(768,)),
        hypernetwork(tmp_path / "odd.pt", activation="wobble"),
        ModelFile("empty", str(tmp_path / "empty.pt"), "", "unknown"),
    )
    inventory = Inventory(hypernetworks=files)
    for name, words in (("wide", "another kind of model"), ("odd", "“wobble”"), ("empty", "is no hypernetwork")):
        with pytest.raises(BrokenModel, match=f"The hypernetwork “{name}” cannot be used with “a”: it .*{words}"):
            activate(checkpoint, [tag(name, kind="hypernet")], inventory)
        assert checkpoint.wardrobe.worn == ()


def test_a_lora_brings_its_own_words(tmp_path: Path, load: Load) -> None:
    """Learned words inside a LoRA's file can be used while it is worn; a word of the same name on the shelf wins."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    vectors = torch.arange(32.0).reshape(2, 16)
    info = write(
        tmp_path,
        "pack",
        {"bundle_emb.glim.string_to_param.*": vectors, "bundle_emb.other.emb_params": vectors.clone()}
        | pair(f"lora_unet_{ATTENTION}", 16, 16),
    )
    words_only = write(tmp_path, "words", {"bundle_emb.alone.string_to_param.*": vectors})
    save_file({"emb_params": vectors + 1}, tmp_path / "other.safetensors")
    shelf = ModelFile("other", str(tmp_path / "other.safetensors"), "abcabcabcabc", "unknown")
    inventory = Inventory(loras=(info, words_only), embeddings=(shelf,))
    adapters, notes = activate(checkpoint, [tag("pack"), tag("words")], inventory)
    assert notes == ()
    lexicon = Lexicon()
    words = lexicon.words_for(checkpoint.text, inventory, adapters)
    assert set(words.vectors) == {"glim", "other", "alone"}
    assert torch.equal(words.vectors["glim"].vectors[0], vectors)
    assert torch.equal(words.vectors["other"].vectors[0], vectors + 1)
    assert set(lexicon.words_for(checkpoint.text, inventory).vectors) == {"other"}
    assert words.hashes_in("a glim and an OTHER") == {"other": "abcabcabcabc"}


def test_a_dora_over_a_column_of_zeros_leaves_zeros(tmp_path: Path, load: Load) -> None:
    """What has no length can be brought to none: the other columns get theirs, and no number is lost to a division by zero."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    layer = f"lora_unet_{ATTENTION}"
    target: Any = checkpoint.wardrobe.targets[layer].module
    target.weight.data[:, 3] = 0
    up, down = pair("", 16, 16).values()
    down[:, 3] = 0
    tensors = {layer + UP: up, layer + DOWN: down, layer + ".dora_scale": torch.full((1, 16), 2.0)}
    activate(checkpoint, [tag("x")], Inventory(loras=(write(tmp_path, "x", tensors),)))
    after = state_of(checkpoint)[name]
    assert torch.equal(after[:, 3], torch.zeros(16))
    others = [column for column in range(16) if column != 3]
    assert torch.allclose(after[:, others].norm(dim=0), torch.full((15,), 2.0), atol=1e-5)


def test_boft_turns_channels_that_are_ever_farther_apart() -> None:
    """Three rounds over eight channels, written out number by number (Liu et al. 2023; the webui's order of channels)."""
    source = torch.Generator().manual_seed(2)
    weight, blocks = torch.randn(8, 3, generator=source), torch.randn(3, 4, 2, 2, generator=source)
    skew = blocks - blocks.transpose(-1, -2)
    turns = (torch.eye(2) + skew) @ torch.linalg.inv(torch.eye(2) - skew)
    wanted = weight.clone()
    for number, turn in enumerate(turns):
        stride = 2**number
        order = [c * 2 * stride + g * stride + k for c in range(4 // stride) for k in range(stride) for g in range(2)]
        before = wanted.clone()
        for place, channel in enumerate(order):
            block, row = divmod(place, 2)
            wanted[channel] = sum(turn[block, row, j] * before[order[2 * block + j]] for j in range(2))
    made = delta_of({"oft_blocks": blocks}, weight).weight
    assert made is not None
    assert torch.allclose(weight + made, wanted, atol=1e-5)
    assert torch.allclose(wanted.norm(dim=0), weight.norm(dim=0), atol=1e-5)
