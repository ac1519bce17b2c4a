"""Loading: every weight where it belongs, in every family, or a sentence that says what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from inference.api.result import ModelFile
from inference.engine import vae
from inference.engine.bad_file import BrokenModel
from inference.engine.checkpoint import Checkpoint
from inference.engine.noise_table import default_alphas
from inference.engine.residency import Residency
from inference.engine.vae import load_vae
from tests.checkpoints import (
    FamilyName,
    tiny_config,
    tiny_weights,
    write_config,
    write_hostile_checkpoint,
    write_text_file,
    write_tiny_checkpoint,
    write_truncated_checkpoint,
)

Load = Callable[[Path], Checkpoint]
CPU = torch.device("cpu")
FAMILIES: tuple[FamilyName, ...] = ("sd1", "sd2", "sdxl", "sdxl_refiner")


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_agree_with_diffusers_own_conversion(tmp_path: Path, load: Load, family: FamilyName) -> None:
    """UNet and VAE hold what diffusers' single-file conversion would put there."""
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint

    path = write_tiny_checkpoint(tmp_path / "a.safetensors", family=family)
    checkpoint, config = load(path), tiny_config(family)
    want = convert_ldm_unet_checkpoint(load_file(path), config["unet"])
    have = checkpoint.unet.state_dict()
    assert set(have) == set(want)
    assert all(torch.equal(have[name], value.float()) for name, value in want.items())
    want = convert_ldm_vae_checkpoint(load_file(path), config["vae"])
    have = checkpoint.vae.state_dict()
    assert set(have) == set(want)
    assert all(torch.equal(have[name], value.float()) for name, value in want.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_paints(tmp_path: Path, load: Load, family: FamilyName) -> None:
    """Each family's UNet and VAE give finite answers of the right shape."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors", family=family))
    latent = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    told = {"sdxl": 6, "sdxl_refiner": 5}.get(family)
    extra = {"text_embeds": torch.zeros(2, 8), "time_ids": torch.ones(2, told)} if told else None
    width = tiny_config(family)["unet"]["cross_attention_dim"]
    with torch.inference_mode():
        answer = checkpoint.unet(
            latent, torch.tensor(3.5), encoder_hidden_states=torch.ones(2, 77, width), added_cond_kwargs=extra
        ).sample
    pixels = vae.decode(checkpoint, latent)
    assert answer.shape == latent.shape
    assert bool(answer.isfinite().all())
    assert pixels.shape == (2, 3, 64, 64)
    assert vae.encode(checkpoint, pixels).shape == latent.shape
    assert checkpoint.native == 64
    assert checkpoint.bytes > 1_000_000


def test_prediction_comes_from_the_config(tmp_path: Path, load: Load) -> None:
    """`prediction_type` beside the file decides, and the original yaml is understood too."""
    told = write_tiny_checkpoint(tmp_path / "a.safetensors", family="sd2", prediction="v_prediction")
    assert load(told).prediction == "v_prediction"
    config = tiny_config("sd2")
    path = write_tiny_checkpoint(tmp_path / "b.safetensors", family="sd2")
    write_config(path, config)
    (tmp_path / "b.yaml").write_text('model:\n  params:\n    parameterization: "v"\n', encoding="utf-8")
    assert load(path).prediction == "v_prediction"


def test_marks_in_the_file_decide_prediction_and_noise_table(tmp_path: Path, load: Load) -> None:
    """The keys `v_pred` and `ztsnr` make an SDXL file a v-model whose table ends (almost) without signal."""
    weights = tiny_weights(family="sdxl") | {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    path = tmp_path / "a.safetensors"
    save_file(weights, path)
    write_config(path, tiny_config("sdxl"))
    checkpoint = load(path)
    assert checkpoint.prediction == "v_prediction"
    last = checkpoint.alphas_cumprod[-1].double()
    assert float(((1 - last) / last).sqrt()) == pytest.approx(4518.8, abs=0.1)


def test_sd2_is_asked_what_it_predicts_when_nothing_says_so(tmp_path: Path, load: Load) -> None:
    """Without config or yaml an SD2 UNet that answers with the negative picture counts as a v-model."""
    for shift, want in ((0.0, "epsilon"), (-9.0, "v_prediction")):
        weights = tiny_weights(family="sd2")
        weights["model.diffusion_model.out.2.bias"] = torch.full((4,), shift).half()
        path = tmp_path / "a.safetensors"
        save_file(weights, path)
        write_config(path, tiny_config("sd2"))
        assert load(path).prediction == want


def test_alphas_in_the_file_override_the_usual_ones(tmp_path: Path, load: Load) -> None:
    """A half-precision noise table inside an SD1 file is used as it is; one that rises is refused."""
    path = tmp_path / "a.safetensors"
    write_config(path, tiny_config())
    save_file(tiny_weights() | {"alphas_cumprod": default_alphas().half()}, path)
    table = load(path).alphas_cumprod.double()
    assert float(((1 - table[0]) / table[0]).sqrt()) == pytest.approx(0.031265, abs=1e-6)
    save_file(tiny_weights() | {"alphas_cumprod": default_alphas().flip(0).contiguous()}, path)
    with pytest.raises(BrokenModel, match="noise table"):
        load(path)


def test_default_alphas_are_stable_diffusions() -> None:
    """The ends of the usual table give the known smallest and largest noise levels."""
    table = default_alphas().double()
    assert float(((1 - table[0]) / table[0]).sqrt()) == pytest.approx(0.0291675, abs=1e-7)
    assert float(((1 - table[-1]) / table[-1]).sqrt()) == pytest.approx(14.61464, abs=1e-4)


def test_broken_models_say_what_is_wrong(tmp_path: Path, load: Load) -> None:
    """Prose, a cut-off file, a hostile pickle, a missing file, NaN, missing and misshapen weights: each its own sentence."""
    with pytest.raises(BrokenModel, match=r"The model “a” cannot be used: it is a text file"):
        load(write_text_file(tmp_path / "a.safetensors"))
    with pytest.raises(BrokenModel, match="cut off"):
        load(write_truncated_checkpoint(tmp_path / "b.safetensors"))
    with pytest.raises(BrokenModel, match="would run"):
        load(write_hostile_checkpoint(tmp_path / "c.ckpt", tmp_path / "marker"))
    with pytest.raises(BrokenModel, match="cannot be read"):
        load(tmp_path / "gone.safetensors")
    key = "model.diffusion_model.out.2.bias"
    for value, words in (
        (torch.full((4,), float("nan")), "not finite"),
        (torch.zeros(5), "shape"),
        (None, "lacks 1 of"),
    ):
        weights = tiny_weights()
        weights.pop(key)
        path = tmp_path / "d.safetensors"
        save_file(weights if value is None else weights | {key: value}, path)
        write_config(path, tiny_config())
        with pytest.raises(BrokenModel, match=words):
            load(path)


def test_a_width_without_its_config_says_what_is_needed(tmp_path: Path, load: Load) -> None:
    """A model of another width than its family's asks for its config instead of failing inside torch."""
    path = write_tiny_checkpoint(tmp_path / "a.safetensors")
    path.with_suffix(".json").unlink()
    with pytest.raises(BrokenModel, match="config with its widths beside it"):
        load(path)


def test_a_nan_vae_is_turned_to_single_precision(tmp_path: Path, load: Load) -> None:
    """A half-precision VAE that overflows answers in fp32 instead of with NaN, and stays so."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    steady = vae.decode(checkpoint, torch.ones(1, 4, 4, 4))
    with torch.no_grad():
        checkpoint.vae.decoder.conv_in.weight.mul_(6e4)
    wanted = vae.decode(checkpoint, torch.ones(1, 4, 4, 4) * 100)
    checkpoint.vae.to(torch.float16)
    assert bool(vae.decode(checkpoint, torch.ones(1, 4, 4, 4) * 100).isfinite().all())
    assert wanted.shape == steady.shape
    assert checkpoint.vae.dtype == torch.float32


def test_vaes_load_from_files_of_their_own(tmp_path: Path, load: Load) -> None:
    """A VAE file replaces the checkpoint's, with or without prefix or under diffusers' names; a wrong one is refused."""
    checkpoint = load(write_tiny_checkpoint(tmp_path / "a.safetensors"))
    prefix = "first_stage_model."
    other = {key: value for key, value in tiny_weights(seed=9).items() if key.startswith(prefix)}
    bare = {key.removeprefix(prefix): value for key, value in other.items()}
    latent = torch.ones(1, 4, 4, 4)
    pictures = []
    save_file(bare, tmp_path / "v.safetensors")
    torch.save({"state_dict": {**other, "loss.x": torch.ones(1)}}, tmp_path / "v.pt")
    for name in ("v.safetensors", "v.pt"):
        info = ModelFile(name, str(tmp_path / name), "", "unknown")
        loaded = load_vae(info, checkpoint=checkpoint, device=CPU, dtype=torch.float32)
        pictures.append(vae.decode(vae.with_vae(checkpoint, loaded), latent))
        save_file(loaded.state_dict(), tmp_path / "diffusers.safetensors")
    info = ModelFile("d", str(tmp_path / "diffusers.safetensors"), "", "unknown")
    loaded = load_vae(info, checkpoint=checkpoint, device=CPU, dtype=torch.float32)
    pictures.append(vae.decode(vae.with_vae(checkpoint, loaded), latent))
    assert torch.equal(pictures[0], pictures[1])
    assert torch.equal(pictures[0], pictures[2])
    assert not torch.equal(pictures[0], vae.decode(checkpoint, latent))
    with pytest.raises(BrokenModel, match="another family"):
        load_vae(ModelFile("sdxl_vae", info.path, "", "sdxl"), checkpoint=checkpoint, device=CPU, dtype=torch.float32)


def test_residency_forgets_the_least_recently_used(tmp_path: Path) -> None:
    """Under its limit everything stays; over it the oldest unpinned checkpoint goes; the same file gives the same object."""
    infos = [
        ModelFile(f"m{i}", str(write_tiny_checkpoint(tmp_path / f"m{i}.safetensors", seed=i)), "", "sd1")
        for i in range(3)
    ]
    size = Residency(device=CPU, dtype=torch.float32, memory_limit=1 << 40).acquire(infos[0]).bytes
    shelf = Residency(device=CPU, dtype=torch.float32, memory_limit=2 * size)
    first = shelf.acquire(infos[0])
    shelf.acquire(infos[1])
    assert shelf.acquire(infos[0]) is first
    shelf.acquire(infos[2])
    assert [shelf.holds(info) for info in infos] == [True, False, True]
    shelf.pinned.add(infos[0].path)
    shelf.acquire(infos[1])
    assert [shelf.holds(info) for info in infos] == [True, True, False]
    assert shelf.evict_unused(keep=()) == size
    assert [shelf.holds(info) for info in infos] == [True, False, False]


def test_sdxl_defaults_describe_the_real_models() -> None:
    """The shipped configurations have exactly the published numbers of UNet weights."""
    from inference.engine.families import FAMILIES as TABLE

    sizes = {}
    with torch.device("meta"):
        for name, family in TABLE.items():
            unet = UNet2DConditionModel(**family.config()["unet"])
            sizes[name] = sum(weight.numel() for weight in unet.parameters())
    assert sizes == {
        "sd1": 859_520_964,
        "sd2": 865_910_724,
        "sdxl": 2_567_463_684,
        "sdxl_refiner": 2_259_526_660,
    }
