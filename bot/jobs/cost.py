"""What a job will cost before it runs: its arithmetic in TFLOP, and the seconds that the machine has needed for one so far.

Work follows counts of floating-point operations of SD 1.5 and SDXL: a UNet row costs a x + b x² (convolutions and linear
layers, attention) for a picture of x times 512² pixels, the VAE in proportion. Smaller models are cheaper by a factor that
`Speed` learns, model by model. Pure; owns no clock.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from bot.jobs.controlling import control_rows
from inference.api.catalog import LATENT_UPSCALERS, SAMPLERS
from inference.api.control import Preprocessor, PreprocessRequest
from inference.api.enlarging import UpscaleRequest
from inference.api.faces import REPAINT
from inference.api.preprocessors import row_of
from inference.api.redraw import Redraw, SdUpscale
from inference.api.request import GenerationRequest, Request
from inference.api.tiles import latent_size, sd_boxes, sd_tile_of, stages_of

AREA: Final = 512 * 512
"""Pixels that count as 1."""


class Price(NamedTuple):
    """TFLOP of one UNet row: `linear` times x plus `square` times x²."""

    linear: float
    square: float


PRICES: Final[Mapping[str, Price]] = {
    "sd1": Price(0.681, 0.122),
    "sd2": Price(0.681, 0.122),
    "sdxl": Price(1.4875, 0.0507),
    "sdxl_refiner": Price(1.5325, 0.0723),
}
"""By family; others are taken for SD 1."""
FULL_SIZE, MERGED_AT_MOST = 0.88, 0.75
"""Of SD 1's and 2's attention: the share that is at the latent's own size; and the tokens that token merging can merge."""
DECODE: Final = 2.515
ENCODE: Final = 1.117
"""TFLOP of the VAE at 512²."""
ENLARGE: Final = 2.0
"""TFLOP of an upscaling network that is not known, for 512² pixels of the source, between the small (0.3) and the large (9)."""
LDSR: Final = "ldsr"
ENLARGERS: Final[Mapping[str, float]] = {
    "compact": 0.4,
    "span": 0.4,
    "omnisr": 0.5,
    "realcugan": 0.7,
    "plksr": 4.0,
    "scunet": 1.5,
    "esrgan": 9.4,
    "swin2sr": 8.0,
    "swinir": 8.0,
    "dat": 11.0,
    "drct": 12.0,
    "rgt": 9.0,
    "hat": 15.0,
    "grl": 15.0,
    "atd": 14.0,
    LDSR: 1730.0,
}
"""The same by architecture, of the usual size of each, two operations a weight; LDSR's 49 windows a hundred times."""
LDSR_WINDOW: Final = 35.0
"""TFLOP of LDSR's smallest picture."""
RESAMPLE: Final = 0.01
"""The same for plain resampling, of the result."""
PREPROCESS: Final = 0.2
"""TFLOP of a network that makes a map of 512², between MoveNet (almost nothing) and OpenPose (0.6)."""
FIND_FACES, RESTORE_FACE = 0.05, 0.6
"""TFLOP of looking for faces in a picture, and of a restorer's one square."""
RESAMPLERS: Final = frozenset({"none", "lanczos", "nearest"})
_WITHOUT_NETWORK: Final = RESAMPLERS | {row.id for row in LATENT_UPSCALERS}
_NETWORK_AREA: Final = 4
"""How much less a network sees than comes out of the last step of a chain, which mostly doubles."""
SECONDS_PER_TFLOP: Final[Mapping[str, float]] = {"cuda": 0.02, "cpu": 4.0, "fake": 0.001}
"""What is supposed of a machine, by its kind, before it has painted anything."""
_ORDERS: Final = {row.id: row.order for row in SAMPLERS}
_AND: Final = re.compile(r"\bAND\b")
_GAIN: Final = 0.3
"""How much a new measurement counts against all before it."""


class Speed(msgspec.Struct, frozen=True):
    """Seconds per TFLOP: of each model that has been seen, and what is supposed of others."""

    supposed: float = SECONDS_PER_TFLOP["cpu"]
    known: Mapping[str, float] = {}

    def of(self, model: str) -> float:
        """Seconds per TFLOP for `model`."""
        return self.known.get(model, self.supposed)

    def learned(self, model: str, *, tflop: float, seconds: float) -> "Speed":
        """With one more measurement: an exponential mean per model. One that makes no sense is left out."""
        if tflop <= 0 or seconds <= 0:
            return self
        measured = seconds / tflop
        before = self.known.get(model, measured)
        return Speed(self.supposed, {**self.known, model: before + _GAIN * (measured - before)})


