"""Pictures in and out: safe sources, the webui's resizing and rounding, PNGs with parameters, upscaling without seams."""

import io
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.api.enlarging import enlarged_size
from inference.engine.bad_file import BadFile
from inference.engine.picture import encode_png, to_picture, to_pixels, to_unit
from inference.engine.source import BadSource, fit, open_source
from inference.engine.upscale import RESAMPLERS, enlarge, tile_count
from inference.engine.upscalers.loading import load_upscaler
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.tiles import Tiling, side_of, tile_origins
from inference.engine.work import Borrow

WEIGHTS = Path(__file__).parents[4] / "models/RealESRGAN/realesr-animevideov3-x4.fp16.safetensors"


def encoded(picture: Image.Image, kind: str) -> bytes:
    """`picture` as a file of `kind`."""
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes whose header says 60,000 x 60,000."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        bomb(),
        encoded(Image.new("RGB", (9, 9)), "PNG")[:40],
        encoded(Image.new("RGB", (9, 9)), "GIF"),
        encoded(Image.new("RGB", (9, 9)), "BMP"),
    ],
    ids=["empty", "text", "bomb", "cut", "gif", "bmp"],
)
def test_bad_sources_get_a_sentence(data: bytes) -> None:
    """What is no whole PNG, JPEG or WebP of a sane size is refused with a sentence, before it is decoded."""
    with pytest.raises(BadSource, match=r"send"):
        open_source(data)


def test_transparency_lies_on_white() -> None:
    """A transparent pixel counts as white."""
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))
    flat = open_source(encoded(picture, "PNG"))
    assert [flat.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (255, 255, 255)]


def test_resize_modes() -> None:
    """All three give the size asked for; cropping fills it, filling repeats the edge colour."""
    picture = Image.new("RGB", (64, 32), "blue")
    assert all(fit(picture, (32, 32), mode).size == (32, 32) for mode in (0, 1, 2))
    for mode in (1, 2):
        assert fit(picture, (40, 88), mode).getcolors() == [(40 * 88, (0, 0, 255))]


def test_pixels_are_truncated() -> None:
    """The middle of the range becomes 127, not 128: the webui cuts, it does not round."""
    assert to_picture(torch.zeros(1, 3, 1, 1)).getpixel((0, 0)) == (127, 127, 127)
    assert to_picture(torch.tensor([9.0, -9.0, 1.0]).view(1, 3, 1, 1)).getpixel((0, 0)) == (255, 0, 255)


def test_png_carries_its_parameters() -> None:
    """The text comes back from the PNG under `parameters`, whatever letters it has."""
    for text in ("a cat\nSteps: 20", "ねこ\nSteps: 20"):
        result = encode_png(Image.new("RGB", (8, 8)), seed=4, infotext=text)
        with Image.open(io.BytesIO(result.data)) as read:
            assert read.info["parameters"] == text


def test_target_size_is_a_multiple_of_eight() -> None:
    """Targets are rounded down to multiples of 8, as in the webui."""
    assert enlarged_size((101, 33), 2) == (200, 64)
    assert enlarged_size((4, 3), 1.5) == (8, 8)


@pytest.mark.parametrize("upscaler", sorted(RESAMPLERS))
def test_resamplers_need_no_network(upscaler: str) -> None:
    """Lanczos and nearest are done without asking the loop for anything."""
    with pytest.raises(StopIteration) as end:
        next(enlarge(Image.new("RGB", (16, 8), "red"), upscaler=upscaler, scale=2))
    assert end.value.value.size == (32, 16)
    assert end.value.value.getcolors() == [(512, (255, 0, 0))]


