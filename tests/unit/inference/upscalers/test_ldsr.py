"""LDSR from its original file: names, sums of diffusers' own modules, the steps of DDIM, windows, sizes, progress, refusals."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from diffusers import DDIMScheduler, UNet2DModel, VQModel
from PIL import Image
from torch import Tensor

from inference.engine.bad_file import BadFile
from inference.engine.upscale import enlarge, tile_count
from inference.engine.upscalers import ldsr as module
from inference.engine.upscalers.ldsr import (
    Ldsr,
    continued,
    ddim_step,
    ddim_timesteps,
    padded_size,
    read_project,
    seen_size,
    window_weights,
)
from inference.engine.upscalers.loading import kind_of
from tests.unit.inference.upscalers.files import loaded, noise, randomised, run, saved

CHANNELS = (32, 64, 64, 96)
PROJECT = {
    "model": {
        "params": {
            "linear_start": 0.0015,
            "linear_end": 0.0155,
            "unet_config": {"params": {"num_head_channels": 32, "model_channels": 32}},
        }
    }
}


def reference() -> tuple[UNet2DModel, VQModel]:
    """The two networks as diffusers builds them, small, with random weights."""
    unet = UNet2DModel(
        in_channels=6,
        out_channels=3,
        layers_per_block=2,
        block_out_channels=CHANNELS,
        down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
        attention_head_dim=32,
    )
    vq = VQModel(
        block_out_channels=(32, 32, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=2,
        latent_channels=3,
        num_vq_embeddings=64,
        vq_embed_dim=3,
    )
    randomised(unet, seed=1, gain=0.7)
    randomised(vq, seed=2)
    return unet.eval(), vq.eval()


RES = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0"}
RES |= {"conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def original_unet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Diffusers' weights under the names of CompVis' file: blocks counted through, query, key and value woven head by head."""
    out: dict[str, Tensor] = {}
    woven: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        kind, _, leaf = name.rpartition(".")
        where, rest = place(kind)
        if rest in ("to_q", "to_k", "to_v"):
            woven.setdefault(f"{where}.qkv.{leaf}", {})[rest] = value
        elif rest in ("to_out.0", "group_norm"):
            new = {"to_out.0": "proj_out", "group_norm": "norm"}[rest]
            out[f"{where}.{new}.{leaf}"] = value[..., None] if rest == "to_out.0" and value.ndim == 2 else value
        else:
            out[f"{where}.{RES.get(rest, rest)}.{leaf}".replace("..", ".")] = value
    for name, parts in woven.items():
        heads = torch.stack(
            [parts[part].reshape(-1, 32, *parts[part].shape[1:]) for part in ("to_q", "to_k", "to_v")], 1
        )
        flat = heads.reshape(-1, *parts["to_q"].shape[1:])
        out[name] = flat[..., None] if flat.ndim == 2 else flat
    return {f"model.diffusion_model.{name}": value.contiguous() for name, value in out.items()}


def place(kind: str) -> tuple[str, str]:
    """Where a module of diffusers stands in the file, and its own part of the name."""
    fixed = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    if kind in fixed:
        return fixed[kind], ""
    parts = kind.split(".")
    if parts[0] == "mid_block":
        number = {"resnets": 2 * int(parts[2]), "attentions": 1}[parts[1]]
        return f"middle_block.{number}", ".".join(parts[3:])
    level, what, layer, rest = int(parts[1]), parts[2], int(parts[3]), ".".join(parts[4:])
    if parts[0] == "down_blocks":
        first = 1 + level * 3
        if what == "downsamplers":
            return f"input_blocks.{first + 2}.0.op", ""
        return f"input_blocks.{first + layer}.{0 if what == 'resnets' else 1}", rest
    first = level * 3
    if what == "upsamplers":
        return f"output_blocks.{first + 2}.{2 if level == 0 else 1}.conv", ""
    return f"output_blocks.{first + layer}.{0 if what == 'resnets' else 1}", rest


