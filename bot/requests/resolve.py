"""From a draft to a request in which everything is decided: model, sampler, size, seed, style, LoRAs.

Owns what a bare wish means and the sentence for each thing that cannot be. Pure: it sees what the painter found and what
the person saved, and asks nobody.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import ImagineDraft, read_loras, shown
from bot.requests.mending import read_faces
from bot.requests.naming import checkpoint_named, joined, lora_named, near_matches, sampler_named, unknown
from bot.requests.places import each_part, laid_out, regional_of
from bot.requests.safety import check_prompt
from bot.requests.styling import styles_named, with_styles
from bot.settings import GenerationSettings, LimitSettings
from inference.api.catalog import ASPECTS
from inference.api.errors import RequestInvalid
from inference.api.regional import Region
from inference.api.request import (
    MAX_PROMPT,
    MAX_SIDE,
    MAX_STEPS,
    MIN_SIDE,
    SEED_LIMIT,
    SIZE_STEP,
    Canvas,
    GenerationRequest,
    Guidance,
    ModelRef,
    Prompt,
    Sampling,
    Seeds,
    SourcePicture,
)
from inference.api.result import Inventory, ModelFile
from storage.values import Style

MAX_PICTURES: Final = 4
"""Pictures of one job that a card shows with buttons."""
STRENGTH: Final = 0.75
"""How far a picture begun from another may go where nobody says (webui)."""
COARSE_STEP: Final = 64
"""Sides of models of 512 pixels and more are multiples of this: their latents halve three times without a rest."""
CROP: Final = 1
"""How a source that has other proportions is fitted: cover the canvas and crop, so that nothing is squashed."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_UNWRITABLE: Final = re.compile(r"[:=>]")
_RATIO: Final = re.compile(r"\s*([0-9]{1,4}(?:\.[0-9]{1,3})?)\s*[:/x]\s*([0-9]{1,4}(?:\.[0-9]{1,3})?)\s*")
_RANDOM: Final = frozenset({"", "random", "-1"})
_FAMILIES: Final = {"sd1": "SD 1", "sd2": "SD 2", "sdxl": "SDXL", "sdxl_refiner": "SDXL refiner"}
_SLOT: Final = "{prompt}"


