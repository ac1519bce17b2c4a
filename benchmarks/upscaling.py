"""Upscaling tile by tile: the engine's loop beside one spandrel call a tile, one job and two, and how much a seam shows.

`python -m benchmarks.upscaling [--kind compact|rrdb] [--tiles N] [--device cuda|cpu]` enlarges one picture of N tiles (default 6)
with the shipped network, or with a random RRDB of the usual size. All ways take turns in one process, and what is printed are
ratios of medians of that run:

- spandrel: the same weights loaded by spandrel, one call a tile on tiles that lie in memory, joined by nobody;
- one job: the picture through the engine's loop, cut into tiles and put together without seams (PNGs are not counted);
- two jobs: two pictures submitted together, per picture.

The seam is the mean absolute difference from pixel to pixel beside the borders of tiles, by the same of the inside, and again by
what the picture enlarged in one piece has at the same places; with the webui's overlap of 8 too. Prints; judges nothing.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from inference.api.enlarging import UpscaleRequest
from inference.api.result import ImageResult
from inference.api.wire import Event, Submit
from inference.engine.architectures import load_architecture
from inference.engine.extras import calls_of, run_extras
from inference.engine.job import Prepared, Track
from inference.engine.loop import Engine
from inference.engine.picture import to_unit
from inference.engine.upscalers.compact import build_compact
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.rrdb import Rrdb, build_rrdb
from inference.engine.upscalers.tiles import Tiling, side_of, tiling_of

SHIPPED = Path(__file__).parents[1] / "models/RealESRGAN/realesr-animevideov3-x4.fp16.safetensors"
ROUNDS = 5
"""Each way is taken so often, in turns."""


def weights_of(kind: str) -> dict[str, torch.Tensor]:
    """State of the network that is measured, in fp32."""
    if kind == "compact":
        return {name: value.float() for name, value in load_file(SHIPPED).items()}
    torch.manual_seed(0)
    network = Rrdb(channels=3, width=64, growth=32, blocks=23, ups=2, fold=1)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.02)
    names = {f"conv_up.{number}": f"conv_up{number + 1}" for number in range(2)}
    state = network.state_dict()
    return {
        next((name.replace(old, new) for old, new in names.items() if old in name), name): v
        for name, v in state.items()
    }


def upscaler_of(kind: str, device: torch.device, dtype: torch.dtype, *, overlap: int = 0) -> Upscaler:
    """Our own network of those weights."""
    if kind == "compact":
        network: Any = build_compact(weights_of(kind))
    else:
        network = build_rrdb(weights_of(kind))
    tiling = tiling_of("esrgan")
    traits = Traits(kind, network.scale, Tiling(tiling.tile, overlap or tiling.overlap))
    return Upscaler(network, traits).to(device, dtype).eval().requires_grad_(requires_grad=False)


def picture_of(tiles: int) -> Image.Image:
    """A picture of so many tiles in a row, with soft and hard edges."""
    width = 192 + (tiles - 1) * 160
    generator = np.random.default_rng(0)
    small = Image.fromarray(generator.integers(0, 256, (24, width // 8, 3), dtype=np.uint8))
    soft = np.asarray(small.resize((width, 192), Image.Resampling.BICUBIC)).astype(int)
    hard = (np.add.outer(np.arange(192) // 9, np.arange(width) // 9) % 2)[..., None] * 40
    return Image.fromarray((soft + hard).clip(0, 255).astype(np.uint8))


def in_the_loop(network: Upscaler, pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """The pictures through the engine's loop, submitted together."""
    request = UpscaleRequest(picture="0" * 64, upscaler="net", scale=4.0)
    found: dict[int, Image.Image] = {}

    def prepare(command: Submit) -> Prepared:
        picture = pictures[command.job]
        track = Track(run_extras(request, picture), lend=lambda _: network)
        calls = calls_of(request, picture, lambda _: network)

        def results(done: Sequence[Image.Image]) -> tuple[ImageResult, ...]:
            found[command.job] = done[0]
            return ()

        return Prepared([track], calls, "upscaling", results)

    events: list[Event] = []
    engine = Engine(prepare=prepare, send=events.append)
    for number in range(len(pictures)):
        engine.submit(Submit(number, request))
    while engine.running:
        engine.turn()
    assert len(found) == len(pictures), events[-1]
    return [found[number] for number in range(len(pictures))]


