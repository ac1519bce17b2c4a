"""From a request, and the file that painted it, to the facts that its text tells.

Owns which setting is told under which key, and that a setting without effect is left out. Refuses to know how a text is
read again; `resolving` is the way back.
"""

import math
import re
from collections.abc import Mapping

from inference.api.catalog import LATENT_UPSCALERS, SAMPLERS, SCHEDULES, UPSCALERS
from inference.api.infotext.controls import control_facts
from inference.api.infotext.faces import weight_and_visibility
from inference.api.infotext.names import AUTOMATIC, UNIFORM
from inference.api.infotext.parsing import NEGATIVE
from inference.api.infotext.quoting import Value
from inference.api.infotext.redraws import SD_SIZE, redraw_facts
from inference.api.infotext.regions import FEATHER, KEY, regions_text
from inference.api.infotext.writing import Facts
from inference.api.redraw import UltimateUpscale
from inference.api.request import (
    Drawn,
    GenerationRequest,
    Guidance,
    Hires,
    ModelRef,
    Prompt,
    Refiner,
    Sampling,
    SourcePicture,
)
from inference.api.result import ModelFile

_SAMPLERS = {row.id: row for row in SAMPLERS}
_SCHEDULES = {row.id: row.label for row in SCHEDULES}
_UPSCALERS = {row.id: row.label for row in (*LATENT_UPSCALERS, *UPSCALERS)}
TIMESTEP_SAMPLERS = frozenset({"ddim", "ddim_cfgpp", "plms", "unipc"})
"""Their eta has a key and a default of its own."""
_SIZES = frozenset({"Hires resize", SD_SIZE})
_SIZE = re.compile(r"\d+x\d+")
RESIZE_MODES = ("Just resize", "Crop and resize", "Resize and fill", "Just resize (latent upscale)")


def facts_of(
    request: GenerationRequest, index: int, *, model: ModelFile, extra: Mapping[str, Value] | None = None
) -> Facts:
    """Facts of picture `index` of `request`, painted with `model`; `extra` are keys that only the engine knows."""
    sampling, guidance, seeds, prompt = request.sampling, request.guidance, request.seeds, request.prompt_of(index)
    varied = seeds.variation_strength != 0
    width, height = request.canvas.width, request.canvas.height
    if isinstance(request.redraw, UltimateUpscale):  # its program tells the whole picture's size, the others a tile's
        width, height = request.redraw.size
    strength = request.source or request.hires
    options: dict[str, Value] = {
        **(_hires(request, request.hires, prompt) if request.hires is not None else {}),
        **(_source(request.source) if request.source is not None else {}),
        **(redraw_facts(request.redraw) if request.redraw is not None else {}),
        **control_facts(request.control),
        **(extra or {}),
        "Emphasis": None if prompt.emphasis == "Original" else prompt.emphasis,
        **_sampling(sampling),
        **_guidance(guidance),
        "Pad conds": True if prompt.pad_conds == "empty" else None,
        "Pad conds v0": True if prompt.pad_conds == "v0" else None,
        "Old prompt editing timelines": True if prompt.old_timelines else None,
        "Extra noise": number(request.extra_noise) or None,
        "Token merging ratio": number(request.token_merging_ratio) or None,
        **(_refiner(request.refiner) if request.refiner is not None else {}),
        KEY: None if request.regional is None else regions_text(request.regional),
        FEATHER: None if request.regional is None else request.regional.feather or None,
        **weight_and_visibility(request.faces),
        **(_templates(request.drawn) if request.drawn is not None else {}),
    }
    return Facts(
        prompt=readable(prompt.positive),
        negative=readable(prompt.negative),
        steps=sampling.steps,
        sampler=_SAMPLERS[sampling.sampler].label,
        schedule=schedule_label(sampling.sampler, sampling.schedule),
        cfg_scale=number(guidance.cfg_scale),
        seed=seeds.seed if varied else seeds.seed + index,
        face_restoration=None if request.faces is None else request.faces.model,
        width=width,
        height=height,
        model_hash=model.hash or None,
        model=model.name.rsplit("/", 1)[-1],
        variation_seed=seeds.variation_seed + index,
        variation_strength=seeds.variation_strength,
        resize_from=seeds.resize_from or (0, 0),
        denoising_strength=None if strength is None else number(strength.denoising_strength),
        clip_skip=prompt.clip_skip,
        ensd=sampling.ensd if _SAMPLERS[sampling.sampler].uses_ensd and sampling.eta != 0 else 0,
        rng="GPU" if seeds.source == "gpu" else "CPU",
        tiling=request.tiling,
        extra={key: _plain(key, value) for key, value in options.items()},
    )


def _plain(key: str, value: Value) -> Value:
    """`value` so that it is read as text: a space parts it from its key, from a quoted string and from a size."""
    if not isinstance(value, str):
        return value
    strange = value == key or (value[:1] == '"' == value[-1:]) or (key not in _SIZES and _SIZE.fullmatch(value))
    return f"{value} " if strange else value


def number(value: float) -> int | float:
    """7.0 as 7 and 7.5 as 7.5, the way people type them."""
    return int(value) if math.isfinite(value) and value == int(value) else value


def readable(prompt: str) -> str:
    """`prompt` so that a reader of the text gets the same words: no white space around lines, no line like a key.

    None of it reaches the tokens: they do not know how wide a space is.
    """
    lines = [line.strip() for line in prompt.strip().split("\n")]
    doubled = NEGATIVE.replace(" ", "  ")
    return "\n".join(doubled + line.removeprefix(NEGATIVE) if line.startswith(NEGATIVE) else line for line in lines)