def resolve(
    draft: ImagineDraft,
    *,
    inventory: Inventory,
    defaults: GenerationSettings,
    limits: LimitSettings,
    styles: Mapping[str, Style],
    seeds: Mapping[str, int],
    random_seed: Callable[[], int],
) -> GenerationRequest:
    """The request that `draft` means.

    `styles` and `seeds` are what this person may name here, by name; `random_seed` gives whole numbers in
    [0, SEED_LIMIT). Raises RequestRefused with one sentence for what cannot be painted, LimitReached for what is over
    `limits`.
    """
    if not draft.prompt.strip() and draft.init_image is None and draft.style is None:
        raise RequestRefused("Say what to paint, or attach a picture to begin from.")
    draft = with_styles(draft, styles=styles, inventory=inventory)
    draft, regions = _laid_out(draft)
    model = checkpoint_named(defaults.model if draft.model is None else draft.model, inventory)
    count = count_of(defaults.count if draft.count is None else draft.count)
    sampler, schedule = sampler_named(defaults.sampler if draft.sampler is None else draft.sampler)
    try:
        return GenerationRequest(
            prompt=prompt_of(
                draft.prompt,
                defaults.negative if draft.negative is None else draft.negative,
                style=draft.style,
                styles=styles,
                loras=lora_tags(draft.lora or "", model=model, inventory=inventory),
                apart=draft.places,
            ),
            canvas=(canvas := canvas_of(draft, native=model.native, limits=limits)),
            seeds=Seeds(seed_of(draft.seed or "", count=count, saved=seeds, random_seed=random_seed)),
            model=ModelRef(model.name, model.hash),
            sampling=Sampling(
                sampler, schedule, steps_of(defaults.steps if draft.steps is None else draft.steps, limits)
            ),
            guidance=Guidance(float((model.cfg_scale or defaults.cfg_scale) if draft.cfg is None else draft.cfg)),
            count=count,
            source=source_of(draft),
            tiling=draft.tiling,
            faces=None if draft.faces is None else read_faces(draft.faces, inventory),
            regional=regional_of(regions, (canvas.width, canvas.height), feather=draft.feather),
            token_merging_ratio=draft.merging,
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def _laid_out(draft: ImagineDraft) -> tuple[ImagineDraft, tuple[Region, ...]]:
    """`draft` with an AND prompt where its words have places, and the regions of its parts. Raises RequestRefused."""
    if not draft.places:
        return draft, ()
    layout = laid_out(draft.prompt)
    return msgspec.structs.replace(draft, prompt=layout.prompt), layout.regions


def count_of(count: int) -> int:
    """`count`, when it is a number of pictures that a job may have. Raises RequestRefused."""
    if not 1 <= count <= MAX_PICTURES:
        raise RequestRefused(f"Ask for 1 to {MAX_PICTURES} pictures at once, not {count:,}.")
    return count


def steps_of(steps: int, limits: LimitSettings) -> int:
    """`steps`, when they are allowed here. Raises RequestRefused, or LimitReached where only this server says no."""
    if limits.max_steps < steps <= MAX_STEPS:
        raise LimitReached(f"At most {limits.max_steps} steps are allowed here, not {steps:,}.")
    if not 1 <= steps <= MAX_STEPS:
        raise RequestRefused(f"Steps must be between 1 and {limits.max_steps}, not {steps:,}.")
    return steps


def prompt_of(
    positive: str,
    negative: str,
    *,
    style: str | None,
    styles: Mapping[str, Style],
    loras: str = "",
    apart: bool = False,
) -> Prompt:
    """Both texts with the styles (a list) merged in and LoRA tags behind; `apart` styles each AND part by itself.

    Raises RequestRefused; RequestInvalid if too long.
    """
    for text in (positive, negative):
        if len(text) > MAX_PROMPT:
            raise RequestRefused(f"A prompt may have at most {MAX_PROMPT:,} characters; this one has {len(text):,}.")
    positive, negative = positive.strip(), negative.strip()
    check_prompt(positive)
    for chosen in styles_named(style or "", styles):
        dress = partial(styled, template=chosen.prompt)
        positive = each_part(positive, dress) if apart else dress(positive)
        negative = styled(negative, chosen.negative)
        _check_grown(chosen, positive, negative)
    prompt = Prompt(" ".join(part for part in (positive, loras) if part), negative)
    check_prompt(prompt.positive)
    return prompt


def styled(text: str, template: str) -> str:
    """`text` in a style: put where the template says {prompt}, else the template behind it after a comma (webui)."""
    if _SLOT in template:
        return template.replace(_SLOT, text)
    return ", ".join(part for part in (text.strip(), template.strip()) if part)


def _check_grown(style: Style, *texts: str) -> None:
    """Before the next style doubles them: a template may say {prompt} many times. Raises RequestRefused."""
    longest = max(map(len, texts))
    if longest > MAX_PROMPT:
        raise RequestRefused(
            f"With the style “{shown(style.name)}” the prompt grows to {longest:,} characters; {MAX_PROMPT:,} is the most."
        )


def lora_tags(text: str, *, model: ModelFile, inventory: Inventory) -> str:
    """The list `text` as tags, `<lora:ink:0.8>`, for a prompt painted with `model`. Raises RequestRefused."""
    tags: dict[str, str] = {}
    for name, strength in read_loras(text):
        info = lora_named(name, inventory)
        if info.family in _FAMILIES and model.family in _FAMILIES and info.family != model.family:
            raise RequestRefused(
                f"The LoRA “{shown(info.name)}” is made for {_FAMILIES[info.family]}, "
                f"and “{shown(model.name)}” is {_FAMILIES[model.family]}; choose another LoRA or another model."
            )
        if _UNWRITABLE.search(info.name):
            raise RequestRefused(
                f"The LoRA “{shown(info.name)}” cannot be named in a prompt; the operator takes “:”, “=” and “>” out of its name."
            )
        weight = strength if strength is not None else info.weight or 1.0
        tags[info.name] = f"<lora:{info.name}:{weight:g}>"
    return " ".join(tags.values())


def seed_of(text: str, *, count: int, saved: Mapping[str, int], random_seed: Callable[[], int]) -> int:
    """The first of `count` seeds: a number, a saved name, or drawn for "", "random" and -1. Raises RequestRefused."""
    wanted, last = text.strip(), SEED_LIMIT - count
    if wanted.casefold() in _RANDOM:
        return min(random_seed(), last)
    if _NUMBER.fullmatch(wanted):
        return _seed_within(int(wanted) if len(wanted) <= 20 else SEED_LIMIT, count=count, text=wanted)
    named = {name.casefold(): seed for name, seed in saved.items()} | dict(saved)
    if wanted in named or wanted.casefold() in named:
        return _seed_within(named.get(wanted, named.get(wanted.casefold(), 0)), count=count, text=wanted)
    near = near_matches(wanted, list(saved))
    if near:
        raise RequestRefused(f"“{shown(wanted)}” is neither a number nor a saved seed; did you mean {joined(near)}?")
    raise RequestRefused(
        f"“{shown(wanted)}” is no seed; give a whole number from 0 to {last:,}, “random”, or the name of a saved seed."
    )


def _seed_within(seed: int, *, count: int, text: str) -> int:
    if not 0 <= seed <= SEED_LIMIT - count:
        pictures = "" if count == 1 else f" for {count} pictures"
        raise RequestRefused(
            f"A seed must be a whole number from 0 to {SEED_LIMIT - count:,}{pictures}, not {shown(text)}."
        )
    return seed


def canvas_of(draft: ImagineDraft, *, native: int, limits: LimitSettings) -> Canvas:
    """The size said, else the aspect, else the source's proportions, else a square. Raises RequestRefused, LimitReached."""
    if draft.size is not None:
        return size_within(draft.size, limits)
    if draft.aspect is not None:
        row = next((row for row in ASPECTS if draft.aspect.strip().casefold() in (row.id, row.label.casefold())), None)
        ratio = _RATIO.fullmatch(draft.aspect)
        if row is None and ratio is None:
            raise unknown("aspect", draft.aspect, (row.id for row in ASPECTS))
        shape = (row.width, row.height) if row is not None else (float(ratio[1]), float(ratio[2])) if ratio else (1, 1)
    else:
        shape = draft.init_size or (1, 1)
    canvas = canvas_for(shape, native=native)
    return size_within((canvas.width, canvas.height), limits)


def size_within(size: tuple[int, int], limits: LimitSettings) -> Canvas:
    """The canvas of `size` (width, height), when it is allowed. Raises RequestRefused, or LimitReached for too many pixels."""
    for name, side in zip(("width", "height"), size, strict=True):
        if not MIN_SIDE <= side <= MAX_SIDE or side % SIZE_STEP:
            raise RequestRefused(
                f"The {name} must be a multiple of {SIZE_STEP} between {MIN_SIDE} and {MAX_SIDE:,}, not {side:,}."
            )
    if size[0] * size[1] > limits.max_megapixels * 1e6:
        raise LimitReached(
            f"A picture of {size[0]} × {size[1]} has more than the {limits.max_megapixels:g} megapixels allowed here; "
            "ask for a smaller one."
        )
    return Canvas(*size)


def canvas_for(shape: tuple[float, float], *, native: int) -> Canvas:
    """The canvas of the proportions `shape` (width, height) with about `native`² pixels.

    Sides are multiples of 64 for models of 512 pixels and more, of 8 for smaller ones; no side is more than four times
    the other, however thin the shape.
    """
    step = COARSE_STEP if native >= 512 else SIZE_STEP
    ratio = min(4.0, max(0.25, shape[0] / shape[1])) if min(shape) > 0 else 1.0
    return Canvas(_side(native * math.sqrt(ratio), step), _side(native / math.sqrt(ratio), step))


def _side(length: float, step: int) -> int:
    return min(MAX_SIDE, max(MIN_SIDE, round(length / step) * step))


def source_of(draft: ImagineDraft) -> SourcePicture | None:
    """The picture to begin from, None where there is none. Raises RequestRefused, RequestInvalid."""
    if draft.init_image is None:
        if draft.strength is not None:
            raise RequestRefused(
                "Strength says how far to go from a picture; attach one as init_image, or leave it out."
            )
        return None
    strength = STRENGTH if draft.strength is None else float(draft.strength)
    return SourcePicture(draft.init_image, strength, resize_mode=CROP)
