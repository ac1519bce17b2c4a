"""The parameter text that a picture carries, written in the webui's order and quoting (AUTOMATIC1111 v1.10.1).

Owns the text form: which fact stands where, when it is left out, how a value is quoted. Refuses to know where the
facts come from; `facts_of` takes them from a request and the file that painted it.
"""

import json
from collections.abc import Mapping

import msgspec

from inference.api.catalog import SAMPLERS, SCHEDULES
from inference.api.request import GenerationRequest
from inference.api.result import ModelFile

VERSION = "v1.10.1"
"""The webui release whose arithmetic Easel follows; readers choose their compatibility rules by it."""

Value = str | int | float | bool | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one picture, in the webui's words. None or the neutral default leaves a key out.

    `extra` holds further keys in the order in which they are to appear; a key that has a fixed place keeps it.
    """

    prompt: str
    negative: str = ""
    steps: int
    sampler: str
    schedule: str | None = None
    cfg_scale: Value
    image_cfg_scale: Value = None
    seed: int
    face_restoration: str | None = None
    width: int
    height: int
    model_hash: str | None = None
    model: str | None = None
    vae_hash: str | None = None
    vae: str | None = None
    variation_seed: int = 0
    variation_strength: float = 0
    resize_from: tuple[int, int] = (0, 0)
    denoising_strength: Value = None
    clip_skip: int = 1
    ensd: int = 0
    rng: str = "GPU"
    tiling: bool = False
    extra: Mapping[str, Value] = {}
    version: str | None = VERSION
    user: str | None = None


def quote(value: Value) -> Value:
    """Quote `value` as JSON when a comma, colon or newline would make it ambiguous; anything but text passes as it is."""
    if not isinstance(value, str) or not any(mark in value for mark in ",:\n"):
        return value
    return json.dumps(value, ensure_ascii=False)


def unquote(text: str) -> str:
    """Undo `quote`. Text that is not a JSON string is returned as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def write_infotext(facts: Facts) -> str:
    """The whole text: prompt, negative prompt if there is one, and the parameters on the last line."""
    pairs = ", ".join(
        key if key == value else f"{key}: {quote(value)}" for key, value in _fields(facts).items() if value is not None
    )
    negative = f"\nNegative prompt: {facts.negative}" if facts.negative else ""
    return f"{facts.prompt}{negative}\n{pairs}".strip()


def _fields(facts: Facts) -> dict[str, Value]:
    """Keys in the webui's order; None where a key is to be left out."""
    varied = facts.variation_strength != 0
    from_width, from_height = facts.resize_from
    fields: dict[str, Value] = {
        "Steps": facts.steps,
        "Sampler": facts.sampler,
        "Schedule type": facts.schedule,
        "CFG scale": facts.cfg_scale,
        "Image CFG scale": facts.image_cfg_scale,
        "Seed": facts.seed,
        "Face restoration": facts.face_restoration,
        "Size": f"{facts.width}x{facts.height}",
        "Model hash": facts.model_hash,
        "Model": facts.model,
        "VAE hash": facts.vae_hash,
        "VAE": facts.vae,
        "Variation seed": facts.variation_seed if varied else None,
        "Variation seed strength": facts.variation_strength if varied else None,
        "Seed resize from": f"{from_width}x{from_height}" if from_width > 0 and from_height > 0 else None,
        "Denoising strength": facts.denoising_strength,
        "Clip skip": facts.clip_skip if facts.clip_skip > 1 else None,
        "ENSD": facts.ensd or None,
        "RNG": facts.rng if facts.rng != "GPU" else None,
        "Tiling": True if facts.tiling else None,
    }
    fields.update(facts.extra)
    fields["Version"] = facts.version
    fields["User"] = facts.user
    return fields


_SAMPLER_LABELS = {row.id: row.label for row in SAMPLERS}
_SCHEDULE_LABELS = {row.id: row.label for row in SCHEDULES}


def _number(value: float) -> Value:
    """7.0 as 7 and 7.5 as 7.5, the way people type them."""
    return int(value) if value == int(value) else value


def schedule_label(sampler: str, schedule: str) -> str:
    """Label that the webui writes: a sampler's own default by name, "Automatic" for those that begin uniform."""
    if schedule != "automatic":
        return _SCHEDULE_LABELS[schedule]
    default = next(row.schedule for row in SAMPLERS if row.id == sampler)
    return _SCHEDULE_LABELS[default] if default in _SCHEDULE_LABELS and default != "uniform" else "Automatic"


def facts_of(
    request: GenerationRequest, index: int, *, model: ModelFile, extra: Mapping[str, Value] | None = None
) -> Facts:
    """Facts of picture `index` of `request`, painted with `model`; `extra` are keys that only the engine knows."""
    sampling, guidance, seeds = request.sampling, request.guidance, request.seeds
    varied = seeds.variation_strength != 0
    options: dict[str, Value] = {
        "Emphasis": None if request.prompt.emphasis == "Original" else request.prompt.emphasis,
        "Eta": None if sampling.eta is None else _number(sampling.eta),
        "Sigma churn": _number(sampling.s_churn) or None,
        "Sigma tmin": _number(sampling.s_tmin) or None,
        "Sigma tmax": _number(sampling.s_tmax) or None,
        "Sigma noise": _number(sampling.s_noise) if sampling.s_noise != 1 else None,
        "Schedule min sigma": _number(sampling.sigma_min) or None,
        "Schedule max sigma": _number(sampling.sigma_max) or None,
        "Schedule rho": _number(sampling.rho) or None,
        "Discard penultimate sigma": True if sampling.discard_penultimate else None,
        "NGMS": _number(guidance.min_sigma_uncond) or None,
        "Skip Early CFG": _number(guidance.skip_early) or None,
        "CFG Rescale phi": _number(guidance.rescale) or None,
    }
    source = request.source
    return Facts(
        prompt=request.prompt.positive,
        negative=request.prompt.negative,
        steps=sampling.steps,
        sampler=_SAMPLER_LABELS[sampling.sampler],
        schedule=schedule_label(sampling.sampler, sampling.schedule),
        cfg_scale=_number(guidance.cfg_scale),
        seed=seeds.seed if varied else seeds.seed + index,
        width=request.canvas.width,
        height=request.canvas.height,
        model_hash=model.hash,
        model=model.name.rsplit("/", 1)[-1],
        variation_seed=seeds.variation_seed + index,
        variation_strength=seeds.variation_strength,
        resize_from=seeds.resize_from or (0, 0),
        denoising_strength=None if source is None else _number(source.denoising_strength),
        clip_skip=request.prompt.clip_skip,
        ensd=sampling.ensd,
        rng="GPU" if seeds.source == "gpu" else "CPU",
        extra=options | dict(extra or {}),
    )
