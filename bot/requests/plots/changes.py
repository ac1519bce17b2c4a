"""What a value on an axis does to a request: one short function an axis.

Owns the place of each value in a request, and the sentence where a request has none for it. Refuses to know how values are
read and which axes there are.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.drafts import shown
from bot.requests.mending import read_faces
from bot.requests.naming import checkpoint_named, sampler_named, unknown, upscaler_named
from bot.requests.plots.values import Value
from bot.requests.resolve import lora_tags, size_within, steps_of
from bot.settings import LimitSettings
from inference.api.catalog import LATENT_UPSCALERS, SCHEDULES, UPSCALERS
from inference.api.infotext.names import find_sampler, find_schedule
from inference.api.lookup import AUTOMATIC, NONE, find_vae
from inference.api.request import SEED_LIMIT, GenerationRequest, Hires, ModelRef, Refiner, SourcePicture
from inference.api.result import Inventory

replace = msgspec.structs.replace
_NOTHING: Final = frozenset({"", "none", "nothing"})


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """What is known where a plot is made. `restyled` is the request that it begins from, wearing a list of styles as well."""

    inventory: Inventory
    limits: LimitSettings
    restyled: Callable[[str], GenerationRequest]
    random_seed: Callable[[], int]


def seed(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """-1 is drawn."""
    return replace(request, seeds=replace(request.seeds, seed=_seed(value, here, spare=request.count)))


def variation_seed(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """-1 is drawn."""
    return replace(request, seeds=replace(request.seeds, variation_seed=_seed(value, here, spare=request.count)))


def variation_strength(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """How far towards the variation seed."""
    del here
    return replace(request, seeds=replace(request.seeds, variation_strength=_number(value)))


def steps(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Steps of the first pass."""
    count = steps_of(int(_number(value)), here.limits)
    return replace(request, sampling=replace(request.sampling, steps=count))


