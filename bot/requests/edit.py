"""Changing a request by a form: what is not said stays, and what differs is told.

Owns the difference between "not said" and "the server's default", and a phrase for each change.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from bot.errors import LimitReached, RequestRefused
from bot.requests.control_lines import phrase, read_units
from bot.requests.drafts import ImagineDraft, shown
from bot.requests.mending import faces_text, read_faces
from bot.requests.naming import checkpoint_named, sampler_named
from bot.requests.places import is_composed, laid_out, says_places
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
from bot.requests.styling import with_styles
from bot.requests.typed import hires_text, read_hires
from bot.requests.variations import SUBTLE_NOISE, paintable
from bot.requests.worn import dressed, styles_in, undressed
from bot.settings import GenerationSettings, LimitSettings
from inference.api.catalog import SAMPLERS, SCHEDULES
from inference.api.errors import RequestInvalid
from inference.api.lookup import find_checkpoint
from inference.api.regional import Regional
from inference.api.request import (
    SEED_LIMIT,
    GenerationRequest,
    Hires,
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
_SAMPLER_LABELS: Final = {row.id: row.label for row in SAMPLERS}
_SCHEDULE_LABELS: Final = {row.id: f" {row.label}" for row in SCHEDULES} | {"automatic": ""}
_LONGEST: Final = 80
"""Characters of a list of LoRAs in a phrase."""


class Edit(ImagineDraft, frozen=True, kw_only=True):
    """What a form says. `worn` is the whole list of LoRAs (and further styles) in place of the prompt's tags, which then are
    not in `prompt`; `hires` is a text as `typed.read_hires` reads it, `controls` one as `control_lines.read_units` does."""

    worn: str | None = None
    clip_skip: int | None = None
    hires: str | None = None
    controls: str | None = None


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
    changes = _with_styles(old, _as_edit(changes), styles=styles, inventory=inventory)
    changes, regional = _regional(old, changes)
    model = _model(old.model, changes.model, inventory=inventory, default=defaults.model)
    count = old.count if changes.count is None else count_of(changes.count)
    try:
        new = msgspec.structs.replace(
            old,
            prompt=_prompt(old, changes, styles=styles, model=model, inventory=inventory),
            model=old.model if changes.model is None else ModelRef(model.name, model.hash, old.model.vae),
            canvas=canvas_of(changes, native=model.native, limits=limits) if _resized(changes) else old.canvas,
            seeds=_seeds(old.seeds, changes.seed, count=count, saved=seeds, random_seed=random_seed),
            sampling=_sampling(old.sampling, changes, limits),
            guidance=old.guidance
            if changes.cfg is None
            else msgspec.structs.replace(old.guidance, cfg_scale=float(changes.cfg)),
            source=_source(old.source, changes),
            hires=_hires(old, changes, inventory),
            control=old.control if changes.controls is None else read_units(changes.controls, old.control),
            regional=regional,
            faces=old.faces if changes.faces is None else read_faces(changes.faces, inventory),
            count=count,
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    if new.hires is not None and new.hires != old.hires:
        _check_size(new.size, limits)
    return new, differences(old, new)


def differences(old: GenerationRequest, new: GenerationRequest) -> tuple[str, ...]:
    """A phrase for each thing in which `new` differs from `old`: texts and pictures are only named, numbers are told."""
    before, after = undressed(old.prompt.positive), undressed(new.prompt.positive)
    texts = (
        ("prompt", before.text, after.text),
        ("negative prompt", old.prompt.negative, new.prompt.negative),
        ("source picture", old.source and old.source.picture, new.source and new.source.picture),
        ("control picture", *(tuple(unit.picture for unit in request.control) for request in (old, new))),
    )
    return (
        *(name for name, was, becomes in texts if was != becomes),
        *(f"{name} {was(old)} → {was(new)}" for name, was in _FACTS if was(old) != was(new)),
    )


def _loras(request: GenerationRequest) -> str:
    return shown(undressed(request.prompt.positive).worn, limit=_LONGEST) or "none"


def _variation(request: GenerationRequest) -> str:
    seeds = request.seeds
    return f"{seeds.variation_seed} at {seeds.variation_strength:g}" if seeds.variation_strength else "none"


def _strength(request: GenerationRequest) -> str:
    return f"{request.source.denoising_strength:g}" if request.source is not None else "none"


_FACTS: Final[tuple[tuple[str, Callable[[GenerationRequest], str]], ...]] = (
    ("LoRAs", _loras),
    ("model", lambda r: shown(r.model.name)),
    ("size", lambda r: f"{r.canvas.width}×{r.canvas.height}"),
    ("seed", lambda r: str(r.seeds.seed)),
    ("variation", _variation),
    ("steps", lambda r: str(r.sampling.steps)),
    ("sampler", lambda r: _SAMPLER_LABELS[r.sampling.sampler] + _SCHEDULE_LABELS[r.sampling.schedule]),
    ("CFG", lambda r: f"{r.guidance.cfg_scale:g}"),
    ("clip skip", lambda r: str(r.prompt.clip_skip)),
    ("hires fix", lambda r: shown(hires_text(r.hires), limit=_LONGEST)),
    ("strength", _strength),
    ("faces", lambda r: faces_text(r.faces)),
    ("regions", lambda r: str(len(r.regional.regions)) if r.regional is not None else "none"),
    ("controls", lambda r: shown(phrase(r.control), limit=_LONGEST)),
    ("pictures", lambda r: str(r.count)),
)
"""What `differences` tells with both values, in order."""


def _as_edit(changes: ImagineDraft) -> Edit:
    return changes if isinstance(changes, Edit) else Edit(**msgspec.structs.asdict(changes))


def _model(old: ModelRef, wanted: str | None, *, inventory: Inventory, default: str) -> ModelFile:
    """The checkpoint that will paint: the one said, else the old one by its hash, or its name where the file has changed."""
    if wanted is not None:
        return checkpoint_named(wanted or default, inventory)
    return find_checkpoint(inventory, old.hash) or checkpoint_named(old.name, inventory)


def _with_styles(old: GenerationRequest, changes: Edit, *, styles: Mapping[str, Style], inventory: Inventory) -> Edit:
    """`changes` with the styles of its list of LoRAs among its styles, and what those set beside words."""
    if changes.worn is not None:
        further = styles_in(old.prompt.positive, changes.worn, inventory=inventory, styles=styles)
        wanted = ", ".join(name for name in (changes.style, *further) if name)
        changes = msgspec.structs.replace(changes, style=wanted or None)
    return _as_edit(with_styles(changes, styles=styles, inventory=inventory))


def _regional(old: GenerationRequest, changes: Edit) -> tuple[Edit, Regional | None]:
    """`changes` with an AND prompt where they give words places, and the regions that there are then.

    Places are understood where there were some; a prompt that has no parts any more has no regions either. Raises
    RequestRefused.
    """
    if old.regional is None or not changes.prompt.strip():
        return changes, old.regional
    if says_places(changes.prompt):
        layout = laid_out(changes.prompt)
        return (
            msgspec.structs.replace(changes, prompt=layout.prompt),
            msgspec.structs.replace(old.regional, regions=layout.regions),
        )
    return changes, old.regional if is_composed(changes.prompt) else None


def _prompt(
    request: GenerationRequest, changes: Edit, *, styles: Mapping[str, Style], model: ModelFile, inventory: Inventory
) -> Prompt:
    old = request.prompt
    if changes.worn is not None:
        positive = dressed(
            old.positive, text=changes.prompt, worn=changes.worn, model=model, inventory=inventory, styles=styles
        )
    else:
        positive = changes.prompt if changes.prompt.strip() else old.positive
    loras = lora_tags(changes.lora or "", model=model, inventory=inventory)
    for name in re.findall(r"<lora:([^:>]+)", loras):
        positive = re.sub(rf"\s*<lora:{re.escape(name)}(?::[^>]*)?>", "", positive)
    negative = old.negative if changes.negative is None else changes.negative
    apart = request.regional is not None and is_composed(positive)
    merged = prompt_of(positive, negative, style=changes.style, styles=styles, loras=loras, apart=apart)
    if changes.style is None and not loras and (positive, negative) == (old.positive, old.negative):
        merged = old  # to the letter, with the blanks at its ends
    clip_skip = old.clip_skip if changes.clip_skip is None else changes.clip_skip
    return msgspec.structs.replace(old, positive=merged.positive, negative=merged.negative, clip_skip=clip_skip)


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


def _hires(old: GenerationRequest, changes: Edit, inventory: Inventory) -> Hires | None:
    if changes.init_image is not None:
        return None
    return old.hires if changes.hires is None else read_hires(changes.hires, old.hires, inventory)


def _check_size(size: tuple[int, int], limits: LimitSettings) -> None:
    """Raises LimitReached when hires fix would make more of a picture than is allowed here."""
    if size[0] * size[1] > limits.max_megapixels * 1e6:
        raise LimitReached(
            f"Hires fix would make a picture of {size[0]} × {size[1]}, more than the {limits.max_megapixels:g} megapixels "
            "allowed here; ask for less."
        )


def _source(old: SourcePicture | None, changes: ImagineDraft) -> SourcePicture | None:
    if changes.init_image is not None:
        strength = STRENGTH if changes.strength is None else float(changes.strength)
        return SourcePicture(changes.init_image, strength, resize_mode=CROP)
    if changes.strength is None:
        return old
    if old is None:
        raise RequestRefused("Strength says how far to go from a picture, and this one was made from words alone.")
    return msgspec.structs.replace(old, denoising_strength=float(changes.strength))
