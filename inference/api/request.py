"""What a job asks for: frozen values in which everything is resolved (seed, model, sampler, size).

Owns the request types and their invariants. Refuses to know where a request came from or how it is painted.
Invariants live in `__post_init__`, because msgspec checks `Meta` bounds only when it decodes.
"""

from typing import Literal

import msgspec

from inference.api.control import MAX_UNITS, ControlUnit, PreprocessRequest
from inference.api.enlarging import UpscaleRequest
from inference.api.errors import require
from inference.api.faces import FaceRestoration
from inference.api.redraw import Redraw
from inference.api.regional import Regional
from inference.api.sampling import MAX_STEPS, Guidance, Sampling, Seeds
from inference.api.sampling import SEED_LIMIT as SEED_LIMIT  # noqa: PLC0414 - a limit of requests, for those who make them
from inference.api.sizes import hires_size

SIZE_STEP = 8
MIN_SIDE, MAX_SIDE = 64, 4096
MAX_COUNT = 16
MAX_PROMPT = 10_000
"""Characters. Discord itself stops at 4,000 to 6,000; an infotext file may carry more."""
MAX_BLUR, MAX_PADDING = 64, 256
"""Pixels, as the webui's sliders."""
MAX_MERGING = 0.9
"""Share of tokens, as the webui's slider; the method itself cannot merge more than three quarters."""


def _require_prompt(text: str) -> None:
    require(
        len(text) <= MAX_PROMPT, f"A prompt may have at most {MAX_PROMPT:,} characters; this one has {len(text):,}."
    )


def _require_strength(strength: float) -> None:
    require(0.0 <= strength <= 1.0, f"Strength must be between 0 and 1, not {strength:g}.")


def _require_merging(ratio: float) -> None:
    require(
        0.0 <= ratio <= MAX_MERGING,
        f"The token merging ratio must be between 0 and {MAX_MERGING:g}, not {ratio:g}.",
    )


def _require_hires_size(size: tuple[int, int]) -> None:
    require(
        min(size) >= MIN_SIDE and max(size) <= MAX_SIDE,
        f"Hires fix would make a picture of {size[0]} × {size[1]}; each side must be between {MIN_SIDE} and {MAX_SIDE}.",
    )


class Prompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The two texts, styles already merged, `<lora:…>` tags still inside.

    `clip_skip` counts as the webui does (1 = the last layer). `emphasis` is one of the webui's modes. `pad_conds` makes
    prompt and negative equally long: "empty" appends encoded empty windows, "v0" repeats or cuts the negative's end (as
    before 1.6.0). `old_timelines` counts `[a:b:when]` as the webui did before 1.6.0.
    """

    positive: str
    negative: str = ""
    clip_skip: int = 1
    emphasis: Literal["Original", "No norm", "Ignore", "None"] = "Original"
    pad_conds: Literal["", "empty", "v0"] = ""
    old_timelines: bool = False

    def __post_init__(self) -> None:
        for text in (self.positive, self.negative):
            _require_prompt(text)
        require(1 <= self.clip_skip <= 12, f"Clip skip must be between 1 and 12, not {self.clip_skip}.")


class Drawn(msgspec.Struct, frozen=True, omit_defaults=True):
    """Words that were chosen by chance: the templates, and prompt and negative prompt of each picture in order.

    Without `texts` every picture has the request's own prompt, which came of the templates.
    """

    positive: str
    negative: str = ""
    texts: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for text in (self.positive, self.negative, *(text for texts in self.texts for text in texts)):
            _require_prompt(text)


class Canvas(msgspec.Struct, frozen=True):
    """Size of the picture in pixels; both sides are multiples of 8."""

    width: int
    height: int

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            require(
                MIN_SIDE <= side <= MAX_SIDE and side % SIZE_STEP == 0,
                f"The {name} must be a multiple of {SIZE_STEP} between {MIN_SIDE} and {MAX_SIDE}, not {side}.",
            )

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height


class ModelRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """The checkpoint by its webui name (file stem, with sub-folders) and short hash; `vae` is a choice of §15."""

    name: str
    hash: str = ""
    vae: str = "Automatic"


class Inpaint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Paint only a part of the source anew. `mask` is the sha256 of a picture's bytes: white is painted, black stays.

    A mask with partial transparency is read by its alpha instead. `blur` is a Gaussian's sigma in pixels of the source.
    `content` says what the part begins from. `only_masked` paints the part alone, enlarged to the canvas, with `padding`
    pixels of the source around it. `invert` swaps painted and kept. Not `rounded`, soft edges are soft in the latent too.
    """

    mask: str
    blur: int = 4
    blur_y: int | None = None
    """Sigma downwards where it differs from `blur`, which then is the one sideways."""
    content: Literal["fill", "original", "latent noise", "latent nothing"] = "original"
    only_masked: bool = False
    padding: int = 32
    invert: bool = False
    rounded: bool = True

    def __post_init__(self) -> None:
        for sigma in (self.blur, self.blur_y or 0):
            require(0 <= sigma <= MAX_BLUR, f"Mask blur must be between 0 and {MAX_BLUR}, not {sigma}.")
        require(0 <= self.padding <= MAX_PADDING, f"Padding must be between 0 and {MAX_PADDING}, not {self.padding}.")