def predict(
    request: Request, *, speed: Speed, family: str = "sd1", second: str = "", source_pixels: int = AREA
) -> float:
    """Seconds of the machine that `request` will take, at least a millisecond.

    `family` is the checkpoint's, or the upscaler's and `second` the second one's; `source_pixels` the size of the picture that
    is enlarged.
    """
    work = work_of(request, family=family, second=second, source_pixels=source_pixels)
    return max(0.001, work * speed.of(worker_of(request)))


def work_of(request: Request, *, family: str = "sd1", second: str = "", source_pixels: int = AREA) -> float:
    """TFLOP of `request`."""
    if isinstance(request, PreprocessRequest):
        return map_work(request.preprocessor)
    if isinstance(request, UpscaleRequest):
        return _enlarging(request, source_pixels, (family, second))
    price = PRICES.get(family, PRICES["sd1"])
    if request.redraw is not None:
        merged = _merged(price, request.token_merging_ratio, family=family)
        return _redrawing(request, request.redraw, merged, family=family) + _mending(request, price, family)
    first = _merged(price, request.token_merging_ratio, family=family)
    work = calls_of(request) * _forward(first, request.canvas.pixels, rows=_steered(request, family))
    work += sum(map_work(unit.preprocessor) for unit in request.control)
    work += DECODE * request.canvas.pixels / AREA
    if request.source is not None:
        work += ENCODE * request.canvas.pixels / AREA
    work += _mending(request, price, family)
    if request.hires is not None:
        width, height = request.size
        steps = _calls(request, request.hires.steps or request.sampling.steps)
        later = _merged(price, request.hires.token_merging_ratio or request.token_merging_ratio, family=family)
        work += steps * _forward(later, width * height, rows=_steered(request, family, second=True))
        work += (DECODE + ENCODE) * width * height / AREA
        if request.hires.upscaler not in _WITHOUT_NETWORK:
            kind = request.hires.upscaler.casefold()  # LDSR has the name of its kind; others cost what is usual
            work += _network(kind, request.canvas.pixels, width * height)
    return work * request.count


def _mending(request: GenerationRequest, price: Price, family: str) -> float:
    """One face, where faces are mended: how many there are nobody knows before. It is painted at the model's own size."""
    if request.faces is None:
        return 0.0
    if request.faces.model != REPAINT:
        return FIND_FACES + RESTORE_FACE
    native = AREA * 4 if family.startswith("sdxl") else AREA
    pixels = min(request.canvas.pixels, native)
    steps = min(request.sampling.steps, int(min(request.faces.weight, 0.999) * request.sampling.steps) + 1)
    painted = _calls(request, steps) * _forward(price, pixels, rows=_guided(request))
    return FIND_FACES + painted + (DECODE + ENCODE) * pixels / AREA


def _enlarging(request: UpscaleRequest, source_pixels: int, kinds: Sequence[str]) -> float:
    """Both upscalers, where there are two; `kinds` are their architectures."""
    pixels = source_pixels * request.scale**2 if request.size is None else request.size[0] * request.size[1]
    faces = 0.0 if request.faces is None else FIND_FACES + RESTORE_FACE
    if request.scale == 1 and request.size is None:
        return max(RESAMPLE, faces)
    both = [request.upscaler, *([request.second] if request.second_visibility and request.second else [])]
    return faces + sum(
        RESAMPLE * pixels / AREA if name in RESAMPLERS else _network(kind, source_pixels, pixels)
        for name, kind in zip(both, kinds, strict=False)
    )


def _network(kind: str, source: float, result: float) -> float:
    """A network of this `kind` over a picture of `source` pixels, as often as it must run until there are `result`."""
    if kind == LDSR:
        return max(LDSR_WINDOW, ENLARGERS[LDSR] * result / 16 / AREA)
    work, seen = 0.0, source
    for _ in range(3):
        work, seen = work + ENLARGERS.get(kind, ENLARGE) * seen / AREA, seen * 16
        if seen >= result:
            break
    return work