def by_spandrel(network: Any, tiles: Sequence[torch.Tensor]) -> None:
    """One call a tile, each answer brought to the host."""
    for tile in tiles:
        network(tile.to(network.device, network.dtype)).float().cpu()


def seconds(work: Callable[[], object]) -> float:
    """Wall time of `work`."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def roughness(picture: Image.Image, borders: Sequence[int]) -> float:
    """Differences from column to column within 8 pixels of `borders`, by those of all others."""
    steps = np.abs(np.diff(np.asarray(picture).astype(float), axis=1)).mean(axis=(0, 2))
    beside = np.zeros(len(steps), dtype=bool)
    for border in borders:
        beside[border - 8 : border + 8] = True
    return float(steps[beside].mean() / steps[~beside].mean())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=("compact", "rrdb"), default="compact")
    parser.add_argument("--tiles", type=int, default=6)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    network, spandrel = upscaler_of(chosen.kind, device, dtype), load_architecture(weights_of(chosen.kind))
    spandrel.to(device, dtype).eval()
    picture = picture_of(chosen.tiles)
    side = side_of(picture.width, network.traits.tiling)
    tiles = [to_unit(picture.crop((left, 0, left + 192, 192))) for left in side.origins]
    ways: dict[str, Callable[[], object]] = {
        "spandrel": lambda: by_spandrel(spandrel, tiles),
        "one job": lambda: in_the_loop(network, [picture]),
        "two jobs": lambda: in_the_loop(network, [picture, picture]),
    }
    for work in ways.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            taken[name].append(seconds(work))
    middle = {name: statistics.median(values) for name, values in taken.items()}
    print(
        f"{chosen.kind}, {len(tiles)} tiles of 192 px, {device}, {str(dtype).removeprefix('torch.')}, {ROUNDS} rounds"
    )
    print(f"  spandrel, a call a tile    {middle['spandrel'] / len(tiles) * 1000:8.1f} ms a tile")
    print(f"  one job by spandrel        {middle['one job'] / middle['spandrel']:8.2f} (goal: at most 1)")
    print(f"  two jobs by two of one     {middle['two jobs'] / 2 / middle['one job']:8.2f} (goal: below 1)")
    single = in_the_loop(upscaler_wide(network, picture.width), [picture])[0]
    for overlap in (network.traits.tiling.overlap, 8):
        tiled = in_the_loop(upscaler_of(chosen.kind, device, dtype, overlap=overlap), [picture])[0]
        middle_of = [4 * (left + overlap // 2) for left in side_of(picture.width, Tiling(192, overlap)).origins[1:]]
        seam, same = roughness(tiled, middle_of), roughness(single, middle_of)
        print(
            f"  seam with overlap {overlap:3}      {seam:8.3f} of the inside, {seam / same:.3f} of one piece (goal: 1.1)"
        )
        borders = np.concatenate([np.arange(at - 8, at + 8) for at in middle_of])
        off = np.abs(np.asarray(tiled).astype(int) - np.asarray(single).astype(int))[:, borders]
        print(f"    off from one piece there  {off.mean():8.3f} levels, at most {off.max()}")


def upscaler_wide(network: Upscaler, width: int) -> Upscaler:
    """The same network, that takes a picture in one piece."""
    return Upscaler(network.network, Traits("wide", network.scale, Tiling(max(width, 192), 32)))


if __name__ == "__main__":
    main()
