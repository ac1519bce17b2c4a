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
from inference.api.request import GenerationRequest, attachments_of
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


def without(found: Resolved, gone: frozenset[str]) -> Resolved:
    """`found` without what begins from, or follows, pictures that are `gone` (sha256); a note says what was left out."""
    request, notes = found.request, list(found.notes)
    if gone.intersection(attachments_of(msgspec.structs.replace(request, control=()))):
        own = tuple(unit for unit in request.control if unit.picture)  # others follow the source
        request = msgspec.structs.replace(request, source=None, redraw=None, control=own)
        notes.append("The picture that it began from is not kept here, so only its words were painted.")
    kept = tuple(unit for unit in request.control if not gone.intersection(unit.attachments))
    if len(kept) < len(request.control):
        request = msgspec.structs.replace(request, control=kept)
        notes.append("A picture that it followed is not kept here; it was painted without that control.")
    return Resolved(request, tuple(notes))
