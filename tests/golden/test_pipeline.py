"""Whole runs as the webui makes them (`pipeline.*`): prompts, guidance, noise, schedule, sampler and wrapper together.

The network is known exactly; what it is told and where each run ends are the webui's. README of the vectors.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.api.catalog import SAMPLERS as ROWS
from inference.api.catalog import SCHEDULES as SCHEDULE_ROWS
from inference.api.sampling import Guidance, Sampling, Seeds
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.guidance import Conditions, Guide, NoiseLevels
from inference.engine.noise import initial_noise
from inference.engine.noise_table import ModelTable, default_alphas
from inference.engine.prompt.plan import plan_prompt
from inference.engine.prompt.schedule import at_call
from inference.engine.sampling import guided_calls, sample, table_of
from inference.engine.work import Evaluate
from inference.engine.work import Sampling as Walk

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
VECTORS: dict[str, Any] = json.loads((FOLDER / "pipeline.json").read_text(encoding="utf-8"))
ROW_OF = {row.label: row for row in ROWS}
SCHEDULE_IDS = {row.label: row.id for row in SCHEDULE_ROWS}
SDE = {"DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE"}
TOLERANCES = {"DPM adaptive": 2e-3, "DPM fast": 2e-3, **dict.fromkeys(SDE, 1e-2)}


class ExactNetwork(nn.Module):
    """The noise (or v) in x at timestep t, exactly; the first vector of each row's context says the mixture's weights."""

    def __init__(self, arrays: Mapping[str, Tensor], table: ModelTable, *, velocity: bool) -> None:
        super().__init__()
        self.still = nn.Parameter(torch.zeros(1))  # gives it a device and a precision
        self.config = SimpleNamespace(in_channels=4)
        self._arrays, self._table, self._velocity = arrays, table, velocity
        self.told: list[float] = []

    def forward(self, x: Tensor, t: Tensor, *, encoder_hidden_states: Tensor, **_: Any) -> tuple[Tensor]:
        """(B, 4, h, w), as diffusers' UNet returns it."""
        self.told.append(float(t[0]))
        h, w = x.shape[-2:]
        means = self._arrays["means" if (h, w) == (8, 8) else f"means_{h}x{w}"].double()
        sigma, spread = self._table.sigma(t).double().view(-1, 1), self._arrays["stds"].double() ** 2
        wide = sigma.view(-1, 1, 1, 1)
        x_ve = x.double() * (1 + wide**2).sqrt()
        variance = spread + sigma**2
        distance = ((x_ve.unsqueeze(1) - means) ** 2).flatten(2).sum(2)
        shares = encoder_hidden_states[:, 0].double().log_softmax(-1)
        share = (shares - means[0].numel() / 2 * variance.log() - distance / (2 * variance)).softmax(1)
        clean = spread.view(-1, 1, 1, 1) * x_ve.unsqueeze(1) + wide.unsqueeze(1) ** 2 * means
        denoised = (share.view(*share.shape, 1, 1, 1) * clean / variance.view(*variance.shape, 1, 1, 1)).sum(1)
        eps = (x_ve - denoised) / wide
        if self._velocity:
            return (((eps - wide * denoised) / (1 + wide**2).sqrt()).float(),)
        return (eps.float(),)


