"""The larger parts of a request, read from a text: sampling, guidance, seeds, hires fix, a source picture, a refiner."""

import re
from typing import Any, TypeVar, get_args

import msgspec

from inference.api.catalog import SamplerRow
from inference.api.errors import RequestInvalid
from inference.api.infotext.facts import RESIZE_MODES, TIMESTEP_SAMPLERS
from inference.api.infotext.files import Shelves
from inference.api.infotext.names import AUTOMATIC, bare, canonical, find_sampler, split_names
from inference.api.infotext.reading import Reader
from inference.api.infotext.upscalers import read_upscaler
from inference.api.request import MAX_BLUR, MAX_MERGING, MAX_PADDING, Hires, Inpaint, Refiner, SourcePicture
from inference.api.sampling import MAX_STEPS, SEED_LIMIT, Guidance, Sampling, Seeds, UniPC

T = TypeVar("T", bound=msgspec.Struct)
_SAME = ("Use same sampler", "Use same scheduler", "Use same checkpoint", "")
_OWN_HASH = re.compile(r"[0-9a-f]{64}")


def read_sampling(reader: Reader, base: Sampling) -> Sampling:
    """Sampler, schedule and their knobs; `base` where the text names no sampler or steps."""
    row, schedule = _sampler(reader, base)
    eta_key, other = ("Eta DDIM", "Eta") if row.id in TIMESTEP_SAMPLERS else ("Eta", "Eta DDIM")
    reader.says(other)
    eta = reader.number(eta_key, -1.0, low=-1.0, high=1.0)
    beta = {name: reader.number(f"Beta scheduler {name}", 0.6, low=0.01, high=100.0) for name in ("alpha", "beta")}
    said = {
        "eta": None if eta < 0 else eta,
        "s_churn": reader.number("Sigma churn", 0.0, low=0.0, high=1e6),
        "s_tmin": reader.number("Sigma tmin", 0.0, low=0.0, high=1e6),
        "s_tmax": reader.number("Sigma tmax", 0.0, low=0.0, high=float("inf")),
        "s_noise": reader.number("Sigma noise", 1.0, low=0.0, high=10.0),
        "sigma_min": reader.number("Schedule min sigma", 0.0, low=0.0, high=1e5),
        "sigma_max": reader.number("Schedule max sigma", 0.0, low=0.0, high=1e5),
        "rho": reader.number("Schedule rho", 0.0, low=0.0, high=100.0),
        "discard_penultimate": reader.flag("Discard penultimate sigma"),
        "ensd": reader.whole("ENSD", 0, low=-SEED_LIMIT, high=SEED_LIMIT),
        "beta_alpha": reader.number("Beta schedule alpha", beta["alpha"], low=0.01, high=100.0),
        "beta_beta": reader.number("Beta schedule beta", beta["beta"], low=0.01, high=100.0),
        "old_karras": reader.flag("Old Karras sigmas"),
        "sgm_noise": reader.flag("SGM noise multiplier"),
        "quantize": reader.flag("Quantize timesteps"),
        "downcast_alphas": reader.flag("Downcast alphas_cumprod"),
        "zero_terminal_snr": reader.choice("Noise Schedule", ("Default", "Zero Terminal SNR"), "Default") != "Default",
        "unipc": _unipc(reader),
    }
    plain = Sampling(sampler=row.id, schedule=schedule, steps=reader.whole("Steps", base.steps, low=1, high=MAX_STEPS))
    return _changed(plain, said, reader)


def _sampler(reader: Reader, base: Sampling) -> tuple[SamplerRow, str]:
    usual = find_sampler(base.sampler)
    assert usual is not None  # noqa: S101 - a request's sampler is in the catalogue
    name, said = reader.text("Sampler"), reader.text("Schedule type")
    if not name:
        return usual, base.schedule
    row, schedule = split_names(name, said or None)
    if row is None:
        reader.notes.append(f"There is no sampler “{name[:40]}” here; {usual.label} was taken.")
        return usual, AUTOMATIC if schedule is None else schedule
    if said and schedule is None:
        reader.notes.append(f"There is no schedule “{said[:40]}” here; the sampler's own was taken.")
        return row, AUTOMATIC
    return row, bare(row) if schedule is None else canonical(row, schedule)


def _unipc(reader: Reader) -> UniPC:
    kinds, skips = (get_args(UniPC.__annotations__[name]) for name in ("variant", "skip"))
    said: dict[str, Any] = {
        "variant": reader.choice("UniPC variant", kinds, "bh1"),
        "skip": reader.choice("UniPC skip type", skips, "time_uniform"),
        "order": reader.whole("UniPC order", 3, low=1, high=50),
        "lower_order_final": reader.text("UniPC lower order final").casefold() != "false",
    }
    return UniPC(**said)


def read_guidance(reader: Reader, base: Guidance) -> Guidance:
    """CFG scale and its relatives."""
    return Guidance(
        cfg_scale=reader.number("CFG scale", base.cfg_scale, low=0.0, high=30.0),
        skip_early=reader.number("Skip Early CFG", 0.0, low=0.0, high=1.0),
        min_sigma_uncond=reader.number("NGMS", 0.0, low=0.0, high=1e6),
        rescale=reader.number("CFG Rescale phi", 0.0, low=0.0, high=1.0),
        min_sigma_uncond_all=reader.flag("NGMS all steps"),
    )