def schedule_label(sampler: str, schedule: str) -> str:
    """Label that the webui writes: a sampler's own default by name, "Automatic" for those that begin uniform."""
    if schedule != AUTOMATIC:
        return _SCHEDULES[schedule]
    default = _SAMPLERS[sampler].schedule
    return _SCHEDULES[AUTOMATIC if default == UNIFORM else default]


def _sampling(sampling: Sampling) -> dict[str, Value]:
    timesteps = sampling.sampler in TIMESTEP_SAMPLERS
    default = 0.0 if timesteps else 1.0
    eta = None if sampling.eta in (None, default) else number(sampling.eta or 0.0)
    unipc = sampling.unipc if sampling.sampler == "unipc" else None
    told: dict[str, Value] = {
        "Eta DDIM" if timesteps else "Eta": eta,
        "Sigma churn": number(sampling.s_churn) or None,
        "Sigma tmin": number(sampling.s_tmin) or None,
        "Sigma tmax": number(sampling.s_tmax) or None,
        "Sigma noise": number(sampling.s_noise) if sampling.s_noise != 1 else None,
        "Schedule min sigma": number(sampling.sigma_min) or None,
        "Schedule max sigma": number(sampling.sigma_max) or None,
        "Schedule rho": number(sampling.rho) or None,
        "Beta schedule alpha": number(sampling.beta_alpha) if sampling.beta_alpha != 0.6 else None,
        "Beta schedule beta": number(sampling.beta_beta) if sampling.beta_beta != 0.6 else None,
        "Old Karras sigmas": sampling.old_karras or None,
        "Discard penultimate sigma": sampling.discard_penultimate or None,
        "SGM noise multiplier": sampling.sgm_noise or None,
        "Quantize timesteps": sampling.quantize or None,
        "Downcast alphas_cumprod": sampling.downcast_alphas or None,
        "Noise Schedule": "Zero Terminal SNR" if sampling.zero_terminal_snr else None,
    }
    if unipc is not None:
        told |= {
            "UniPC variant": unipc.variant if unipc.variant != "bh1" else None,
            "UniPC skip type": unipc.skip if unipc.skip != "time_uniform" else None,
            "UniPC order": unipc.order if unipc.order != 3 else None,
            "UniPC lower order final": None if unipc.lower_order_final else False,
        }
    return told


def _guidance(guidance: Guidance) -> dict[str, Value]:
    return {
        "NGMS": number(guidance.min_sigma_uncond) or None,
        "NGMS all steps": guidance.min_sigma_uncond_all or None,
        "Skip Early CFG": number(guidance.skip_early) or None,
        "CFG Rescale phi": number(guidance.rescale) or None,
    }


def _hires(request: GenerationRequest, hires: Hires, words: Prompt) -> dict[str, Value]:
    sampler, schedule = hires.sampler or request.sampling.sampler, hires.schedule
    prompt, negative = readable(hires.prompt), readable(hires.negative)
    return {
        "Hires checkpoint": None if hires.model is None else title(hires.model),
        "Hires sampler": _SAMPLERS[sampler].label if hires.sampler else None,
        "Hires prompt": prompt if prompt and prompt != readable(words.positive) else None,
        "Hires negative prompt": negative if negative and negative != readable(words.negative) else None,
        "Hires schedule type": schedule_label(sampler, schedule) if schedule else None,
        "Hires CFG Scale": None if hires.cfg_scale is None else number(hires.cfg_scale),
        "Hires upscale": number(hires.scale) if hires.resize is None else None,
        "Hires resize": None if hires.resize is None else f"{hires.resize[0]}x{hires.resize[1]}",
        "Hires steps": hires.steps or None,
        "Token merging ratio hr": number(hires.token_merging_ratio) or None,
        "Hires upscaler": _UPSCALERS.get(hires.upscaler, hires.upscaler),
    }


def _source(source: SourcePicture) -> dict[str, Value]:
    mask = source.inpaint
    told: dict[str, Value] = {
        "Conditional mask weight": number(source.conditioning_mask_weight)
        if source.conditioning_mask_weight != 1
        else None,
        "Init image hash": source.picture,
        "Resize mode": RESIZE_MODES[source.resize_mode] if source.resize_mode else None,
        "Upscaler for img2img": _UPSCALERS.get(source.upscaler, source.upscaler) or None,
        "Exact steps": source.exact_steps or None,
        "Noise multiplier": number(source.noise_multiplier) if source.noise_multiplier != 1 else None,
        "Color correction": source.color_correction or None,
    }
    if mask is not None:
        told |= {
            "Mask hash": mask.mask,
            "Mask mode": "Inpaint not masked" if mask.invert else None,
            "Mask blur": mask.blur,
            "Mask blur Y": mask.blur_y,
            "Inpaint area": "Only masked" if mask.only_masked else None,
            "Masked area padding": mask.padding if mask.only_masked else None,
            "Soft mask": None if mask.rounded else True,
            "Masked content": mask.content if mask.content != "original" else None,
        }
    return told


def _templates(drawn: Drawn) -> dict[str, Value]:
    """What the words were drawn from, under the keys of the webui's extension for dynamic prompts."""
    return {"Template": readable(drawn.positive) or None, "Negative Template": readable(drawn.negative) or None}


def _refiner(refiner: Refiner) -> dict[str, Value]:
    return {
        "Refiner": title(refiner.model),
        "Refiner switch at": number(refiner.switch_at),
        "Refiner switch by sampling steps": refiner.by_steps or None,
        "Hires refiner pass": refiner.during if refiner.during != "second pass" else None,
    }


def title(model: ModelRef) -> str:
    """A further checkpoint's name and hash, as the webui writes them."""
    name = model.name.rsplit("/", 1)[-1]
    return f"{name} [{model.hash}]" if model.hash else name
