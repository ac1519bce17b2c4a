"""What the engine's loop costs on top of the network: figures of one run, as medians and ratios.

`python -m benchmarks.engine_overhead [CHECKPOINT] [SIDE]` paints with CHECKPOINT (the default model where it is there, else
a tiny one of random weights). Compares, in one process: twenty steps through the loop with the same UNet and VAE calls made
bare; four people's single pictures with one job of four; the loop with diffusers' own pipeline; and the loop's own time
per step with the UNet taken out. Prints; judges nothing.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from msgspec.structs import replace
from torch import Tensor

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Sampling, Seeds
from inference.api.wire import EngineSettings, Event, Failed, Submit
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.loop import Engine
from inference.engine.picture import encode_png, to_picture
from inference.engine.studio import Studio
from tests.checkpoints import write_tiny_checkpoint

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT = PROJECT / "models" / "Stable-diffusion" / "easel-painter.safetensors"
STEPS, ROUNDS = 20, 7
PIPELINE = "diffusers' own pipeline"


class NoUnet(Forwards):
    """Forwards whose UNet answers at once."""

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
        """Half of every x."""
        del model
        return torch.cat([row.x for row in rows]) * 0.5


def median_of(runs: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each, taken in turns so that a busy machine slows all of them alike; the first round is thrown away."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def paint(
    studio: Studio, requests: Sequence[GenerationRequest], forwards: Forwards | None = None, *, previews: int = 4
) -> None:
    """Run `requests` as jobs of different people, all at once."""
    events: list[Event] = []
    engine = Engine(
        prepare=studio.prepare, send=events.append, forwards=forwards or studio.forwards, preview_every=previews
    )
    for number, request in enumerate(requests):
        engine.submit(Submit(number, request, {}, lane=str(number)))
    while engine.running:
        engine.turn()
    failures = [event for event in events if isinstance(event, Failed)]
    assert not failures, failures


def bare(studio: Studio, request: GenerationRequest) -> None:
    """The same UNet and VAE calls in the plainest loop that still makes a PNG."""
    job = studio.prepare(Submit(0, request))
    (track,) = job.tracks
    model, guide = track.model, track.guide
    assert model is not None
    assert guide is not None
    with torch.inference_mode():
        asked = guide.ask(0, 1.0)
        context = torch.cat([conditions.context for conditions in asked.rows])
        x = torch.randn(
            1, model.channels, request.canvas.height // model.downsampling, request.canvas.width // model.downsampling
        )
        for step in range(request.sampling.steps):
            t = torch.tensor([999.0 - 50 * step] * len(asked.rows))
            model.unet(x.repeat(len(asked.rows), 1, 1, 1), t, encoder_hidden_states=context, return_dict=False)
        pixels = model.vae.decode(x / model.vae_scale, return_dict=False)[0]
        encode_png(to_picture(pixels), seed=0, infotext="")
    job.release()


def pipeline_of(studio: Studio, request: GenerationRequest) -> Iterator[Callable[[], object]]:
    """diffusers' pipeline over the same modules, its text encoded beforehand as ours is measured with encoding."""
    job = studio.prepare(Submit(0, request))
    (track,) = job.tracks
    model, guide = track.model, track.guide
    assert model is not None
    assert guide is not None
    positive, negative = guide.ask(0, 1.0).rows
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="linspace", steps_offset=1
    )
    pipeline = StableDiffusionPipeline(
        vae=model.vae,
        text_encoder=None,
        tokenizer=None,
        unet=model.unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)

    def run() -> object:
        return pipeline(
            prompt_embeds=positive.context,
            negative_prompt_embeds=negative.context,
            num_inference_steps=request.sampling.steps,
            guidance_scale=7.0,
            height=request.canvas.height,
            width=request.canvas.width,
        ).images[0]

    yield run
    job.release()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        root, side = Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 128
        chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
        if chosen.exists():
            roots = (str(chosen.resolve().parent.parent),)
        else:
            chosen = write_tiny_checkpoint(root / "Stable-diffusion" / "tiny.safetensors")
            roots = (str(root),)
        studio = Studio(EngineSettings(roots=roots, cache=str(root / "cache")))
        request = GenerationRequest(
            prompt=Prompt("a red apple on a blue background"),
            canvas=Canvas(side, side),
            seeds=Seeds(1),
            model=ModelRef(chosen.stem),
            sampling=Sampling(sampler="euler", steps=STEPS),
        )
        print(f"{chosen.name}, {side} px, {STEPS} steps of Euler, {studio.describe().name}, medians of {ROUNDS}")
        report(studio, request)


def report(studio: Studio, request: GenerationRequest) -> None:
    """All figures for `request`."""
    four = [replace(request, seeds=Seeds(seed)) for seed in range(4)]
    together = replace(request, count=4)
    for pipeline in pipeline_of(studio, request):
        times = median_of(
            {
                "one picture through the engine": lambda: paint(studio, [request]),
                "the same calls bare": lambda: bare(studio, request),
                PIPELINE: pipeline,
                "four people, a picture each": lambda: paint(studio, four),
                "one job of four": lambda: paint(studio, [together]),
            }
        )
    for name, seconds in times.items():
        print(f"  {name:34} {seconds * 1000:9.1f} ms")
    engine = times["one picture through the engine"]
    print(f"  engine / bare                      {engine / times['the same calls bare']:9.3f}   (goal: at most 1.05)")
    print(f"  engine / diffusers                 {engine / times[PIPELINE]:9.3f}   (goal: at most 1)")
    ratio = times["four people, a picture each"] / times["one job of four"]
    print(f"  four people / one job of four      {ratio:9.3f}   (goal: at most 1.1)")
    many = replace(request, count=8)
    loop = median_of(
        {
            "one": lambda: paint(studio, [request], NoUnet(), previews=0),
            "eight": lambda: paint(studio, [many], NoUnet(), previews=0),
            "one, one step": lambda: paint(studio, [_one_step(request)], NoUnet(), previews=0),
            "eight, one step": lambda: paint(studio, [_one_step(many)], NoUnet(), previews=0),
        }
    )
    single = (loop["one"] - loop["one, one step"]) / (STEPS - 1) * 1000
    rows = (loop["eight"] - loop["eight, one step"]) / (STEPS - 1) / 16 * 1000
    print(f"  the loop alone, one picture        {single:9.3f} ms a step (goal: below 0.3)")
    print(f"  the loop alone, 16 rows            {rows:9.3f} ms a row (goal: at most 0.1)")


def _one_step(request: GenerationRequest) -> GenerationRequest:
    return replace(request, sampling=Sampling(sampler="euler", steps=1))


if __name__ == "__main__":
    main()