@pytest.mark.parametrize("length", [1, 100, 192, 193, 200, 352, 353, 1000, 4096])
def test_tiles_cover_a_side(length: int) -> None:
    """Tiles begin at 0, end flush, and neighbours share at least the overlap."""
    tile, overlap = min(192, length), min(32, min(192, length) // 2)
    origins = tile_origins(length, tile, overlap)
    assert origins[0] == 0
    assert origins[-1] + tile == length
    assert all(b - a <= tile - overlap for a, b in pairwise(origins))


@pytest.mark.parametrize("length", [1, 10, 192, 193, 250, 353, 1000, 4096])
def test_every_pixel_has_a_tile_that_counts(length: int) -> None:
    """Weights of all tiles together are nowhere zero, and a tile's outermost pixels count only where the picture ends too."""
    side = side_of(length, Tiling(192, 32))
    total = torch.zeros(length)
    for origin in side.origins:
        weights = side.weights(origin, length, scale=1)
        total[origin : origin + side.tile] += weights
        assert float(weights[0]) == (1.0 if origin == 0 else 0.0)
    assert float(total.min()) > 0


def drive(picture: Image.Image, network: Upscaler, scale: float) -> tuple[Image.Image, int]:
    """Run an enlargement with `network`; returns the picture and how many tiles were asked for."""
    painting, answer, asked = enlarge(picture, upscaler="net", scale=scale), None, 0
    while True:
        try:
            work = painting.send(answer)
        except StopIteration as end:
            return end.value, asked
        if isinstance(work, Borrow):
            answer = network
            continue
        asked += 1
        answer = work.network(work.tile)


class Repeat(torch.nn.Module):
    """A perfect nearest-neighbour network."""

    def forward(self, tile: Tensor) -> Tensor:
        """Each pixel four times in each direction."""
        return tile.repeat_interleave(4, -1).repeat_interleave(4, -2)


def repeating() -> Upscaler:
    """It, as a shelf lends it."""
    return Upscaler(Repeat(), Traits("repeat", 4, Tiling(192, 32)))


def test_tiles_join_without_seams() -> None:
    """A network that acts on each pixel alone gives the same picture in tiles as in one piece."""
    levels = np.random.default_rng(0).integers(0, 256, (230, 300, 3), dtype=np.uint8)
    result, asked = drive(Image.fromarray(levels), repeating(), 4)
    expected = np.asarray(Image.fromarray(levels).resize((1200, 920), Image.Resampling.NEAREST))
    assert asked == 4 == tile_count((300, 230), network=repeating(), scale=4)
    assert int(np.abs(np.asarray(result).astype(int) - expected).max()) <= 1


def test_the_shipped_network_enlarges() -> None:
    """realesr-animevideov3 loads, quadruples a picture, keeps its colours, and its tiles agree where they overlap."""
    network = load_upscaler(WEIGHTS, device=torch.device("cpu"), dtype=torch.float32)
    gradient = Image.radial_gradient("L").resize((200, 40)).convert("RGB")
    with torch.inference_mode():
        result, asked = drive(gradient, network, 4)
        whole = network(to_unit(gradient))
    assert asked == 2
    assert result.size == (800, 160)
    difference = (to_unit(result) - whole.clamp(0, 1)).abs()
    assert float(difference.max()) < 0.05
    assert float((to_unit(result.resize((200, 40))) - to_unit(gradient)).abs().mean()) < 0.03


def test_a_broken_upscaler_is_a_sentence(tmp_path: Path) -> None:
    """A file that is no such network is refused."""
    path = tmp_path / "wrong.safetensors"
    path.write_text("no tensors here")
    with pytest.raises(BadFile, match="is a text file"):
        load_upscaler(path, device=torch.device("cpu"), dtype=torch.float32)


def test_pixels_span_minus_one_to_one() -> None:
    """Sources go to the encoder as RGB in [-1, 1], channels first."""
    pixels = to_pixels(Image.new("RGB", (3, 2), (255, 0, 0)))
    assert pixels.shape == (1, 3, 2, 3)
    assert pixels[0, :, 0, 0].tolist() == [1.0, -1.0, -1.0]