def hires_steps(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Steps of the second pass; 0 is as many as the first."""
    count = int(_number(value))
    if count:
        steps_of(count, here.limits)
    return replace(request, hires=replace(_hires(request, "Hires steps"), steps=count))


def cfg_scale(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """How strongly the words pull."""
    del here
    return replace(request, guidance=replace(request.guidance, cfg_scale=_number(value)))


def search_replace(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Put the value where the axis' first one stands; `with_first` brings that along."""
    del value, here
    return request


def replaced(request: GenerationRequest, *, first: str, value: str) -> GenerationRequest:
    """`value` wherever `first` stands in prompt or negative prompt. Raises RequestRefused where it stands in neither."""
    words = request.prompt
    if first not in words.positive and first not in words.negative:
        raise RequestRefused(
            f"Prompt S/R did not find “{shown(first)}” in the prompt or the negative prompt; its first value is what is replaced."
        )
    positive, negative = words.positive.replace(first, value), words.negative.replace(first, value)
    return replace(request, prompt=replace(words, positive=positive, negative=negative))


def prompt_order(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """The words of the value where they stand, in its order."""
    del here
    assert isinstance(value, tuple)  # noqa: S101 - what values.read_values makes for this kind
    lost = next((word for word in value if word not in request.prompt.positive), None)
    if lost is not None:
        raise RequestRefused(f"Prompt order did not find “{shown(lost)}” in the prompt; give words that stand in it.")
    words = reordered(request.prompt.positive, value)
    return replace(request, prompt=replace(request.prompt, positive=words))


def reordered(prompt: str, words: tuple[str, ...]) -> str:
    """`prompt` with `words` in their order in the places where they stand, from the left (webui).

    A word that does not stand in the prompt counts as standing before its last sign, as the webui has it.
    """
    # sorted by place; the webui looks for each word's first place and cuts from there
    places = sorted(words, key=prompt.find)
    parts: list[str] = []
    rest = prompt
    for word in places:
        at = rest.find(word)
        parts.append(rest[:at] if at >= 0 else rest[:-1])
        rest = rest[at + len(word) :] if at >= 0 else rest[len(word) - 1 :]
    return "".join(part + word for part, word in zip(parts, words, strict=True)) + rest


def sampler(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """A sampler by label, id or older title, which may name a schedule too."""
    del here
    chosen, schedule = _sampler(value)
    schedule = request.sampling.schedule if schedule == "automatic" else schedule
    return replace(request, sampling=replace(request.sampling, sampler=chosen, schedule=schedule))


def hires_sampler(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """The second pass' sampler."""
    del here
    chosen, schedule = _sampler(value)
    hires = _hires(request, "Hires sampler")
    schedule = hires.schedule if schedule == "automatic" else schedule
    return replace(request, hires=replace(hires, sampler=chosen, schedule=schedule))


def schedule(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """A schedule by label or id."""
    del here
    found = find_schedule(str(value))
    if found is None:
        raise unknown("schedule", str(value), (row.label for row in SCHEDULES))
    return replace(request, sampling=replace(request.sampling, schedule=found))


def sampling(name: str) -> Callable[[GenerationRequest, Value, Here], GenerationRequest]:
    """A number among what a sampler takes."""

    def change(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
        del here
        changed: dict[str, Any] = {name: _number(value)}
        return replace(request, sampling=replace(request.sampling, **changed))

    return change


def unipc_order(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """At most one less than there are steps (webui)."""
    del here
    order = max(1, min(int(_number(value)), request.sampling.steps - 1)) if _number(value) >= 1 else int(_number(value))
    return replace(request, sampling=replace(request.sampling, unipc=replace(request.sampling.unipc, order=order)))


def checkpoint(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """A checkpoint by name, hash or title."""
    found = checkpoint_named(_said(value), here.inventory)
    return replace(request, model=ModelRef(found.name, found.hash, request.model.vae))


def refiner(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Another checkpoint that takes over; `none` for none."""
    if str(value).strip().casefold() in _NOTHING:
        return replace(request, refiner=None)
    found = checkpoint_named(_said(value), here.inventory)
    before = request.refiner or Refiner(ModelRef(found.name))
    return replace(request, refiner=replace(before, model=ModelRef(found.name, found.hash)))


def refiner_switch(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """When it takes over."""
    del here
    if request.refiner is None:
        raise RequestRefused("“Refiner switch at” needs a refiner: choose the axis “Refiner checkpoint” as well.")
    return replace(request, refiner=replace(request.refiner, switch_at=_number(value)))


def vae(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """A VAE by its file, `auto` or `none`."""
    name = read_vae(str(value), here.inventory)
    if name is None:
        raise unknown("VAE", str(value), ("auto", "none", *(info.name for info in here.inventory.vaes)))
    return replace(request, model=replace(request.model, vae=name))


def read_vae(text: str, inventory: Inventory) -> str | None:
    """What a request calls the VAE of this name; None where there is none (the webui takes Automatic then)."""
    folded = text.strip().casefold()
    if folded in {"auto", "automatic"}:
        return AUTOMATIC
    if folded == "none":
        return NONE
    found = find_vae(inventory, text)
    return None if found is None else found.name


def styles(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """A list of styles, worn after those that are worn already. Goes first: it begins the request anew."""
    del request
    return here.restyled(str(value))


def lora(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """A LoRA with or without its strength, beside those of the prompt; `none` for none more."""
    if str(value).strip().casefold() in _NOTHING:
        return request
    model = checkpoint_named(request.model.hash or request.model.name, here.inventory)
    tags = lora_tags(str(value), model=model, inventory=here.inventory)
    words = " ".join(part for part in (request.prompt.positive, tags) if part)
    return replace(request, prompt=replace(request.prompt, positive=words))


def size(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Width and height."""
    found = read_size(str(value))
    if found is None:
        raise RequestRefused(f"“{shown(str(value))}” is not a size; write width and height in pixels, such as 512x768.")
    return replace(request, canvas=size_within(found, here.limits))


def read_size(text: str) -> tuple[int, int] | None:
    """Width and height from `512x768`, with spaces or without; None for what is no size (the webui leaves it then)."""
    wide, _, high = text.partition("x")
    wide, high = wide.strip(), high.strip()
    if not (wide.isdecimal() and high.isdecimal() and len(wide) <= 6 and len(high) <= 6):
        return None
    return int(wide), int(high)


def clip_skip(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """How many of the text encoder's layers are left out."""
    del here
    return replace(request, prompt=replace(request.prompt, clip_skip=int(_number(value))))


def min_sigma_uncond(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Negative guidance minimum sigma."""
    del here
    return replace(request, guidance=replace(request.guidance, min_sigma_uncond=_number(value)))


def denoising(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """How far from the source, or, without one, from the enlargement of hires fix."""
    del here
    strength = _number(value)
    if request.source is not None:
        return replace(request, source=replace(request.source, denoising_strength=strength))
    if request.hires is not None:
        return replace(request, hires=replace(request.hires, denoising_strength=strength))
    raise RequestRefused("“Denoising” needs a picture to begin from (init_image), or hires fix (hires).")


def noise_multiplier(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Of the noise that is laid over a source."""
    del here
    return replace(
        request, source=replace(_source(request, "Initial noise multiplier"), noise_multiplier=_number(value))
    )


def mask_weight(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """How much of the source checkpoints for inpainting do not see."""
    del here
    source = _source(request, "Cond. Image Mask Weight")
    return replace(request, source=replace(source, conditioning_mask_weight=_number(value)))


def extra_noise(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Beyond what the strength asks for."""
    del here
    return replace(request, extra_noise=_number(value))


def merging(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Share of tokens that merge."""
    del here
    return replace(request, token_merging_ratio=_number(value))


def hires_merging(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """The same in the second pass; 0 is as in the first."""
    del here
    hires = _hires(request, "Token merging ratio high-res")
    return replace(request, hires=replace(hires, token_merging_ratio=_number(value)))


def faces(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """How they are mended: on, off, or by what."""
    return replace(request, faces=read_faces(str(value), here.inventory))


def hires_upscaler(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """What enlarges between the passes."""
    wanted = str(value).strip().casefold()
    found = next((row.id for row in LATENT_UPSCALERS if wanted in (row.id, row.label.casefold())), None)
    known = found or upscaler_named(str(value), here.inventory)
    return replace(request, hires=replace(_hires(request, "Hires upscaler"), upscaler=known))


def discard_penultimate(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Leave out the last sigma but one."""
    del here
    return replace(request, sampling=replace(request.sampling, discard_penultimate=_switch(value)))


def sgm_noise(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """The noise multiplier of the SGM code."""
    del here
    return replace(request, sampling=replace(request.sampling, sgm_noise=_switch(value)))


def rng(request: GenerationRequest, value: Value, here: Here) -> GenerationRequest:
    """Where noise comes from: GPU and NV are the same stream, CPU another."""
    del here
    sources = {"gpu": "gpu", "nv": "gpu", "cpu": "cpu"}
    found = sources.get(str(value).strip().casefold())
    if found is None:
        raise unknown("source of noise", str(value), ("GPU", "CPU", "NV"))
    changed: dict[str, Any] = {"source": found}
    return replace(request, seeds=replace(request.seeds, **changed))


def read_switch(text: str) -> bool | None:
    """True or False; None for anything else (the webui takes that for False)."""
    return {"true": True, "false": False}.get(text.strip().casefold())


def _switch(value: Value) -> bool:
    found = read_switch(str(value))
    if found is None:
        raise RequestRefused(f"“{shown(str(value))}” is neither True nor False.")
    return found


def _sampler(value: Value) -> tuple[str, str]:
    row = find_sampler(str(value))
    return sampler_named(str(value)) if row is None else (row.id, "automatic")


def _number(value: Value) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(value)


def _seed(value: Value, here: Here, *, spare: int) -> int:
    number = int(_number(value))
    if number == -1:
        return min(here.random_seed(), SEED_LIMIT - spare)
    if not 0 <= number <= SEED_LIMIT - spare:
        raise RequestRefused(f"A seed must be a whole number from 0 to {SEED_LIMIT - spare:,}, or -1, not {number:,}.")
    return number


def _said(value: Value) -> str:
    """A name that is not empty: nothing said is no checkpoint."""
    text = str(value)
    if not text.strip():
        raise RequestRefused("One of the checkpoints has no name; leave out the comma too many.")
    return text


def _hires(request: GenerationRequest, axis: str) -> Hires:
    if request.hires is None:
        raise RequestRefused(f"The axis “{axis}” needs hires fix: say how many times larger with hires, such as 1.5.")
    return request.hires


def _source(request: GenerationRequest, axis: str) -> SourcePicture:
    if request.source is None:
        raise RequestRefused(f"The axis “{axis}” needs a picture to begin from: attach one as init_image.")
    return request.source


UPSCALER_LABELS: Final = tuple(row.label for row in (*LATENT_UPSCALERS, *UPSCALERS))
"""What enlarges without a file."""