def read_seeds(reader: Reader, base: Seeds) -> Seeds:
    """Seeds and where their noise comes from."""
    strength = reader.number("Variation seed strength", 0.0, low=0.0, high=1.0)
    said: dict[str, Any] = {
        "variation_seed": reader.whole("Variation seed", 0, low=0, high=SEED_LIMIT - 1),
        "variation_strength": strength,
        "resize_from": reader.pair("Seed resize from"),
        "source": "cpu" if reader.choice("RNG", ("GPU", "NV", "CPU"), "GPU") == "CPU" else "gpu",
    }
    if not strength:
        said["variation_seed"] = 0
    seed = base.seed if reader.text("Seed") == "-1" else reader.whole("Seed", base.seed, low=0, high=SEED_LIMIT - 1)
    return Seeds(seed, **said)


def read_hires(reader: Reader, shelves: Shelves) -> Hires | None:
    """Hires fix: on where the text says a denoising strength and anything of a second size or an upscaler."""
    resize = reader.pair("Hires resize")
    larger = resize is not None or reader.says("Hires upscale") or reader.says("Hires upscaler")
    if not larger or not reader.says("Denoising strength"):
        return None
    sampler, schedule = "", ""
    if (name := reader.text("Hires sampler")) not in _SAME:
        row, schedule_id = split_names(name, None)
        sampler, schedule = (row.id, schedule_id or "") if row is not None else ("", "")
        if row is None:
            reader.notes.append(f"There is no sampler “{name[:40]}” here; the second pass uses the first one's.")
    if (said := reader.text("Hires schedule type")) not in _SAME:
        schedule = split_names("", said)[1] or schedule
    model = None
    if (title := reader.text("Hires checkpoint")) not in _SAME and (model := shelves.further(title)) is None:
        reader.notes.append(f"The model “{title[:80]}” for the second pass is not here; it uses the first one's.")
    cfg = reader.number("Hires CFG Scale", -1.0, low=-1.0, high=30.0)
    return Hires(
        scale=reader.number("Hires upscale", 2.0, low=1.0, high=8.0),
        resize=resize,
        upscaler=read_upscaler(reader, shelves, "Hires upscaler", "latent"),
        steps=reader.whole("Hires steps", 0, low=0, high=MAX_STEPS),
        denoising_strength=reader.number("Denoising strength", 0.7, low=0.0, high=1.0),
        prompt=reader.text("Hires prompt"),
        negative=reader.text("Hires negative prompt"),
        sampler=sampler,
        schedule=schedule,
        model=model,
        cfg_scale=None if cfg < 0 else cfg,
        token_merging_ratio=reader.number("Token merging ratio hr", 0.0, low=0.0, high=MAX_MERGING),
    )


def read_source(reader: Reader, shelves: Shelves) -> SourcePicture | None:
    """The picture it began from, where the text names one of ours by its whole hash."""
    digits = reader.text("Init image hash")
    if not _OWN_HASH.fullmatch(digits):
        if reader.says("Denoising strength"):
            strength = reader.text("Denoising strength")
            reader.notes.append(
                f"It began from another picture (denoising strength {strength[:10]}), which a text does not carry;"
                " only its words were painted."
            )
        return None
    upscaler = "Upscaler for img2img"
    said = {
        "resize_mode": RESIZE_MODES.index(reader.choice("Resize mode", RESIZE_MODES, RESIZE_MODES[0])),
        "inpaint": _read_inpaint(reader),
        "upscaler": read_upscaler(reader, shelves, upscaler, "") if reader.says(upscaler) else "",
        "exact_steps": reader.flag("Exact steps"),
        "noise_multiplier": reader.number("Noise multiplier", 1.0, low=0.0, high=1.5),
        "color_correction": reader.flag("Color correction"),
        "conditioning_mask_weight": reader.number("Conditional mask weight", 1.0, low=0.0, high=1.0),
    }
    plain = SourcePicture(digits, denoising_strength=reader.number("Denoising strength", 0.75, low=0.0, high=1.0))
    return _changed(plain, said, reader)


def _read_inpaint(reader: Reader) -> Inpaint | None:
    digits = reader.text("Mask hash")
    if not _OWN_HASH.fullmatch(digits):
        return None
    contents = get_args(Inpaint.__annotations__["content"])
    said: dict[str, Any] = {
        "blur": reader.whole("Mask blur", 4, low=0, high=MAX_BLUR),
        "blur_y": reader.whole("Mask blur Y", 0, low=0, high=MAX_BLUR) if reader.says("Mask blur Y") else None,
        "content": reader.choice("Masked content", contents, "original"),
        "only_masked": reader.text("Inpaint area") == "Only masked",
        "padding": reader.whole("Masked area padding", 32, low=0, high=MAX_PADDING),
        "invert": reader.text("Mask mode") == "Inpaint not masked",
        "rounded": not reader.flag("Soft mask"),
    }
    return Inpaint(digits, **said)


def read_refiner(reader: Reader, shelves: Shelves) -> Refiner | None:
    """The checkpoint that takes over, where it is here."""
    name = reader.text("Refiner")
    if not name or name == "None":
        return None
    model = shelves.further(name)
    if model is None:
        reader.notes.append(f"The refiner “{name[:80]}” is not here; the first model painted to the end.")
        return None
    said = {
        "by_steps": reader.flag("Refiner switch by sampling steps"),
        "during": reader.choice("Hires refiner pass", get_args(Refiner.__annotations__["during"]), "second pass"),
    }
    plain = Refiner(model, switch_at=reader.number("Refiner switch at", 0.8, low=0.0, high=1.0))
    return _changed(plain, said, reader)


def _changed(plain: T, said: dict[str, Any], reader: Reader) -> T:
    """`plain` with what was `said`; without it, and with a note, where its parts do not go together."""
    try:
        return msgspec.structs.replace(plain, **said)
    except RequestInvalid as error:
        reader.notes.append(f"{error} The usual settings were taken.")
        return plain
