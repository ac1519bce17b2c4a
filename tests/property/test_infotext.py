"""Parameter texts under any input: what Easel writes is read back to the same text, and no text is too strange to be read."""

import string
from typing import Any

from hypothesis import example, given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from inference.api.catalog import LATENT_UPSCALERS, SAMPLERS, SCHEDULES, UPSCALERS
from inference.api.control import ControlUnit, Preprocessor
from inference.api.errors import RequestInvalid
from inference.api.faces import REPAINT, FaceRestoration
from inference.api.infotext import control_facts, facts_of, infotext_in, read_infotext, resolve, write_infotext
from inference.api.infotext.pictures import JPEG, PNG, NoInfotext, exif_with, user_comment
from inference.api.infotext.quoting import quote, unquote
from inference.api.lookup import choose_vae, find_lora
from inference.api.preprocessors import PREPROCESSORS
from inference.api.redraw import SdUpscale, SeamFix, UltimateUpscale
from inference.api.regional import Region, Regional
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Hires,
    Inpaint,
    ModelRef,
    Prompt,
    Refiner,
    SourcePicture,
)
from inference.api.result import Inventory, ModelFile
from inference.api.sampling import Guidance, Sampling, Seeds, UniPC
from inference.engine.prompt.networks import strip_networks

MODELS = (
    ModelFile(
        "painter", "/m/Stable-diffusion/painter.safetensors", "0123456789", "sd1", sha256="0123456789" + "a" * 54
    ),
    ModelFile("sub/other, one", "/m/Stable-diffusion/sub/other, one.ckpt", "abcdef0123", "sd1"),
)
VAES = (
    ModelFile("painter.vae.pt", "/m/VAE/painter.vae.pt", "1111111111", "unknown"),
    ModelFile("soft.safetensors", "/m/VAE/soft.safetensors", "2222222222", "unknown"),
)
LORAS = (ModelFile("ink", "/m/Lora/ink.safetensors", "333333333333", "sd1", alias="wash"),)
CONTROLS = (
    ModelFile("lines, thin", "/m/ControlNet/lines, thin.safetensors", "44444444", "sd1"),
    ModelFile("depth", "/m/ControlNet/depth.pth", "55555555", "sd1"),
)
INVENTORY = Inventory(
    checkpoints=MODELS,
    vaes=VAES,
    loras=LORAS,
    faces=(ModelFile("GFPGANv1.4", "/m/GFPGAN/GFPGANv1.4.pth", "", "gfpgan"),),
    upscalers=(ModelFile("4x-sharp", "/m/ESRGAN/4x-sharp.pth", "", "unknown"),),
    controls=CONTROLS,
)
BASE = GenerationRequest(
    prompt=Prompt(""), canvas=Canvas(512, 512), seeds=Seeds(1), model=ModelRef("painter", "0123456789")
)

_TAGS = ["<lora:ink:0.8>", "<lora:wash:1>"]
_KEYS = ["Negative prompt:", "Steps: 20, Sampler: x, Seed: 1", "Hires prompt", "512x512"]
_MARKS = [
    "a cat",
    "(sharp:1.3)",
    "[a:b:0.5]",
    "BREAK",
    " AND ",
    "日本",
    "# note",
    "\n",
    '"',
    ", ",
    "\\",
    "\r",
    "\x1c",
    " ",
    ":",
]
_words = st.sampled_from([*_TAGS, *_KEYS, *_MARKS])
prompts = st.lists(_words | st.text(max_size=6), max_size=8).map("".join)
_fractions = st.integers(0, 100).map(lambda hundredths: hundredths / 100)
_mergings = st.integers(0, 90).map(lambda hundredths: hundredths / 100)
_floats = st.floats(0.0, 9.0, allow_subnormal=False)
_digests = st.text("0123456789abcdef", min_size=64, max_size=64)
_seeds = st.integers(0, 2**32 - 1)
_models = st.sampled_from([ModelRef(info.name, info.hash) for info in MODELS])
_schedules = st.sampled_from([row.id for row in SCHEDULES])
_samplers = st.sampled_from([row.id for row in SAMPLERS])


