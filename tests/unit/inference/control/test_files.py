"""Files of control: told by their headers, read into the same net whichever way they were written, refused by sentences."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import ControlNetModel
from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint
from safetensors.torch import load_file, save_file
from torch import Tensor

from inference.api.result import ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.control.adapters import Adapter
from inference.engine.control.controlnets import ControlNet
from inference.engine.control.files import identify_control
from inference.engine.control.nets import Berth, berth_of, load_control
from inference.engine.weights import read_shapes
from tests.checkpoints import tiny_config, write_tiny_checkpoint
from tests.controls import (
    Written,
    adapter_state,
    ldm_state,
    tiny_adapter,
    tiny_controlnet,
    write_controlnet,
    write_unusual_checkpoint,
)
from tests.unit.inference.models.conftest import CPU

Load = Callable[[Path], Checkpoint]
KINDS: tuple[Written, ...] = ("bare", "prefixed", "whole", "diffusers", "difference", "bare difference")


def named(path: Path) -> ModelFile:
    """The file as the shelf would name it."""
    return ModelFile(path.stem, str(path), "", "unknown")


def loaded(path: Path, checkpoint: Checkpoint) -> ControlNet | Adapter:
    """The net in the file at `path` for `checkpoint`, in fp32."""
    return load_control(named(path), checkpoint, device=CPU, dtype=torch.float32)


def berth(path: Path, checkpoint: Checkpoint) -> Berth:
    """Where the net in the file at `path` is kept."""
    return berth_of(named(path), checkpoint, dtype=torch.float32)


def weights(net: ControlNet | Adapter) -> dict[str, Tensor]:
    """All weights, the blocks that read the map among them."""
    own = net._net.state_dict()
    reader = getattr(net, "_reader", None)
    return (
        own if reader is None else own | {f"controlnet_cond_embedding.{k}": v for k, v in reader.state_dict().items()}
    )


def test_our_original_names_are_diffusers_original_names() -> None:
    """What is written under the original keys is what diffusers' own conversion reads from them."""
    net = tiny_controlnet()
    converted = convert_controlnet_checkpoint(ldm_state(net), dict(net.config))
    expected = net.state_dict()
    assert converted.keys() == expected.keys()
    assert all(torch.equal(converted[name], expected[name]) for name in expected)


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_net(load: Load, tmp_path: Path, kind: Written, ending: str) -> None:
    """A ControlNet is the same from bare, prefixed and whole files, from diffusers' names and as differences, pickled or not."""
    model = write_tiny_checkpoint(tmp_path / "tiny.safetensors")
    checkpoint, net = load(model), tiny_controlnet()
    path = write_controlnet(tmp_path / f"net{ending}", net, kind=kind, base=load_file(model))
    assert identify_control(read_shapes(path)[0]).difference == ("difference" in kind)
    found, expected = weights(loaded(path, checkpoint)), net.state_dict()
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.allclose(found[name], weight, atol=2e-6), name


def test_differences_are_from_whatever_model_paints(load: Load, tmp_path: Path) -> None:
    """A diff file gives control + UNet now - UNet then with each checkpoint, whose own weights stay bit for bit."""
    first = write_tiny_checkpoint(tmp_path / "first.safetensors")
    second = write_tiny_checkpoint(tmp_path / "second.safetensors", seed=1)
    net = tiny_controlnet()
    path = write_controlnet(tmp_path / "net.safetensors", net, kind="difference", base=load_file(first))
    now, then = load(second), load(first)
    before = {name: weight.clone() for name, weight in now.unet.state_dict().items()}
    found = weights(loaded(path, now))
    for name, weight in net.state_dict().items():
        shift = now.unet.state_dict()[name] - then.unet.state_dict()[name] if name in before else 0
        assert torch.allclose(found[name], weight + shift, atol=2e-6), name
    after = now.unet.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(found[name].data_ptr() != after[name].data_ptr() for name in found if name in after)
    assert berth(path, now).key != berth(path, then).key