def original_vq(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same for the first stage."""
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        new = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
        for level in range(3):
            new = new.replace(f"decoder.up_blocks.{level}.", f"decoder.up.{2 - level}.")
            new = new.replace(f"encoder.down_blocks.{level}.", f"encoder.down.{level}.")
        new = (
            new.replace(".resnets.", ".block.")
            .replace("downsamplers.0", "downsample")
            .replace("upsamplers.0", "upsample")
        )
        new = new.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if "attentions.0" in new:
            new = (
                new.replace("mid_block.attentions.0", "mid.attn_1")
                .replace("group_norm", "norm")
                .replace("to_out.0", "proj_out")
            )
            new = new.replace("to_q", "q").replace("to_k", "k").replace("to_v", "v")
        is_projection = ".mid.attn_1." in new and value.ndim == 2
        out[f"first_stage_model.{new}"] = (value[..., None, None] if is_projection else value).contiguous()
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LDSR/ as an operator lays it down: the model and its project."""
    unet, vq = reference()
    place = tmp_path_factory.mktemp("models") / "LDSR"
    state: dict[str, Any] = original_unet(unet.state_dict()) | original_vq(vq.state_dict())
    state["betas"] = torch.zeros(1000)
    saved({"state_dict": state, "global_step": 3}, place / "model.ckpt")
    (place / "project.yaml").write_text(yaml.safe_dump(PROJECT))
    return place


@pytest.fixture(scope="module")
def network(folder: Path) -> Ldsr:
    """It, loaded, with few steps."""
    found = loaded(folder / "model.ckpt")
    assert isinstance(found, Ldsr)
    assert found.steps == 100
    found.steps = 3
    return found


def test_the_networks_answer_as_diffusers_own(network: Ldsr) -> None:
    """UNet and decoder from the original names compute what diffusers' modules of the same weights do, quantising included."""
    unet, vq = reference()
    generator = torch.Generator().manual_seed(5)
    x, latent = torch.randn(2, 6, 32, 32, generator=generator), torch.randn(2, 3, 16, 16, generator=generator)
    time = torch.tensor([7, 901])
    with torch.inference_mode():
        torch.testing.assert_close(network.denoiser(x, time), unet(x, time).sample, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(network.decoder(latent), vq.decode(latent).sample, atol=1e-4, rtol=1e-4)


def test_the_same_file_as_safetensors(folder: Path, tmp_path: Path, network: Ldsr) -> None:
    """Both endings of the model are the same network."""
    state = torch.load(folder / "model.ckpt", weights_only=True)["state_dict"]
    other = loaded(saved(state, tmp_path / "LDSR" / "model.safetensors"))
    assert isinstance(other, Ldsr)
    for name, value in network.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_one_step_is_that_of_diffusers_scheduler() -> None:
    """DDIM with eta 1 over the square-root-linear noise: the same latent as DDIMScheduler with the same fresh noise."""
    scheduler = DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0155,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    scheduler.set_timesteps(100)
    times = ddim_timesteps(100)
    assert list(scheduler.timesteps.tolist()) == times[::-1]
    latent, eps = (torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    kept = torch.cumprod(1 - torch.linspace(math.sqrt(0.0015), math.sqrt(0.0155), 1000, dtype=torch.float64) ** 2, 0)
    generator = torch.Generator().manual_seed(3)
    ours = ddim_step(latent, eps, kept[times[50]], kept[times[49]], generator=generator)
    fresh = torch.randn(latent.shape, generator=torch.Generator().manual_seed(3))
    theirs = scheduler.step(eps, times[50], latent, eta=1.0, variance_noise=fresh).prev_sample
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_one_window_is_diffusers_loop(network: Ldsr) -> None:
    """A picture of one window: the whole enlargement is what diffusers' modules and scheduler give, cut to 8 bits."""
    unet, vq = reference()
    picture = noise(40, 25)
    result, calls = run(enlarge(picture, upscaler="LDSR", scale=4.0), LDSR=network)
    assert calls == tile_count(picture.size, network=network, scale=4.0) == len(ddim_timesteps(3)) + 1
    generator = torch.Generator().manual_seed(module.SEED)
    padded = np.pad(np.asarray(picture), ((0, 103), (0, 88), (0, 0)), mode="edge")
    beside = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 127.5 - 1
    scheduler = DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0155,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    scheduler.set_timesteps(3)
    latent = torch.randn(beside.shape, generator=generator)
    times = ddim_timesteps(3)
    with torch.inference_mode():
        for index in reversed(range(len(times))):
            eps = unet(torch.cat((latent, beside), 1), times[index]).sample
            before = times[index - 1] if index else 0
            a, b = (float(scheduler.alphas_cumprod[t]) for t in (times[index], before))
            clean = (latent - math.sqrt(1 - a) * eps) / math.sqrt(a)
            sigma = math.sqrt((1 - b) / (1 - a) * (1 - a / b))
            latent = math.sqrt(b) * clean + math.sqrt(max(0, 1 - b - sigma**2)) * eps
            latent = latent + sigma * torch.randn(latent.shape, generator=generator)
        pixels = vq.decode(latent).sample
    levels = (((pixels[0] + 1) / 2).clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0).numpy()
    # 25 rows became 100, of which the contract keeps 96: Lanczos brings them there
    expected = Image.fromarray(levels[:100, :160]).resize((160, 96), Image.Resampling.LANCZOS)
    assert result.size == expected.size
    assert np.abs(np.asarray(result).astype(int) - np.asarray(expected).astype(int)).mean() < 0.5


def test_a_wide_picture_goes_through_windows_that_overlap(network: Ldsr) -> None:
    """Windows of 128, every 64: a picture of 200 x 130 has four by three, at each step, and once more to be decoded."""
    assert padded_size((200, 130)) == (256, 192)
    steps = len(ddim_timesteps(3))
    assert network.calls((200, 130), 4.0) == 3 * 2 * (steps + 1)
    assert network.calls((400, 260), 2.0) == network.calls((200, 130), 4.0)
    result, calls = run(enlarge(noise(160, 40), upscaler="LDSR", scale=4.0), LDSR=network)
    assert (result.size, calls) == ((640, 160), 2 * (steps + 1))


def test_the_picture_is_brought_to_a_quarter_first() -> None:
    """Below four times it shrinks before it is painted larger (webui); what is missing to a window continues its edge."""
    assert seen_size((101, 50), 2.0) == (51, 25)
    assert seen_size((101, 50), 8.0) == (202, 100)
    picture = continued(noise(130, 5))
    assert picture.size == (192, 128)
    levels = np.asarray(picture)
    assert (levels[4:] == levels[4]).all()
    assert (levels[:, 130:] == levels[:, 129:130]).all()


def test_weights_of_a_window_grow_towards_its_middle() -> None:
    """The distance from the border as a share of the side, between 0.01 and 0.5, in both directions."""
    weights = window_weights(128)
    assert float(weights.min()) == pytest.approx(0.01)
    assert float(weights[64, 64]) == pytest.approx(63 / 127)
    assert torch.equal(weights, weights.T)
    assert float(weights[0, 64]) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: [1, 2]", "is not the one of LDSR"),
        ("{{{", "is not the one of LDSR"),
        ("!!python/object/apply:os.system ['true']", "is not the one of LDSR"),
        ("model: {params: {linear_start: 0.5, linear_end: 0.1}}", "make no model"),
        ("model: {params: {unet_config: {params: {num_head_channels: 0}}}}", "make no model"),
    ],
)
def test_a_project_that_is_none_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    """project.yaml is read as data, never as code, and its numbers are looked at."""
    (tmp_path / "project.yaml").write_text(text)
    with pytest.raises(BadFile, match=said):
        read_project(tmp_path / "project.yaml")


def test_half_a_model_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    """Weights that are missing or are no numbers end with words, whichever of the two networks they belong to."""
    state = torch.load(folder / "model.ckpt", weights_only=True)["state_dict"]
    bias = "model.diffusion_model.out.2.bias"
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "no-decoder": ({k: v for k, v in state.items() if ".decoder." not in k}, "is cut off or no LDSR model"),
        "half-unet": ({k: v for k, v in state.items() if "output_blocks.5" not in k}, "do not fit together"),
        "nan": (state | {bias: torch.full_like(state[bias], float("nan"))}, "NaN or infinite"),
    }
    for name, (content, said) in cases.items():
        with pytest.raises(BadFile, match=said):
            loaded(saved(content, tmp_path / name / "model.safetensors"))


def test_it_is_known_by_its_header(folder: Path) -> None:
    """Nothing is loaded to know what it is; a Stable Diffusion checkpoint, which sees four channels, is another thing."""
    state = torch.load(folder / "model.ckpt", weights_only=True)["state_dict"]
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    assert kind_of(shapes) == "ldsr"
    with pytest.raises(BadFile, match="is no network of a kind"):
        kind_of(shapes | {"model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3)})