def _redrawing(request: GenerationRequest, redraw: Redraw, price: Price, *, family: str) -> float:
    """Every tile encoded, painted and decoded; before it the enlargement, whose last and largest step is most of it."""
    area = redraw.size[0] * redraw.size[1] / AREA
    work = RESAMPLE * area if redraw.upscaler in RESAMPLERS else ENLARGE * area / _NETWORK_AREA
    if isinstance(redraw, SdUpscale):
        canvas = request.canvas.width, request.canvas.height
        process = latent_size(sd_tile_of(redraw, canvas))
        return work + len(sd_boxes(redraw, canvas)) * _tile(request, price, process, family=family)
    return work + sum(
        len(stage.spots) * _tile(request, price, stage.process, family=family, strength=stage.strength)
        for stage in stages_of(redraw)
    )


def _tile(
    request: GenerationRequest, price: Price, size: tuple[int, int], *, family: str, strength: float | None = None
) -> float:
    source = request.source
    if source is not None and strength is not None:
        request = msgspec.structs.replace(request, source=msgspec.structs.replace(source, denoising_strength=strength))
    pixels = size[0] * size[1]
    maps = sum(map_work(unit.preprocessor) for unit in request.control)
    work = calls_of(request) * _forward(price, pixels, rows=_steered(request, family)) + maps
    return work + (DECODE + ENCODE) * pixels / AREA


def map_work(preprocessor: Preprocessor) -> float:
    """TFLOP of one map: of a network by its size, next to nothing without one. Pixel-perfect sizes are taken for the usual."""
    row = row_of(preprocessor)
    if row is None or not row.resolution:
        return 0.0
    side = row.resolution if preprocessor.pixel_perfect or row.fixed else preprocessor.resolution or row.resolution
    return (PREPROCESS if row.networks else RESAMPLE) * side * side / AREA


def calls_of(request: GenerationRequest) -> int:
    """Model calls of one picture's first pass: from a source only a share of the steps runs (webui)."""
    steps, source = request.sampling.steps, request.source
    if source is not None and not source.exact_steps:
        steps = min(steps, int(min(source.denoising_strength, 0.999) * steps) + 1)
    return _calls(request, steps)


def rows_of(request: Request) -> int:
    """UNet rows that `request` adds to a forward: two a picture, one less where guidance is off, more for AND; 1 with no UNet."""
    return request.count * _guided(request) if isinstance(request, GenerationRequest) else 1


def model_of(request: Request) -> str:
    """The checkpoint that must be loaded; "" for none."""
    return request.model.name if isinstance(request, GenerationRequest) else ""


def worker_of(request: Request) -> str:
    """What does the work, by which speed is learned: the checkpoint, the upscaler or the preprocessor."""
    match request:
        case GenerationRequest():
            return request.model.name
        case UpscaleRequest():
            return request.upscaler
        case PreprocessRequest():
            return request.preprocessor.id


def _calls(request: GenerationRequest, steps: int) -> int:
    return steps * _ORDERS[request.sampling.sampler]


def _guided(request: GenerationRequest) -> int:
    """Rows of one picture: one for each part of an AND prompt that says something else, and one for the negative."""
    parts = len({part.strip() for part in _AND.split(request.prompt.positive)})
    return parts if request.guidance.cfg_scale == 1 else parts + 1


def _steered(request: GenerationRequest, family: str, *, second: bool = False) -> float:
    """Rows of one picture at a call, those of controls in parts of the UNet's."""
    guided = _guided(request)
    return guided + control_rows(request, family=family, guided=guided, second=second)


def _merged(price: Price, ratio: float, *, family: str) -> Price:
    """What a row costs where tokens merge: the share of attention that is at full size falls with the square of those left.

    SDXL has none there (`inference/engine/token_merging.py`).
    """
    if not ratio or family.startswith("sdxl"):
        return price
    left = 1 - min(ratio, MERGED_AT_MOST)
    return Price(price.linear, price.square * (1 - FULL_SIZE * (1 - left * left)))


def _forward(price: Price, pixels: int, *, rows: float) -> float:
    area = pixels / AREA
    return rows * (price.linear * area + price.square * area * area)