def variants(kind: type, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of `kind` with any choice of `fields` away from their defaults."""
    return st.fixed_dictionaries({}, optional=fields).map(lambda chosen: kind(**chosen))


samplings = variants(
    Sampling,
    sampler=_samplers,
    schedule=_schedules,
    steps=st.integers(1, 150),
    eta=st.none() | _fractions,
    s_churn=_floats,
    s_tmin=_floats,
    s_tmax=_floats | st.just(float("inf")),
    s_noise=_floats,
    sigma_min=st.just(0.0) | st.floats(1e-4, 1.0),
    sigma_max=st.floats(2.0, 100.0),
    rho=st.just(0.0) | st.floats(0.5, 100.0),
    discard_penultimate=st.booleans(),
    ensd=st.sampled_from([0, 31337, -5]),
    beta_alpha=st.floats(0.1, 2.0),
    beta_beta=st.floats(0.1, 2.0),
    old_karras=st.booleans(),
    sgm_noise=st.booleans(),
    quantize=st.booleans(),
    downcast_alphas=st.booleans(),
    zero_terminal_snr=st.booleans(),
    unipc=variants(
        UniPC,
        variant=st.sampled_from(["bh1", "bh2", "vary_coeff"]),
        skip=st.sampled_from(["time_uniform", "time_quadratic", "logSNR"]),
        order=st.integers(1, 50),
        lower_order_final=st.booleans(),
    ),
)
guidances = variants(
    Guidance,
    cfg_scale=st.floats(0.0, 30.0),
    skip_early=_fractions,
    min_sigma_uncond=_floats,
    rescale=_fractions,
    min_sigma_uncond_all=st.booleans(),
)
seeds = st.builds(
    Seeds,
    _seeds,
    variation_seed=_seeds,
    variation_strength=st.just(0.0) | _fractions,
    resize_from=st.none() | st.tuples(st.integers(64, 2048), st.integers(64, 2048)),
    source=st.sampled_from(["gpu", "cpu"]),
)
hires = variants(
    Hires,
    scale=st.floats(1.0, 2.0),
    resize=st.none() | st.sampled_from([(1024, 768), (0, 640), (800, 0)]),
    upscaler=st.sampled_from([row.id for row in (*LATENT_UPSCALERS, *UPSCALERS)] + ["4x-sharp"]),
    steps=st.integers(0, 150),
    denoising_strength=_fractions,
    prompt=prompts,
    negative=prompts,
    sampler=_samplers,
    schedule=_schedules,
    model=_models,
    cfg_scale=st.floats(0.0, 30.0),
    token_merging_ratio=_mergings,
)
inpaints = st.builds(
    Inpaint,
    _digests,
    blur=st.integers(0, 64),
    blur_y=st.none() | st.integers(0, 64),
    content=st.sampled_from(["fill", "original", "latent noise", "latent nothing"]),
    only_masked=st.booleans(),
    padding=st.integers(0, 256),
    invert=st.booleans(),
    rounded=st.booleans(),
)
sources = st.builds(
    SourcePicture,
    _digests,
    denoising_strength=_fractions,
    resize_mode=st.sampled_from([0, 1, 2, 3]),
    inpaint=st.none() | inpaints,
    upscaler=st.sampled_from(["", "lanczos", "4x-sharp"]),
    exact_steps=st.booleans(),
    noise_multiplier=_fractions,
    color_correction=st.booleans(),
    conditioning_mask_weight=_fractions,
)
_upscalers = st.sampled_from(["none", "lanczos", "nearest", "4x-sharp"])
_sides = st.integers(64, 2048)
seam_fixes = st.builds(
    SeamFix,
    st.sampled_from(["band", "half tile", "intersections"]),
    denoising_strength=_fractions,
    width=st.integers(0, 128),
    mask_blur=st.integers(0, 64),
    padding=st.integers(0, 128),
)
redraws = st.builds(
    UltimateUpscale,
    st.tuples(_sides, _sides),
    upscaler=_upscalers,
    order=st.sampled_from(["linear", "chess"]),
    tile=st.tuples(_sides, st.just(0) | _sides),
    mask_blur=st.integers(0, 64),
    padding=st.integers(0, 512),
    seams=st.none() | seam_fixes,
) | st.builds(SdUpscale, st.tuples(_sides, _sides), upscaler=_upscalers, overlap=st.integers(0, 256))
refiners = st.builds(
    Refiner,
    _models,
    switch_at=_fractions,
    by_steps=st.booleans(),
    during=st.sampled_from(["first pass", "second pass", "both passes"]),
)
_thirds = st.sampled_from([(0.0, 1.0), (0.0, 2.0), (1.0, 3.0), (0.5, 2.25), (2.0, 3.0)])
regionals = st.builds(
    Regional,
    st.lists(
        st.builds(
            Region,
            st.tuples(st.integers(3, 64), st.integers(3, 64)),
            rows=_thirds,
            columns=_thirds,
            weight=st.floats(-5, 5).map(lambda value: round(value, 4)),
        ),
        min_size=1,
        max_size=16,
    ).map(tuple),
    end_step=st.integers(0, 150),
    feather=st.integers(0, 512),
)
units = st.builds(
    ControlUnit,
    st.sampled_from([info.name for info in CONTROLS]),
    picture=_digests,
    preprocessor=variants(
        Preprocessor,
        id=st.sampled_from([row.id for row in PREPROCESSORS]),
        resolution=st.integers(64, 4096),
        pixel_perfect=st.booleans(),
        threshold_a=st.none() | st.floats(0.0, 255.0, allow_subnormal=False),
        threshold_b=st.none() | st.floats(0.0, 255.0, allow_subnormal=False),
        seed=_seeds,
    ),
    weight=st.floats(0.0, 2.0, allow_subnormal=False),
    start=st.integers(0, 50).map(lambda hundredths: hundredths / 100),
    end=st.integers(50, 100).map(lambda hundredths: hundredths / 100),
    mode=st.sampled_from(["balanced", "prompt", "control"]),
    resize_mode=st.sampled_from([0, 1, 2]),
    during=st.sampled_from(["both passes", "first pass", "second pass"]),
    mask=st.just("") | _digests,
    region=st.just("") | _digests,
)
restorations = st.builds(
    FaceRestoration, st.sampled_from([REPAINT, "GFPGANv1.4"]), weight=_fractions, visibility=_fractions
)
_second = st.one_of(
    st.just({}),
    hires.map(lambda chosen: {"hires": chosen}),
    sources.map(lambda chosen: {"source": chosen}),
    st.builds(
        lambda source, redraw: {"source": replace(source, inpaint=None), "redraw": redraw},
        sources,
        redraws,
    ),
)


@st.composite
def requests(draw: st.DrawFn) -> GenerationRequest:
    """Any request whose files are on the shelf."""
    model = draw(_models)
    parts: dict[str, Any] = dict(
        prompt=Prompt(
            draw(prompts),
            draw(prompts),
            clip_skip=draw(st.integers(1, 12)),
            emphasis=draw(st.sampled_from(["Original", "No norm", "Ignore", "None"])),
            pad_conds=draw(st.sampled_from(["", "empty", "v0"])),
            old_timelines=draw(st.booleans()),
        ),
        canvas=Canvas(draw(st.integers(8, 256)) * 8, draw(st.integers(8, 256)) * 8),
        seeds=draw(seeds),
        model=ModelRef(model.name, model.hash, draw(st.sampled_from(["Automatic", "None", *(v.name for v in VAES)]))),
        sampling=draw(samplings),
        guidance=draw(guidances),
        refiner=draw(st.none() | refiners),
        tiling=draw(st.booleans()),
        extra_noise=draw(_fractions),
        token_merging_ratio=draw(_mergings),
        regional=draw(st.none() | regionals),
        faces=draw(st.none() | restorations),
        control=tuple(draw(st.lists(units, max_size=3))),
        **draw(_second),
    )
    try:
        return GenerationRequest(**parts)
    except RequestInvalid:  # a second pass that would be too small or too large
        reject()


def text_of(request: GenerationRequest) -> str:
    """The text that the engine writes for `request`: the same rules for VAEs and LoRAs."""
    (model,) = [info for info in MODELS if info.name == request.model.name]
    vae = choose_vae(INVENTORY, model, request.model.vae)
    extra = {} if vae is None else {"VAE hash": vae.hash, "VAE": vae.path.rsplit("/", 1)[-1]}
    tags = strip_networks(request.prompt.positive)[1]
    worn = {tag.name: info.hash for tag in tags if tag.kind == "lora" and (info := find_lora(INVENTORY, tag.name))}
    if worn:
        extra["Lora hashes"] = ", ".join(f"{name}: {digits}" for name, digits in worn.items())
    extra |= control_facts(request.control, {info.name: info.hash for info in CONTROLS})
    return write_infotext(facts_of(request, 0, model=model, extra=extra))


@settings(max_examples=250, deadline=None)
@given(request=requests())
def test_what_is_written_is_read_back_to_the_same_text(request: GenerationRequest) -> None:
    """Text to request to text is the identity on everything that Easel writes, and nothing is said to be missing."""
    text = text_of(request)
    resolved = resolve(read_infotext(text), INVENTORY, base=BASE)
    assert text_of(resolved.request) == text
    assert resolved.notes == ()
    again = resolve(read_infotext(text_of(resolved.request)), INVENTORY, base=BASE)
    assert again.request == resolved.request


_lines = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["Steps: ", "20", ", ", "Sampler: ", "Seed: ", '"', "Size: ", "1x0", "Hashes: {", "Civitai resources: [", "]"]
    )
    | st.sampled_from(
        ["Hires upscale: ", "Denoising strength: ", "-1", "1e999", "9" * 40, "nan", "\n", "Lora hashes: ", "Refiner: "]
    )
    | st.sampled_from(
        [
            'Latent Couple: "',
            "divisions=1:2,1:2 ",
            "positions=0:0-1,0:1 ",
            "weights=1,-.5 ",
            "end at step=7",
            "divisions=0:9",
        ]
    )
    | st.sampled_from(
        [
            'ControlNet 0: "',
            "Module: canny, ",
            "Model: depth",
            ", Weight: 3",
            ", Guidance Start: 1, Guidance End: 0",
            'Control 0: "Picture: ' + "ab" * 32,
        ]
    )
    | st.sampled_from(
        ["Negative prompt:", "First pass size: ", "0x0", "Version: v1.5.1", "(", "[", "\\", "Model hash: ", "}"]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=_lines)
@example("Steps: 1, Size: 0x0, First pass size: 0x0")
@example("Steps: 1, Seed: 1, Hires resize: 0x9, Denoising strength: 1")
@example("a, Steps: 1, Sampler: x, Sigma tmax: inf, Schedule min sigma: 5, Schedule max sigma: 1")
def test_any_text_gives_a_request(text: str) -> None:
    """Whatever is pasted becomes a request and sentences, and its own text is read back to the same."""
    resolved = resolve(read_infotext(text), INVENTORY, base=BASE)
    assert all(note.endswith(".") for note in resolved.notes)
    written = text_of(resolved.request)
    assert text_of(resolve(read_infotext(written), INVENTORY, base=BASE).request) == written


@given(value=st.text(), rest=st.text(string.ascii_letters))
def test_quoting_is_undone(value: str, rest: str) -> None:
    """A value that was quoted is read back as it was."""
    quoted = quote(f"{value}, {rest}")
    assert isinstance(quoted, str)
    assert unquote(quoted) == f"{value}, {rest}"


@settings(deadline=None)
@given(
    data=st.binary(max_size=200),
    start=st.sampled_from([PNG, JPEG, b"RIFF....WEBP", b"\xff\xd8\xff\xe1\x00\x50Exif\0\0MM\0*", b""]),
)
def test_any_bytes_give_a_text_or_a_sentence(data: bytes, start: bytes) -> None:
    """Damaged pictures and no pictures at all are answered with a sentence, never with an error of another kind."""
    try:
        said = infotext_in(start + data)
    except NoInfotext as error:
        said = str(error)
    assert isinstance(said, str)


@given(text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(lambda text: not text.endswith("\0")))
def test_comments_of_exif_are_read_back(text: str) -> None:
    """The block that carries a text in JPEG and WebP is read back, if the text has the letters of one."""
    said = f"{text}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
    assert user_comment(exif_with(said)) == said
