"""Ultimate SD upscale: peak memory beside that of one picture, seconds per megapixel, and how much the tiles' borders show.

Run: python -m benchmarks.tiled_upscale [--quick]. Everything is painted by the default model and the network that Easel ships.

Memory: a picture of 768² from words, and a redraw from 512² to 4096² in tiles that are painted at 768², each in a process of
its own, which says the most that it ever had (resident, and allocated on the device where there is one). The goal: no more for
the redraw than for the picture, and the canvas: the picture as Pillow holds it, four bytes a pixel, and its file.

Seams: a picture with slopes everywhere, of 256², redrawn to 512² in tiles of 192². The mean absolute difference from one pixel to
the next along each line where tiles meet, by the mean inside of tiles; the goal for the largest is 1.1. `--quick` paints 2048²
instead of 4096².
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from inference.api.redraw import SeamFix, UltimateUpscale
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, SourcePicture
from inference.api.sampling import Sampling, Seeds
from inference.api.wire import EngineSettings, Event, Failed, Finished, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio

MODELS = Path(__file__).resolve().parent.parent / "models"
SOURCE = "ab" * 32
PROCESS, PADDING = 768, 32
GOAL = 1.1
WORDS = "a red apple on a blue background"


def studio_of(models: Path, cache: Path) -> Studio:
    """The engine's studio over `models`."""
    return Studio(EngineSettings(roots=(str(models),), cache=str(cache)))


def paint(studio: Studio, request: GenerationRequest, source: bytes = b"") -> bytes:
    """The file that the loop makes of `request`."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(1, request, {SOURCE: source} if source else {}))
    while engine.running:
        engine.turn()
    last = events[-1]
    if isinstance(last, Failed):
        raise SystemExit(last.message)
    assert isinstance(last, Finished)
    return last.images[0].data


def request_of(studio: Studio, side: int, *, steps: int, **more: Any) -> GenerationRequest:
    """A square picture by the first model."""
    info = studio.inventory.checkpoints[0]
    fields: dict[str, Any] = {
        "prompt": Prompt(WORDS),
        "canvas": Canvas(side, side),
        "seeds": Seeds(7),
        "model": ModelRef(info.name, info.hash),
        "sampling": Sampling("euler", steps=steps),
        "guidance": Guidance(info.cfg_scale or 7.0),
    }
    return GenerationRequest(**(fields | more))


def scene(side: int) -> bytes:
    """A picture with edges and slopes everywhere, as a PNG."""
    across, down = np.meshgrid(np.linspace(0, 12, side), np.linspace(0, 9, side))
    waves = np.stack((np.sin(across * down), np.cos(across + 3 * np.sin(down)), np.sin(down * 4)), axis=-1)
    buffer = io.BytesIO()
    Image.fromarray(((waves + 1) * 127).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def child(kind: str, *, models: Path, side: int, upscaler: str) -> dict[str, float]:
    """Paint once in this process, and what it took: bytes at most, seconds, and the size of the file."""
    with tempfile.TemporaryDirectory() as cache:
        studio = studio_of(models, Path(cache))
        start = time.perf_counter()
        if kind == "picture":
            data = paint(studio, request_of(studio, PROCESS, steps=1))
        else:
            tile = PROCESS - PADDING
            redraw = UltimateUpscale((side, side), upscaler=upscaler, tile=(tile, tile), padding=PADDING)
            source = SourcePicture(SOURCE, 0.35)
            data = paint(studio, request_of(studio, PROCESS, steps=1, source=source, redraw=redraw), scene(side // 8))
        seconds = time.perf_counter() - start
    return {
        "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "allocated": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0,
        "seconds": seconds,
        "file": len(data),
    }


def measured(kind: str, *, models: Path, side: int, upscaler: str) -> dict[str, float]:
    """`child` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.tiled_upscale", "--child", kind]
    command += ["--models", str(models), "--side", str(side), "--upscaler", upscaler]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def largest_seam(picture: Image.Image, tile: int) -> float:
    """Of all borders of tiles the one that shows most: its steps from pixel to pixel, by those of the inside of tiles."""
    levels = np.asarray(picture).astype(np.float64)
    at_borders, inside = list[float](), list[float]()
    for axis in (0, 1):
        steps = np.abs(np.diff(levels, axis=axis)).mean(axis=(1 - axis, 2))
        borders = [line for edge in range(tile, levels.shape[axis], tile) for line in (edge - 1, edge)]
        at_borders += steps[borders].tolist()
        inside += np.delete(steps, borders).tolist()
    return max(at_borders) / (sum(inside) / len(inside))


def seams(models: Path) -> None:
    """Print the largest seam for each way to mend them."""
    with tempfile.TemporaryDirectory() as cache:
        studio = studio_of(models, Path(cache))
        upscaler = studio.inventory.upscalers[0].name
        for kind in (None, "band", "half tile", "intersections"):
            fix = None if kind is None else SeamFix(kind, 0.2)
            redraw = UltimateUpscale((512, 512), upscaler=upscaler, tile=(192, 192), padding=32, seams=fix)
            source = SourcePicture(SOURCE, 0.2)
            words: dict[str, Any] = {"prompt": Prompt(""), "guidance": Guidance(1.0)}
            wanted = request_of(studio, 192, steps=10, source=source, redraw=redraw, **words)
            start = time.perf_counter()
            picture = Image.open(io.BytesIO(paint(studio, wanted, scene(256))))
            seconds = (time.perf_counter() - start) / (picture.width * picture.height / 1e6)
            seam = largest_seam(picture, 192)
            print(f"  seams {kind or 'left':13} {seam:.3f} of the inside (goal: {GOAL}), {seconds:.1f} s a megapixel")


def main() -> None:
    """Measure and print, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", choices=("picture", "redraw"))
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--upscaler", default="realesr-animevideov3-x4.fp16")
    said = parser.parse_args()
    if said.child:
        print(json.dumps(child(said.child, models=said.models, side=said.side, upscaler=said.upscaler)))
        return
    side = 2048 if said.quick else said.side
    one, large = (
        measured(kind, models=said.models, side=side, upscaler=said.upscaler) for kind in ("picture", "redraw")
    )
    canvas = side * side * 4 + 2 * large["file"]
    for what in ("resident", "allocated"):
        if one[what]:
            goal = f"goal: {(one[what] + canvas) / 1e6:.1f} MB"
            both = f"a picture of {PROCESS}² {one[what] / 1e6:8.1f} MB, a redraw to {side}² {large[what] / 1e6:8.1f} MB"
            print(f"  most {what:9}: {both} ({goal})")
    print(f"  {large['seconds'] / (side * side / 1e6):.2f} s a megapixel at one model call a tile")
    seams(said.models)


if __name__ == "__main__":
    main()
