"""What a step costs when the network costs nothing: loop, guidance, sampler and noise, as medians of one run.

`python -m benchmarks.loop_overhead [SIDE] [SAMPLER …]` runs samplers (ids of the catalogue) over latents of SIDE pixels (512
unless given) through the engine's loop, in which the UNet answers at once: one picture alone, and eight pictures together
(sixteen rows with their negatives). Counts the process's own CPU time on one thread, which other programs do not lengthen.
A call's time is the difference between a long and a short run, so that beginnings and ends do not count. Of that, what the
random numbers took is printed apart: a seed must give what it gives on a graphics card, whose arithmetic a CPU works out
number by number, so their time is that of the picture's size and not the loop's. Prints; judges nothing.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
from PIL import Image
from torch import Tensor

from inference.api.catalog import SAMPLERS
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Sampling, Seeds
from inference.api.wire import Event, Finished, Submit
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.guidance import Conditions, Guide, NoiseLevels
from inference.engine.job import Prepared, Track
from inference.engine.loop import Engine
from inference.engine.noise import NoiseStream, initial_noise
from inference.engine.noise_table import default_alphas
from inference.engine.sampling import sample
from inference.engine.sampling.knobs import Noise
from inference.engine.work import Painting

LONG, SHORT, ROUNDS = 24, 4, 5
CHOSEN = ("euler", "dpmpp_2m", "unipc", "euler_a")  # those with Brownian noise take minutes on a CPU
TOGETHER, ROWS = 8, 16
TRAINED = default_alphas()
POSITIVE, NEGATIVE = (Conditions(torch.zeros(1, 77, 768)) for _ in range(2))


class NoUnet(Forwards):
    """Forwards whose UNet answers at once."""

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
        """Half of every x."""
        del model
        self.calls += 1
        return torch.cat([row.x for row in rows]) * 0.5


class Watched:
    """A stream of noise whose seconds are added up in `watch[0]`."""

    def __init__(self, stream: NoiseStream, watch: list[float]) -> None:
        self._stream, self._watch = stream, watch

    def next(self, shape: Sequence[int]) -> Tensor:
        """The next draw."""
        return self._timed(lambda: self._stream.next(shape))

    def brownian(self, low: float, high: float, shape: Sequence[int]) -> Noise:
        """The picture's path, watched too."""
        path = self._stream.brownian(low, high, shape)
        return lambda sigma, following: self._timed(lambda: path(sigma, following))

    def _timed(self, draw: Callable[[], Tensor]) -> Tensor:
        began = time.process_time()
        drawn = draw()
        self._watch[0] += time.process_time() - began
        return drawn


def painting(sampling: Sampling, seed: int, *, model: PaintingModel, side: int, watch: list[float]) -> Painting:
    """Only the sampler's part of a picture."""
    noise, stream = initial_noise(Seeds(seed), 0, (1, 4, side // 8, side // 8))
    yield from sample(sampling, table=model.table_of(sampling), noise=noise, stream=Watched(stream, watch))
    return Image.new("RGB", (8, 8))


def run(sampling: Sampling, pictures: int, side: int) -> tuple[float, float, int]:
    """Seconds that the loop and the noise took for these pictures, and the calls it made."""
    watch = [0.0]
    model = PaintingModel(torch.nn.Identity(), None, 1.0, "epsilon", NoiseLevels(TRAINED), alphas_cumprod=TRAINED)
    guide = Guide(Guidance(), sampling.steps, lambda _: ((1.0, POSITIVE),), lambda _: NEGATIVE)
    request = GenerationRequest(prompt=Prompt("x"), canvas=Canvas(side, side), seeds=Seeds(1), model=ModelRef("none"))

    def prepare(_: Submit) -> Prepared:
        tracks = [
            Track(painting(sampling, number, model=model, side=side, watch=watch), number, model, guide)
            for number in range(pictures)
        ]
        return Prepared(tracks, sampling.steps * pictures, "painting", lambda _: ())

    events: list[Event] = []
    forwards = NoUnet()
    engine = Engine(prepare=prepare, send=events.append, forwards=forwards, max_rows=ROWS, preview_every=0)
    engine.submit(Submit(1, request))
    began = time.process_time()
    while engine.running:
        engine.turn()
    seconds = time.process_time() - began
    assert isinstance(events[-1], Finished), events[-1]
    return seconds - watch[0], watch[0], forwards.calls


def a_call(sampler: str, pictures: int, side: int) -> tuple[float, float]:
    """Median milliseconds of the loop and of the noise for one call, which is for all pictures."""
    found: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        *more, calls = run(Sampling(sampler=sampler, steps=LONG), pictures, side)
        *less, fewer = run(Sampling(sampler=sampler, steps=SHORT), pictures, side)
        if number:
            loop, noise = ((a - b) / (calls - fewer) * 1000 for a, b in zip(more, less, strict=True))
            found.append((loop, noise))
    return statistics.median(loop for loop, _ in found), statistics.median(noise for _, noise in found)


def main() -> None:
    """Measure and print."""
    side, chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 512, sys.argv[2:] or CHOSEN
    torch.set_num_threads(1)
    print(f"{side} px, one thread, CPU time, medians of {ROUNDS}, milliseconds")
    print(f"  {'sampler':20}{'one picture, a call':>22}{'its noise':>12}{f'{ROWS} rows, a row':>18}{'its noise':>12}")
    print(f"  {'(goal)':20}{'below 0.3':>22}{'':12}{'at most 0.1':>18}")
    for row in SAMPLERS:
        if row.id in chosen:
            alone, together = (a_call(row.id, pictures, side) for pictures in (1, TOGETHER))
            rows = [milliseconds / ROWS for milliseconds in together]
            print(f"  {row.label:20}{alone[0]:22.3f}{alone[1]:12.3f}{rows[0]:18.3f}{rows[1]:12.3f}", flush=True)


if __name__ == "__main__":
    main()