class SourcePicture(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture to begin from (img2img). `picture` is the sha256 of its bytes, which travel beside the request.

    `resize_mode`: 0 stretch, 1 crop and resize, 2 resize and fill, 3 stretch the latent. `upscaler` enlarges a source that
    is smaller than the canvas (an id or name as in `UpscaleRequest`; empty is Lanczos). `exact_steps` runs as many steps
    as were asked for, not their share. `noise_multiplier` scales the noise that is laid over the source.
    `conditioning_mask_weight` is for checkpoints made for inpainting: how much of the source their mask hides from them.
    """

    picture: str
    denoising_strength: float = 0.75
    resize_mode: Literal[0, 1, 2, 3] = 0
    inpaint: Inpaint | None = None
    upscaler: str = ""
    exact_steps: bool = False
    noise_multiplier: float = 1.0
    color_correction: bool = False
    conditioning_mask_weight: float = 1.0

    def __post_init__(self) -> None:
        _require_strength(self.denoising_strength)
        require(
            0.0 <= self.noise_multiplier <= 1.5,
            f"The noise multiplier must be between 0 and 1.5, not {self.noise_multiplier:g}.",
        )
        require(
            0.0 <= self.conditioning_mask_weight <= 1.0,
            f"The conditional mask weight must be between 0 and 1, not {self.conditioning_mask_weight:g}.",
        )


class Hires(msgspec.Struct, frozen=True, omit_defaults=True):
    """Paint the picture a second time, larger, over an enlargement of the first (hires fix).

    Either `scale` or `resize` says how large: of `resize` (width, height) a 0 means in proportion, both cover and crop.
    `upscaler` is an id of the catalogue's LATENT_UPSCALERS or UPSCALERS, or the name of a network file. What is 0, empty or
    None is as in the first pass, the `token_merging_ratio` too. `cfg_scale` is Forge's.
    """

    scale: float = 2.0
    resize: tuple[int, int] | None = None
    upscaler: str = "latent"
    steps: int = 0
    denoising_strength: float = 0.7
    prompt: str = ""
    negative: str = ""
    sampler: str = ""
    schedule: str = ""
    model: ModelRef | None = None
    cfg_scale: float | None = None
    token_merging_ratio: float = 0.0

    def __post_init__(self) -> None:
        _require_strength(self.denoising_strength)
        _require_merging(self.token_merging_ratio)
        require(0 <= self.steps <= MAX_STEPS, f"Hires steps must be between 0 and {MAX_STEPS}, not {self.steps:,}.")
        require(1.0 <= self.scale <= 8.0, f"Hires fix enlarges 1 to 8 times, not {self.scale:g}.")
        if self.resize is not None:
            require(
                min(self.resize) >= 0 and max(self.resize) > 0,
                f"Hires fix cannot make a picture of {self.resize[0]} × {self.resize[1]}; one side may be 0, none negative.",
            )
        require(self.cfg_scale is None or 0.0 <= self.cfg_scale <= 30.0, "Hires CFG scale must be between 0 and 30.")
        for text in (self.prompt, self.negative):
            _require_prompt(text)


class Refiner(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another checkpoint that takes over once the share `switch_at` of the noise is gone.

    `by_steps` counts the share in steps instead (the webui before 1.8.0). `during`: in which pass of hires fix.
    """

    model: ModelRef
    switch_at: float = 0.8
    by_steps: bool = False
    during: Literal["first pass", "second pass", "both passes"] = "second pass"

    def __post_init__(self) -> None:
        require(
            0.0 <= self.switch_at <= 1.0, f"The refiner switches at a share between 0 and 1, not {self.switch_at:g}."
        )


class GenerationRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="paint"):
    """Paint `count` pictures; picture i uses seed + i.

    `drawn` says where the words come from that were chosen by chance, and those of each picture where they differ.
    `tiling` makes edges that join with themselves. `extra_noise` is laid over the source, or over the enlargement of hires
    fix, beyond what the strength asks for, in parts of the seed's noise. `control` steers it by pictures, `regional` gives
    places words of their own, `faces` are mended at the end. With `redraw` the source is enlarged and painted over tile by
    tile; `canvas` then is a tile. `token_merging_ratio` is the share of tokens that merge where self-attention has most of
    them: faster, and a little less true in small things.
    """

    prompt: Prompt
    canvas: Canvas
    seeds: Seeds
    model: ModelRef
    sampling: Sampling = Sampling()
    guidance: Guidance = Guidance()
    count: int = 1
    source: SourcePicture | None = None
    hires: Hires | None = None
    refiner: Refiner | None = None
    tiling: bool = False
    extra_noise: float = 0.0
    drawn: Drawn | None = None
    control: tuple[ControlUnit, ...] = ()
    regional: Regional | None = None
    faces: FaceRestoration | None = None
    redraw: Redraw | None = None
    token_merging_ratio: float = 0.0

    def __post_init__(self) -> None:
        _require_merging(self.token_merging_ratio)
        require(
            len(self.control) <= MAX_UNITS, f"A picture may have {MAX_UNITS} controls at most, not {len(self.control)}."
        )
        require(
            all(unit.picture or self.source for unit in self.control),
            "A control needs a picture to follow, or a picture to begin from in its place.",
        )
        require(
            self.redraw is None or (self.source is not None and self.source.inpaint is None and self.count == 1),
            "A tiled upscale redraws one picture as a whole: it needs a source, without a mask.",
        )
        require(
            self.drawn is None or len(self.drawn.texts) in {0, self.count},
            "A job whose pictures have words of their own has some for each picture.",
        )
        require(1 <= self.count <= MAX_COUNT, f"A job may have 1 to {MAX_COUNT} pictures, not {self.count}.")
        require(0.0 <= self.extra_noise <= 1.0, f"Extra noise must be between 0 and 1, not {self.extra_noise:g}.")
        require(
            self.hires is None or self.source is None,
            "Hires fix enlarges pictures made from words; a picture made from a picture takes a larger size instead.",
        )
        if self.hires is not None:
            _require_hires_size(self.size)

    def prompt_of(self, index: int) -> Prompt:
        """The words of picture `index`, from 0."""
        if self.drawn is None or not self.drawn.texts:
            return self.prompt
        positive, negative = self.drawn.texts[index]
        return msgspec.structs.replace(self.prompt, positive=positive, negative=negative)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the pictures that come out, after hires fix or a tiled upscale."""
        if self.redraw is not None:
            return self.redraw.size
        if self.hires is None:
            return self.canvas.width, self.canvas.height
        first = self.canvas.width, self.canvas.height
        return hires_size(first, scale=self.hires.scale, resize=self.hires.resize).final


Request = GenerationRequest | UpscaleRequest | PreprocessRequest
"""Everything that can be put in the queue."""


def attachments_of(request: Request) -> tuple[str, ...]:
    """Content hashes of the pictures that must travel beside `request`, each once."""
    match request:
        case UpscaleRequest(picture=picture) | PreprocessRequest(picture=picture):
            return (picture,)
        case GenerationRequest():
            units = (digest for unit in request.control for digest in unit.attachments)
            return tuple(dict.fromkeys((*_sources(request.source), *units)))


def _sources(source: SourcePicture | None) -> tuple[str, ...]:
    if source is None:
        return ()
    return (source.picture,) if source.inpaint is None else (source.picture, source.inpaint.mask)


def picture_count(request: Request) -> int:
    """How many pictures `request` will make."""
    return request.count if isinstance(request, GenerationRequest) else 1
