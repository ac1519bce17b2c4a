"""A network that is known exactly, in the place of a UNet, for whole runs through the real loop (`pipeline.*`, see its README).

It predicts the noise (or v) of a mixture of three Gaussians, whose weights are the softmax of the conditioning vector.
Its VAE is the identity; what goes through it is remembered.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import Tensor, nn

from inference.api.catalog import SAMPLERS, SCHEDULES
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Sampling, Seeds
from inference.api.wire import Event, Finished, Submit
from inference.engine.forward import PaintingModel
from inference.engine.guidance import Conditions, Guide, NoiseLevels
from inference.engine.job import Brushes, Prepared, Track
from inference.engine.loop import Engine
from inference.engine.noise_table import table_of
from inference.engine.prompt.plan import plan_prompt
from inference.engine.prompt.schedule import at_call

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
GIVEN: dict[str, Any] = json.loads((FOLDER / "pipeline.json").read_text(encoding="utf-8"))
BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
ALPHAS = (1 - BETAS).cumprod(0).float()
IDS = {row.label: row.id for row in SAMPLERS}
SCHEDULE_IDS = {row.label: row.id for row in SCHEDULES}


def arrays() -> dict[str, Tensor]:
    """All arrays of the file."""
    with np.load(FOLDER / "pipeline.npz") as file:
        return {key: torch.tensor(file[key]) for key in file.files}


class ExactNetwork(nn.Module):
    """The noise (or v) in x at timestep t, exactly. `asked` are the timesteps it was called with (of the first row)."""

    def __init__(self, given: Mapping[str, Tensor], request: GenerationRequest, *, velocity: bool = False) -> None:
        super().__init__()
        self.still = nn.Parameter(torch.zeros(1))  # gives it a device and a precision
        self.config = SimpleNamespace(in_channels=4)
        self.asked: list[float] = []
        self._given, self._velocity = given, velocity
        self._logs = table_of(ALPHAS, request.sampling).sigmas.log()

    def forward(self, x: Tensor, t: Tensor, *, encoder_hidden_states: Tensor, **_: Any) -> tuple[Tensor]:
        """(B, 4, h, w) noise; the first vector of each row's context says the mixture's weights."""
        self.asked.append(float(t[0]))
        h, w = x.shape[-2:]
        means = self._given["means" if (h, w) == (8, 8) else f"means_{h}x{w}"].double()
        low = t.floor().long().clamp(0, 999)
        sigma = (
            torch.lerp(self._logs[low], self._logs[t.ceil().long().clamp(0, 999)], t - low).exp().double().view(-1, 1)
        )
        shares = encoder_hidden_states[:, 0].double().log_softmax(-1)
        x_ve = x.double() * (sigma.view(-1, 1, 1, 1) ** 2 + 1).sqrt()
        spread = self._given["stds"].double() ** 2
        variance = spread + sigma**2
        distance = ((x_ve.unsqueeze(1) - means) ** 2).flatten(2).sum(2)
        share = (shares - means[0].numel() / 2 * variance.log() - distance / (2 * variance)).softmax(1)
        wide = variance.view(*variance.shape, 1, 1, 1)
        clean = (spread.view(-1, 1, 1, 1) * x_ve.unsqueeze(1) + sigma.view(-1, 1, 1, 1, 1) ** 2 * means) / wide
        denoised = (share.view(*share.shape, 1, 1, 1) * clean).sum(1)
        level = sigma.view(-1, 1, 1, 1)
        noise, root = (x_ve - denoised) / level, (level**2 + 1).sqrt()
        return (((noise - level * denoised) / root if self._velocity else noise).float(),)


class IdentityVae(nn.Module):
    """Gives `latents` for any pictures; remembers what it is asked to decode."""

    def __init__(self, latents: Tensor) -> None:
        super().__init__()
        self.still = nn.Parameter(torch.zeros(1))
        self.config = SimpleNamespace(block_out_channels=(1, 1, 1, 1), latent_channels=4)
        self.decoded: list[Tensor] = []
        self._latents = latents

    def encode(self, pixels: Tensor) -> Any:
        """The latents, one for each picture."""
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: self._latents[: len(pixels)]))

    def decode(self, latents: Tensor) -> Any:
        """Grey pictures."""
        self.decoded.append(latents.clone())
        return SimpleNamespace(sample=F.interpolate(latents[:, :3] * 0, scale_factor=8))


def words(request: GenerationRequest, *, calls: int, guided: int, before: int | None = None) -> Guide:
    """Guidance whose conditions are the vectors that the file gives for each text.

    Prompts count `calls` (and those `before`, in a second pass), guidance counts `guided`.
    """
    vectors: Mapping[str, Sequence[float]] = GIVEN["condition_vectors"]

    def conditions(text: str) -> Conditions:
        return known.setdefault(text, Conditions(torch.tensor(vectors[text.strip()]).repeat(2, 1).unsqueeze(0)))

    known: dict[str, Conditions] = {}
    plan = plan_prompt(request.prompt.positive, calls=calls, before=before, tokenize=lambda _: ())
    (unwanted,) = plan_prompt(
        request.prompt.negative, calls=calls, before=before, tokenize=lambda _: (), composable=False
    ).parts
    return Guide(
        settings=request.guidance,
        calls=guided,
        positive=lambda call: [(part.weight, conditions(at_call(part.stages, call))) for part in plan.parts],
        negative=lambda call: conditions(at_call(unwanted.stages, call)),
    )


def requests_of(case: Mapping[str, Any], **parts: Any) -> list[GenerationRequest]:
    """What `case` asks for, one request a picture, with `parts` (a source, a second pass) added."""
    said = case["case"]
    sampling = Sampling(
        sampler=IDS[said["sampler"]],
        schedule=SCHEDULE_IDS[said.get("scheduler", "Automatic")],
        steps=said["steps"],
        eta=said.get("eta"),
        ensd=said.get("ensd", 0),
        sgm_noise=said.get("sgm", False),
        zero_terminal_snr=said.get("zsnr", False),
    )
    requests: list[GenerationRequest] = []
    for image, seed in enumerate(case["seeds"]):
        varied = {"variation_strength": said["sub"], "variation_seed": said["subseeds"][image]} if "sub" in said else {}
        requests.append(
            GenerationRequest(
                prompt=Prompt(case["prompt"], case["negative_prompt"]),
                canvas=Canvas(64, 64),
                seeds=Seeds(seed=seed, source="gpu" if said.get("src") == "NV" else "cpu", **varied),
                model=ModelRef("m"),
                sampling=sampling,
                guidance=Guidance(
                    cfg_scale=case["cfg_scale"],
                    skip_early=said.get("skip_early", 0.0),
                    min_sigma_uncond=said.get("ngms", 0.0),
                ),
                extra_noise=said.get("extra_noise", 0.0),
                **parts,
            )
        )
    return requests


def model_of(network: ExactNetwork, vae: IdentityVae, *, velocity: bool = False) -> PaintingModel:
    """Both as what a picture is painted with."""
    return PaintingModel(
        network, vae, 1.0, "v_prediction" if velocity else "epsilon", NoiseLevels(ALPHAS), alphas_cumprod=ALPHAS
    )


def painted(brushes: Brushes, paintings: Sequence[Any]) -> None:
    """Run `paintings` side by side through the real loop."""
    events: list[Event] = []

    def prepare(_: Submit) -> Prepared:
        tracks = [Track(painting, i, brushes.model, brushes.guide) for i, painting in enumerate(paintings)]
        return Prepared(tracks, 1, "painting", _results)

    engine = Engine(prepare=prepare, send=events.append, preview_every=0)
    engine.submit(Submit(1, None))  # type: ignore[arg-type]  # nobody reads it: the paintings are there
    while engine.running:
        engine.turn()
    assert isinstance(events[-1], Finished), events[-1]


def _results(_: Sequence[Image]) -> tuple[()]:
    return ()