def test_what_a_diff_leaves_out_is_the_models_own(load: Load, tmp_path: Path) -> None:
    """Weights that training did not change are not in the file and come from the UNet."""
    model = write_tiny_checkpoint(tmp_path / "tiny.safetensors")
    checkpoint, net = load(model), tiny_controlnet()
    own = checkpoint.unet.state_dict()
    same = "down_blocks.0.resnets.0.conv1.weight"
    net.load_state_dict({**net.state_dict(), same: own[same]})
    path = write_controlnet(tmp_path / "net.safetensors", net, kind="bare difference", base=load_file(model))
    assert "input_blocks.1.0.in_layers.2.weight" not in read_shapes(path)[0]
    assert torch.equal(weights(loaded(path, checkpoint))[same], own[same])


def test_plain_files_serve_all_models_of_a_structure(load: Load, tmp_path: Path) -> None:
    """A net that holds no differences is loaded once for two checkpoints of one structure."""
    first = load(write_tiny_checkpoint(tmp_path / "first.safetensors"))
    second = load(write_tiny_checkpoint(tmp_path / "second.safetensors", seed=1))
    other = load(write_tiny_checkpoint(tmp_path / "other.safetensors", family="sdxl"))
    path = write_controlnet(tmp_path / "net.safetensors", tiny_controlnet())
    assert berth(path, first) == berth(path, second)
    assert berth(path, first).key != berth(path, other).key
    assert berth(path, first).bytes == loaded(path, first).bytes


def test_matrices_stand_for_small_convolutions(load: Load, tmp_path: Path) -> None:
    """Projections that were stored as matrices go where this model has 1 × 1 convolutions."""
    checkpoint, net = load(write_tiny_checkpoint(tmp_path / "tiny.safetensors")), tiny_controlnet()
    flat = {
        key: value.flatten(1) if "proj_" in key and value.ndim == 4 else value for key, value in ldm_state(net).items()
    }
    save_file({key: value.contiguous() for key, value in flat.items()}, tmp_path / "net.safetensors")
    found = weights(loaded(tmp_path / "net.safetensors", checkpoint))
    assert all(torch.equal(found[name], weight) for name, weight in net.state_dict().items())


def test_slighter_nets_for_sdxl_are_read_by_what_they_hold(load: Load, tmp_path: Path) -> None:
    """A diffusers file whose blocks do not attend makes a ControlNet without attention, not a damaged file."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "tiny.safetensors", family="sdxl"))
    config = dict(tiny_controlnet(family="sdxl").config) | {
        "down_block_types": ["DownBlock2D", "DownBlock2D"],
        "mid_block_type": "UNetMidBlock2D",
    }
    net = ControlNetModel(**{key: value for key, value in config.items() if not key.startswith("_")})
    path = write_controlnet(tmp_path / "small.safetensors", net, kind="diffusers")
    found = weights(loaded(path, checkpoint))
    assert found.keys() == net.state_dict().keys()


ADAPTERS = {
    "full": ("full_adapter", 3, [16, 32]),
    "grey": ("full_adapter", 1, [16, 32]),
    "light": ("light_adapter", 3, [16]),
}


@pytest.mark.parametrize("layout", ["diffusers", "original"])
@pytest.mark.parametrize("kind", ADAPTERS)
def test_adapters_of_each_kind(load: Load, tmp_path: Path, kind: str, layout: str) -> None:
    """Full and light adapters, of one colour and of three, from either layout, give diffusers' own features."""
    form, colours, widths = ADAPTERS[kind]
    path, light = tmp_path / "tiny.safetensors", form == "light_adapter"
    if light:
        config = tiny_config()
        config["unet"]["block_out_channels"] = [16, 16]
        write_unusual_checkpoint(path, config)
    else:
        write_tiny_checkpoint(path)
    net = tiny_adapter(widths, form=form, colours=colours)
    state = net.state_dict() if layout == "diffusers" else adapter_state(net, light=light)
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "adapter.safetensors")
    found = loaded(tmp_path / "adapter.safetensors", load(path))
    assert isinstance(found, Adapter)
    hint = torch.rand(1, 3, 64, 48)
    expected = net(hint[:, :colours])
    features = found.read(hint)
    assert len(features) == found.count == len(expected)
    assert all(torch.equal(one, other) for one, other in zip(features, expected, strict=True))


