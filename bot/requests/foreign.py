"""A request from a parameter text that any program wrote: what this server allows of it, and words for what it does not.

Owns the meeting of a foreign text with this server's limits. What the text means is `inference.api.infotext`'s to know.
"""

from collections.abc import Callable, Mapping

import msgspec

from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import ImagineDraft
from bot.requests.resolve import resolve, size_within
from bot.requests.safety import check_prompt
from bot.settings import GenerationSettings, LimitSettings
from inference.api import infotext
from inference.api.errors import RequestInvalid
from inference.api.infotext import Resolved
from inference.api.request import GenerationRequest
from inference.api.result import Inventory
from storage.values import Style


def bare_request(
    *,
    inventory: Inventory,
    defaults: GenerationSettings,
    limits: LimitSettings,
    styles: Mapping[str, Style],
    seeds: Mapping[str, int],
    random_seed: Callable[[], int],
) -> GenerationRequest:
    """One picture as this server paints it by default, without words. Raises Unknown where there is no model."""
    request = resolve(
        ImagineDraft(prompt="anything", count=1),
        inventory=inventory,
        defaults=defaults,
        limits=limits,
        styles=styles,
        seeds=seeds,
        random_seed=random_seed,
    )
    return msgspec.structs.replace(request, prompt=msgspec.structs.replace(request.prompt, positive=""))


def request_of_text(
    text: str,
    *,
    inventory: Inventory,
    defaults: GenerationSettings,
    limits: LimitSettings,
    styles: Mapping[str, Style],
    seeds: Mapping[str, int],
    random_seed: Callable[[], int],
) -> Resolved:
    """The request that paints what `text` says here, files found by hash first, with a sentence for each thing left out.

    Raises LimitReached for a picture that is larger than this server allows, RequestRefused for what may not be painted.
    """
    base = bare_request(
        inventory=inventory,
        defaults=defaults,
        limits=limits,
        styles=styles,
        seeds=seeds,
        random_seed=random_seed,
    )
    try:
        found = infotext.resolve(infotext.read_infotext(text), inventory, base=base)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    request, notes = found.request, list(found.notes)
    second = request.hires
    for words in (request.prompt.positive, second.prompt if second is not None else ""):
        check_prompt(words)
    if request.sampling.steps > limits.max_steps:
        notes.append(f"{request.sampling.steps} steps became {limits.max_steps}, the most that are allowed here.")
        request = msgspec.structs.replace(
            request, sampling=msgspec.structs.replace(request.sampling, steps=limits.max_steps)
        )
    size_within((request.canvas.width, request.canvas.height), limits)
    width, height = request.size
    if width * height > limits.max_megapixels * 1e6:
        raise LimitReached(
            f"Its text asks for {width:,} × {height:,} pixels, more than the {limits.max_megapixels:g} megapixels allowed here."
        )
    return Resolved(request, tuple(notes))


def without_source(found: Resolved) -> Resolved:
    """`found` from words alone, where the picture that it began from is not here."""
    request = msgspec.structs.replace(found.request, source=None)
    note = "The picture that it began from is not kept here, so only its words were painted."
    return Resolved(request, (*found.notes, note))