@dataclass
class Run:
    """One case's settings as ours."""

    row: Mapping[str, Any]
    arrays: Mapping[str, Tensor]
    network: ExactNetwork = field(init=False)

    def __post_init__(self) -> None:
        table = table_of(default_alphas(), self.sampling)
        self.network = ExactNetwork(self.arrays, table, velocity=self.case.get("v", False))
        self.table = table
        kind: Any = "v_prediction" if self.case.get("v") else "epsilon"
        self.model = PaintingModel(self.network, None, 1.0, kind, NoiseLevels(table.alphas_cumprod))

    @property
    def case(self) -> Mapping[str, Any]:
        """What was asked of the webui."""
        return self.row["case"]

    @property
    def sampling(self) -> Sampling:
        """The request's sampling."""
        return Sampling(
            sampler=ROW_OF[self.case["sampler"]].id,
            schedule=SCHEDULE_IDS[self.case.get("scheduler", "Automatic")],
            steps=self.case["steps"],
            eta=self.case.get("eta"),
            ensd=self.case.get("ensd", 0),
            sgm_noise=self.case.get("sgm", False),
            zero_terminal_snr=self.case.get("zsnr", False),
        )

    def seeds(self, image: int) -> Seeds:
        """Of one picture."""
        varied: dict[str, Any] = {}
        if self.case.get("sub"):
            varied = {"variation_strength": self.case["sub"], "variation_seed": self.case["subseeds"][image]}
        source: Any = "gpu" if self.case.get("src") == "NV" else "cpu"
        return Seeds(seed=self.row["seeds"][image], source=source, **varied)

    def guide(self, sampling: Sampling, *, before: int | None = None, share: Mapping[str, Any]) -> Guide:
        """Guidance whose conditions are the vectors that the file gives for each text."""
        vectors: Mapping[str, Sequence[float]] = VECTORS["condition_vectors"]
        known: dict[str, Conditions] = {}

        def conditions(text: str) -> Conditions:
            return known.setdefault(text, Conditions(torch.tensor(vectors[text.strip()]).repeat(2, 1).unsqueeze(0)))

        calls = sampling.steps * ROW_OF[self.case["sampler"]].order
        plan: Any = {"calls": calls, "before": before, "tokenize": lambda _: ()}
        positive = plan_prompt(self.row["prompt"], **plan)
        (negative,) = plan_prompt(self.row["negative_prompt"], **plan, composable=False).parts
        return Guide(
            settings=Guidance(
                cfg_scale=self.row["cfg_scale"],
                skip_early=self.case.get("skip_early", 0.0),
                min_sigma_uncond=self.case.get("ngms", 0.0),
            ),
            calls=guided_calls(sampling, **share),
            positive=lambda call: [(part.weight, conditions(at_call(part.stages, call))) for part in positive.parts],
            negative=lambda call: conditions(at_call(negative.stages, call)),
        )

    def driven(self, walk: Walk, guide: Guide) -> Tensor:
        """Run a sampler with this case's network, as the engine's loop does; each picture of a batch by itself."""
        forwards, answer, number = Forwards(), None, 0
        while True:
            try:
                call = walk.send(answer)
            except StopIteration as end:
                return end.value
            answers = [self.answer(call, x, guide, number, forwards) for x in call.x.split(1)]
            self.network.told = self.network.told[: len(self.network.told) - len(answers) + 1]
            parts = [torch.cat(part) for part in zip(*answers, strict=True)]
            answer, number = tuple(parts) if call.pair else parts[0], number + 1

    def answer(self, call: Evaluate, x: Tensor, guide: Guide, number: int, forwards: Forwards) -> tuple[Tensor, Tensor]:
        """The guided and the unconditional estimate for one picture."""
        asked = guide.ask(number, call.level)
        rows = [Row(x, call.sigma, conditions, call.timestep) for conditions in asked.rows]
        denoised = forwards.evaluate(self.model, rows)
        return guide.combine(asked, x, call.sigma, denoised), denoised[asked.base : asked.base + 1]

    def first_pass(self, images: Sequence[int]) -> Tensor:
        """From noise, or from the file's latent where a strength is given."""
        share: dict[str, Any] = {}
        given: dict[str, Any] = {}
        if "ds" in self.case:
            share = {"denoising_strength": self.case["ds"], "exact_steps": self.case.get("fix", False)}
            given = {**share, "latent": self.arrays["init_latent"][list(images)]}
            given["extra_noise"] = self.case.get("extra_noise", 0.0)
            given["mask"] = self.arrays["mask_regenerate"].unsqueeze(0) if self.case.get("mask") else None
        return self.walked(images, (8, 8), self.guide(self.sampling, share=share), self.sampling, **given)

    def second_pass(self, images: Sequence[int], first: Tensor) -> Tensor:
        """Hires fix over the first pass's latents."""
        asked, sampling = self.case["hr"], self.sampling
        grown = F.interpolate(first, size=asked["size"], mode=asked["mode"], antialias=asked["aa"])
        before = sampling.steps * ROW_OF[self.case["sampler"]].order
        again = Sampling(sampler=sampling.sampler, schedule=sampling.schedule, steps=asked["steps"] or sampling.steps)
        share = {"denoising_strength": asked["ds"], "exact_steps": True}
        guide = self.guide(again, before=before, share=share)
        return self.walked(images, tuple(asked["size"]), guide, again, latent=grown, **share)

    def walked(
        self, images: Sequence[int], size: tuple[int, ...], guide: Guide, sampling: Sampling, **given: Any
    ) -> Tensor:
        """These pictures in one batch, each with its own noise."""
        drawn = [initial_noise(self.seeds(image), 0, (1, 4, *size), ensd=self.sampling.ensd) for image in images]
        stream = Together([stream for _, stream in drawn])
        noise = torch.cat([noise for noise, _ in drawn])
        walk = sample(sampling, table=self.table, noise=noise, stream=stream, **given)
        return self.driven(walk, guide)


class Together:
    """Streams of several pictures as one, for samplers that look at a whole batch."""

    def __init__(self, streams: Sequence[Any]) -> None:
        self._streams = streams

    def next(self, shape: Sequence[int]) -> Tensor:
        """The next draw of each."""
        return torch.cat([stream.next((1, *shape[1:])) for stream in self._streams])

    def brownian(self, low: float, high: float, shape: Sequence[int]) -> Any:
        """The path of each."""
        paths = [stream.brownian(low, high, (1, *shape[1:])) for stream in self._streams]
        return lambda sigma, following: torch.cat([path(sigma, following) for path in paths])


@pytest.fixture(scope="module")
def arrays() -> dict[str, Tensor]:
    """Arrays of the file."""
    with np.load(FOLDER / "pipeline.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files}


@pytest.mark.parametrize("row", VECTORS["cases"], ids=lambda row: f"{row['key']} {row['case']['sampler']}")
def test_a_run_ends_where_the_webuis_ends(row: dict[str, Any], arrays: dict[str, Tensor]) -> None:
    """Same settings, same seeds, same latents, and the network is told the same timesteps on the way.

    Pictures are painted one by one, except by the sampler whose steps in the webui depend on the whole batch.
    """
    together = row["case"]["sampler"] == "DPM adaptive"
    count = len(row["seeds"])
    tolerance = TOLERANCES.get(row["case"]["sampler"], 1e-3)
    for images in [range(count)] if together else [[image] for image in range(count)]:
        run = Run(row, arrays)
        final = run.first_pass(images)
        if "hr" in row["case"]:
            assert (final - arrays[f"{row['key']}_first_pass"][list(images)]).abs().max() <= tolerance
            final = run.second_pass(images, final)
        assert (final - arrays[f"{row['key']}_x_final"][list(images)]).abs().max() <= tolerance
        assert run.network.told == pytest.approx(list(chain(row["network_t"])), abs=0.02)