FAMILIES = {768: "sd1", 1024: "sd2", 2048: "sdxl", 16: "unknown"}


@pytest.mark.parametrize("width", FAMILIES)
def test_families_are_told_by_the_width_of_words(width: int) -> None:
    """What a ControlNet attends to says which family it is for."""
    shapes = {
        "input_hint_block.0.weight": (16, 3, 3, 3),
        "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, width),
    }
    assert identify_control(shapes).family == FAMILIES[width]


def test_adapters_tell_their_family_by_their_squares() -> None:
    """A T2I adapter for SDXL reads its map in larger squares than one for SD 1."""
    for channels, family in ((192, "sd1"), (64, "sd1"), (768, "sdxl"), (256, "sdxl"), (5, "unknown")):
        shapes = {"conv_in.weight": (320, channels, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}
        assert identify_control(shapes).family == family


REFUSED = {
    "control-LoRA": ({"lora_controlnet": (0,), "input_hint_block.0.weight": (16, 3, 3, 3)}, "control-LoRA"),
    "style": ({"style_embedding": (1, 8, 1024)}, "style adapter"),
    "IP": ({"image_proj.proj.weight": (8, 8)}, "IP-Adapter"),
    "union": ({"task_embedding": (6, 320), "controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3)}, "union"),
    "LoRA": ({"lora_unet_mid.lora_up.weight": (4, 4)}, "no ControlNet"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_kinds_are_named(kind: str) -> None:
    """Files of kinds that Easel does not paint with are refused by what they are."""
    shapes, said = REFUSED[kind]
    with pytest.raises(BadFile, match=said):
        identify_control(shapes)


def test_what_does_not_fit_is_refused_by_a_sentence(load: Load, tmp_path: Path) -> None:
    """Nets of other widths, without some weights, with some too many, or with NaN are refused and say why."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "tiny.safetensors"))
    wide = tiny_controlnet(config=tiny_config()["unet"] | {"block_out_channels": [24, 32]})
    state = ldm_state(tiny_controlnet())
    cases = {
        "holds .* with the shape .* where this model needs": ldm_state(wide),
        "lacks 1 of the weights": {key: value for key, value in state.items() if key != "zero_convs.0.0.weight"},
        "for which this model has no place": state | {"input_blocks.9.0.in_layers.0.weight": torch.zeros(4)},
        "lacks some of the blocks that read the map": {
            key: value for key, value in state.items() if key != "input_hint_block.14.weight"
        },
        "not finite": state | {"zero_convs.0.0.weight": state["zero_convs.0.0.weight"] * float("nan")},
    }
    for number, (said, weights) in enumerate(cases.items()):
        path = tmp_path / f"net{number}.safetensors"
        save_file({key: value.contiguous() for key, value in weights.items()}, path)
        with pytest.raises(BrokenModel, match=f"“net{number}” cannot steer “tiny”: it .*{said}"):
            loaded(path, checkpoint)


def test_adapters_of_other_widths_are_refused(load: Load, tmp_path: Path) -> None:
    """An adapter whose features the UNet has no place for says so."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "tiny.safetensors"))
    save_file(tiny_adapter([16, 24]).state_dict(), tmp_path / "adapter.safetensors")
    with pytest.raises(BrokenModel, match="gives features of 16 · 24 channels, where this model has levels of 16 · 32"):
        loaded(tmp_path / "adapter.safetensors", checkpoint)
