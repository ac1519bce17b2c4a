"""LDSR from its original file: names, sums of diffusers' own modules, the steps of DDIM, windows, sizes, progress, refusals."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from PIL import Image
from torch import Tensor

from inference.api.enlarging import UpscaleRequest
from inference.api.errors import FailureCode
from inference.api.wire import Event, Failed, Progress, Submit
from inference.engine.bad_file import BadFile
from inference.engine.forward import Forwards
from inference.engine.job import Prepared, Track
from inference.engine.loop import Engine
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
from tests.unit.inference.upscalers.files import ldsr_networks, loaded, noise, run, saved, write_ldsr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LDSR/ as an operator lays it down: the model and its project."""
    return write_ldsr(tmp_path_factory.mktemp("models") / "LDSR")


@pytest.fixture(scope="module")
def network(folder: Path) -> Ldsr:
    """It, loaded, with few steps."""
    found = loaded(folder / "model.ckpt")
    assert isinstance(found, Ldsr)
    assert found.steps == 100
    found.steps = 2
    return found


def test_the_networks_answer_as_diffusers_own(network: Ldsr) -> None:
    """UNet and decoder from the original names compute what diffusers' modules of the same weights do, quantising included."""
    unet, vq = ldsr_networks()
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
    unet, vq = ldsr_networks()
    picture = noise(40, 25)
    result, calls = run(enlarge(picture, upscaler="LDSR", scale=4.0), LDSR=network)
    assert calls == tile_count(picture.size, network=network, scale=4.0) == len(ddim_timesteps(2)) + 1
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
    scheduler.set_timesteps(2)
    latent = torch.randn(beside.shape, generator=generator)
    times = ddim_timesteps(2)
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
    steps = len(ddim_timesteps(2))
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


class Counted(Forwards):
    """Forwards that write down how many rows each call of a network had."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def apply(self, network: torch.nn.Module, rows: Sequence[tuple[Tensor, ...]]) -> Tensor:
        """Note, then run."""
        self.rows.append(len(rows))
        return super().apply(network, rows)


def looped(network: Ldsr, count: int, *, cancel: bool = False) -> tuple[list[Event], list[int]]:
    """So many enlargements of one window at once in the engine's loop; with `cancel` all are cancelled after two turns."""
    events: list[Event] = []
    forwards = Counted()

    def prepare(command: Submit) -> Prepared:
        work = enlarge(noise(24, 24, seed=command.job), upscaler="LDSR", scale=4.0)
        calls = tile_count((24, 24), network=network, scale=4.0)
        return Prepared([Track(work, lend=lambda _: network)], calls, "upscaling", lambda _: ())

    engine = Engine(prepare=prepare, send=events.append, forwards=forwards)
    for job in range(count):
        engine.submit(Submit(job, UpscaleRequest(picture="0" * 64, upscaler="LDSR", scale=4.0)))
    turns = 0
    while engine.running:
        engine.turn()
        turns += 1
        if cancel and turns == 2:
            for job in range(count):
                engine.cancel(job)
    return events, forwards.rows


def test_windows_of_two_people_share_batches(network: Ldsr) -> None:
    """Steps and decoding of both run together, and progress counts each step."""
    events, rows = looped(network, 2)
    calls = len(ddim_timesteps(2)) + 1
    assert rows == [2] * calls
    told = [event.done for event in events if isinstance(event, Progress) and event.job == 0]
    assert told == list(range(1, calls))


def test_it_can_be_cancelled_between_two_steps(network: Ldsr) -> None:
    """A hundred steps are long, and nobody has to wait for them."""
    events, rows = looped(network, 1, cancel=True)
    assert rows == [1, 1]
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.CANCELLED
