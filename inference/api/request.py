"""What a job asks for: frozen values in which everything is resolved (seed, model, sampler, size).

Owns the request types and their invariants. Refuses to know where a request came from or how it is painted.
Invariants live in `__post_init__`, because msgspec checks `Meta` bounds only when it decodes.
"""

from typing import Literal

import msgspec

from inference.api.errors import RequestInvalid

SEED_LIMIT = 2**32
"""Seeds are integers in [0, SEED_LIMIT), as in the webui."""
SIZE_STEP = 8
MIN_SIDE, MAX_SIDE = 64, 4096
MAX_STEPS = 150
MAX_COUNT = 16
MAX_PROMPT = 10_000
"""Characters. Discord itself stops at 4,000 to 6,000; an infotext file may carry more."""


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise RequestInvalid(sentence)


class Prompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The two texts, styles already merged, `<lora:…>` tags still inside.

    `clip_skip` counts as the webui does (1 = the last layer). `emphasis` is one of the webui's modes.
    """

    positive: str
    negative: str = ""
    clip_skip: int = 1
    emphasis: Literal["Original", "No norm", "Ignore", "None"] = "Original"

    def __post_init__(self) -> None:
        for text in (self.positive, self.negative):
            _require(
                len(text) <= MAX_PROMPT,
                f"A prompt may have at most {MAX_PROMPT:,} characters; this one has {len(text):,}.",
            )
        _require(1 <= self.clip_skip <= 12, f"Clip skip must be between 1 and 12, not {self.clip_skip}.")


class Canvas(msgspec.Struct, frozen=True):
    """Size of the picture in pixels; both sides are multiples of 8."""

    width: int
    height: int

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            _require(
                MIN_SIDE <= side <= MAX_SIDE and side % SIZE_STEP == 0,
                f"The {name} must be a multiple of {SIZE_STEP} between {MIN_SIDE} and {MAX_SIDE}, not {side}.",
            )

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How noise becomes a picture. `sampler` and `schedule` are ids of `inference.api.catalog`.

    `schedule` "automatic" means the sampler's own default. `eta` None means the sampler's default (1 for ancestral
    ones, 0 for DDIM). `sigma_min`, `sigma_max` and `rho` 0 mean the schedule's default. `ensd` is the eta noise seed delta.
    """

    sampler: str = "euler_a"
    schedule: str = "automatic"
    steps: int = 20
    eta: float | None = None
    s_churn: float = 0.0
    s_tmin: float = 0.0
    s_tmax: float = 0.0
    s_noise: float = 1.0
    sigma_min: float = 0.0
    sigma_max: float = 0.0
    rho: float = 0.0
    discard_penultimate: bool = False
    ensd: int = 0

    def __post_init__(self) -> None:
        _require(1 <= self.steps <= MAX_STEPS, f"Steps must be between 1 and {MAX_STEPS}, not {self.steps:,}.")


class Guidance(msgspec.Struct, frozen=True, omit_defaults=True):
    """How strongly the prompt pulls (classifier-free guidance) and its relatives."""

    cfg_scale: float = 7.0
    skip_early: float = 0.0
    min_sigma_uncond: float = 0.0
    rescale: float = 0.0

    def __post_init__(self) -> None:
        _require(0.0 <= self.cfg_scale <= 30.0, f"CFG scale must be between 0 and 30, not {self.cfg_scale:g}.")


class Seeds(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the noise comes from. Picture i of a job uses seed + i (the seed stays put when a variation is asked).

    `source` "gpu" is the webui's default, CUDA's Philox stream, computed on any machine; "cpu" is torch's own.
    """

    seed: int
    variation_seed: int = 0
    variation_strength: float = 0.0
    resize_from: tuple[int, int] | None = None
    source: Literal["gpu", "cpu"] = "gpu"

    def __post_init__(self) -> None:
        for seed in (self.seed, self.variation_seed):
            _require(
                0 <= seed < SEED_LIMIT, f"A seed must be a whole number from 0 to {SEED_LIMIT - 1:,}, not {seed:,}."
            )
        _require(0.0 <= self.variation_strength <= 1.0, "Variation strength must be between 0 and 1.")


class ModelRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """The checkpoint by its webui name (file stem, with sub-folders) and short hash; `vae` is a choice of §15."""

    name: str
    hash: str = ""
    vae: str = "Automatic"


class SourcePicture(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture to begin from (img2img). `picture` is the sha256 of its bytes, which travel beside the request.

    `resize_mode`: 0 stretch, 1 crop and resize, 2 resize and fill.
    """

    picture: str
    denoising_strength: float = 0.75
    resize_mode: Literal[0, 1, 2] = 0

    def __post_init__(self) -> None:
        _require(
            0.0 <= self.denoising_strength <= 1.0, f"Strength must be between 0 and 1, not {self.denoising_strength:g}."
        )


class GenerationRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="paint"):
    """Paint `count` pictures; picture i uses seed + i."""

    prompt: Prompt
    canvas: Canvas
    seeds: Seeds
    model: ModelRef
    sampling: Sampling = Sampling()
    guidance: Guidance = Guidance()
    count: int = 1
    source: SourcePicture | None = None

    def __post_init__(self) -> None:
        _require(1 <= self.count <= MAX_COUNT, f"A job may have 1 to {MAX_COUNT} pictures, not {self.count}.")


class UpscaleRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="upscale"):
    """Enlarge one picture. `upscaler` is an id of the catalogue or the name of a network file that was found.

    `infotext` is the parameter text that the result keeps.
    """

    picture: str
    upscaler: str
    scale: float = 2.0
    infotext: str = ""

    def __post_init__(self) -> None:
        _require(1.0 < self.scale <= 8.0, f"A picture can be enlarged 1 to 8 times, not {self.scale:g}.")


Request = GenerationRequest | UpscaleRequest
"""Everything that can be put in the queue."""


def attachments_of(request: Request) -> tuple[str, ...]:
    """Content hashes of the pictures that must travel beside `request`."""
    match request:
        case UpscaleRequest(picture=picture):
            return (picture,)
        case GenerationRequest(source=SourcePicture(picture=picture)):
            return (picture,)
        case _:
            return ()


def picture_count(request: Request) -> int:
    """How many pictures `request` will make."""
    return request.count if isinstance(request, GenerationRequest) else 1
