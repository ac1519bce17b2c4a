"""Changing a request by a form: what is not said stays, and what differs is told.

Owns the difference between "not said" and "the server's default", and a phrase for each change.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.drafts import ImagineDraft, shown
from bot.requests.naming import checkpoint_named, sampler_named
from bot.requests.resolve import (
    CROP,
    STRENGTH,
    canvas_of,
    count_of,
    lora_tags,
    prompt_of,
    seed_of,
    steps_of,
)
from bot.requests.variations import SUBTLE_NOISE, paintable
from bot.settings import GenerationSettings, LimitSettings
from inference.api.catalog import SAMPLERS, SCHEDULES
from inference.api.errors import RequestInvalid
from inference.api.lookup import find_checkpoint
from inference.api.request import (
    SEED_LIMIT,
    GenerationRequest,
    ModelRef,
    Prompt,
    Request,
    Sampling,
    Seeds,
    SourcePicture,
)
from inference.api.result import Inventory, ModelFile
from storage.values import Style

KEEP: Final = "keep"
VARIATION: Final = "variation"
"""What an edit may say of the seed besides what `resolve` understands."""
_NAMES: Final = ("model", "size", "seed", "variation", "steps", "sampler", "CFG", "strength", "pictures")
_SAMPLER_LABELS: Final = {row.id: row.label for row in SAMPLERS}
_SCHEDULE_LABELS: Final = {row.id: f" {row.label}" for row in SCHEDULES} | {"automatic": ""}


def edited(
    request: Request,
    changes: ImagineDraft,
    *,
    inventory: Inventory,
    defaults: GenerationSettings,
    limits: LimitSettings,
    styles: Mapping[str, Style],
    seeds: Mapping[str, int],
    random_seed: Callable[[], int],
) -> tuple[GenerationRequest, tuple[str, ...]]:
    """`request` with what `changes` says, and a phrase for each thing that differs ("steps 20 → 30").

    None in `changes` keeps what there was, and so does an empty prompt; an empty model is the server's default. Of the seed
    None and "keep" keep, "random" draws, "variation" keeps the noise and mixes a little fresh one in. A LoRA named anew
    takes the place of its old tag. Raises RequestRefused and LimitReached as `resolve` does.
    """
    old = paintable(request)
    model = _model(old.model, changes.model, inventory=inventory, default=defaults.model)
    count = old.count if changes.count is None else count_of(changes.count)
    try:
        new = msgspec.structs.replace(
            old,
            prompt=_prompt(
                old.prompt,
                changes,
                styles=styles,
                loras=lora_tags(changes.lora or "", model=model, inventory=inventory),
            ),
            model=old.model if changes.model is None else ModelRef(model.name, model.hash, old.model.vae),
            canvas=canvas_of(changes, native=model.native, limits=limits) if _resized(changes) else old.canvas,
            seeds=_seeds(old.seeds, changes.seed, count=count, saved=seeds, random_seed=random_seed),
            sampling=_sampling(old.sampling, changes, limits),
            guidance=old.guidance
            if changes.cfg is None
            else msgspec.structs.replace(old.guidance, cfg_scale=float(changes.cfg)),
            source=_source(old.source, changes),
            hires=old.hires if changes.init_image is None else None,
            count=count,
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    return new, differences(old, new)


def differences(old: GenerationRequest, new: GenerationRequest) -> tuple[str, ...]:
    """A phrase for each thing in which `new` differs from `old`: texts and pictures are only named, numbers are told."""
    texts = (
        ("prompt", old.prompt.positive, new.prompt.positive),
        ("negative prompt", old.prompt.negative, new.prompt.negative),
        ("source picture", old.source and old.source.picture, new.source and new.source.picture),
    )
    facts = zip(_NAMES, _facts(old), _facts(new), strict=True)
    return (
        *(name for name, before, after in texts if before != after),
        *(f"{name} {before} → {after}" for name, before, after in facts if before != after),
    )


def _facts(request: GenerationRequest) -> tuple[str, ...]:
    """What `differences` tells, in the order of `_NAMES`."""
    seeds, sampling, source = request.seeds, request.sampling, request.source
    return (
        shown(request.model.name),
        f"{request.canvas.width}×{request.canvas.height}",
        str(seeds.seed),
        f"{seeds.variation_seed} at {seeds.variation_strength:g}" if seeds.variation_strength else "none",
        str(sampling.steps),
        _SAMPLER_LABELS[sampling.sampler] + _SCHEDULE_LABELS[sampling.schedule],
        f"{request.guidance.cfg_scale:g}",
        f"{source.denoising_strength:g}" if source is not None else "none",
        str(request.count),
    )


def _model(old: ModelRef, wanted: str | None, *, inventory: Inventory, default: str) -> ModelFile:
    """The checkpoint that will paint: the one said, else the old one by its hash, or its name where the file has changed."""
    if wanted is not None:
        return checkpoint_named(wanted or default, inventory)
    return find_checkpoint(inventory, old.hash) or checkpoint_named(old.name, inventory)


def _prompt(old: Prompt, changes: ImagineDraft, *, styles: Mapping[str, Style], loras: str) -> Prompt:
    positive = changes.prompt if changes.prompt.strip() else old.positive
    for name in re.findall(r"<lora:([^:>]+)", loras):
        positive = re.sub(rf"\s*<lora:{re.escape(name)}(?::[^>]*)?>", "", positive)
    negative = old.negative if changes.negative is None else changes.negative
    merged = prompt_of(positive, negative, style=changes.style, styles=styles, loras=loras)
    return msgspec.structs.replace(old, positive=merged.positive, negative=merged.negative)


def _resized(changes: ImagineDraft) -> bool:
    return any(said is not None for said in (changes.size, changes.aspect, changes.init_size))


def _seeds(
    old: Seeds, wanted: str | None, *, count: int, saved: Mapping[str, int], random_seed: Callable[[], int]
) -> Seeds:
    said = (wanted or KEEP).strip().casefold()
    if said == VARIATION:
        return msgspec.structs.replace(
            old, variation_seed=min(random_seed(), SEED_LIMIT - count), variation_strength=SUBTLE_NOISE
        )
    if said == KEEP:
        first = min(old.seed, SEED_LIMIT - count)
        return msgspec.structs.replace(old, seed=first, variation_seed=min(old.variation_seed, SEED_LIMIT - count))
    seed = seed_of(wanted or "", count=count, saved=saved, random_seed=random_seed)
    return msgspec.structs.replace(old, seed=seed, variation_seed=0, variation_strength=0.0)


def _sampling(old: Sampling, changes: ImagineDraft, limits: LimitSettings) -> Sampling:
    steps = old.steps if changes.steps is None else steps_of(changes.steps, limits)
    if changes.sampler is None:
        return msgspec.structs.replace(old, steps=steps)
    sampler, schedule = sampler_named(changes.sampler)
    return msgspec.structs.replace(old, steps=steps, sampler=sampler, schedule=schedule)


def _source(old: SourcePicture | None, changes: ImagineDraft) -> SourcePicture | None:
    if changes.init_image is not None:
        strength = STRENGTH if changes.strength is None else float(changes.strength)
        return SourcePicture(changes.init_image, strength, resize_mode=CROP)
    if changes.strength is None:
        return old
    if old is None:
        raise RequestRefused("Strength says how far to go from a picture, and this one was made from words alone.")
    return msgspec.structs.replace(old, denoising_strength=float(changes.strength))
