"""From a request whose prompt leaves choices to one, or several, in which everything is chosen.

Owns which seed draws which picture's words, and how combinations become jobs. What it changes it notes in `drawn`, so that a
picture's text tells the template and the same may be drawn again. Blocks where there is something to choose; run it in a thread.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.dynamic import combine, draw, is_template
from bot.requests.resolve import MAX_PICTURES
from bot.requests.safety import check_request
from bot.requests.wildcards import Wildcards
from inference.api.errors import RequestInvalid
from inference.api.request import SEED_LIMIT, Drawn, GenerationRequest, Request, Seeds

MOST: Final = 100
"""Jobs, or combinations, that one prompt may stand for."""


def leaves_choices(request: Request) -> bool:
    """Whether any word of `request` is to be chosen."""
    return isinstance(request, GenerationRequest) and any(
        map(is_template, (request.prompt.positive, request.prompt.negative))
    )


def chosen(request: GenerationRequest, wildcards: Wildcards) -> GenerationRequest:
    """`request` with the words of each picture drawn by its seed; a variation's by the first one, so that they stay.

    Raises RequestRefused and LimitReached.
    """
    if not leaves_choices(request):
        return request
    first, count = request.seeds.seed, request.count
    seeds = [first] * count if request.seeds.variation_strength else [first + index for index in range(count)]
    prompt = request.prompt
    return _worded(request, draw(prompt.positive, prompt.negative, seeds=seeds, wildcards=wildcards))


def drawn_again(request: GenerationRequest, wildcards: Wildcards) -> GenerationRequest:
    """`request`, whose words were drawn before, with words drawn anew by the seeds it has now. Raises as `chosen` does."""
    if request.drawn is None:
        return request
    prompt = msgspec.structs.replace(
        request.prompt, positive=request.drawn.positive, negative=request.drawn.negative or request.prompt.negative
    )
    return chosen(msgspec.structs.replace(request, prompt=prompt, drawn=None), wildcards)


def combined(request: GenerationRequest, wildcards: Wildcards) -> tuple[GenerationRequest, ...]:
    """A picture for every combination, picture i with seed + i: one job where a card can show them, else a job for each.

    How many pictures were asked for does not count, as in the webui's extension. Raises RequestRefused and LimitReached.
    """
    if not leaves_choices(request):
        return (request,)
    prompt = request.prompt
    texts = combine(prompt.positive, prompt.negative, seed=request.seeds.seed, limit=MOST, wildcards=wildcards)
    seeds = msgspec.structs.replace(request.seeds, seed=min(request.seeds.seed, SEED_LIMIT - len(texts)))
    if len(texts) <= MAX_PICTURES:
        return (_worded(msgspec.structs.replace(request, seeds=seeds, count=len(texts)), texts),)
    return tuple(
        _worded(msgspec.structs.replace(request, seeds=_moved(seeds, index), count=1), [text])
        for index, text in enumerate(texts)
    )


def _moved(seeds: Seeds, index: int) -> Seeds:
    if seeds.variation_strength:
        return msgspec.structs.replace(seeds, variation_seed=min(seeds.variation_seed + index, SEED_LIMIT - 1))
    return msgspec.structs.replace(seeds, seed=seeds.seed + index)


def _worded(request: GenerationRequest, texts: Sequence[tuple[str, str]]) -> GenerationRequest:
    """`request` with the words of its pictures. Raises RequestRefused where they may not be painted."""
    old = request.prompt
    templates = Drawn(
        old.positive if is_template(old.positive) else "", old.negative if is_template(old.negative) else ""
    )
    own = tuple(texts) if len(set(texts)) > 1 else ()
    try:
        prompt = msgspec.structs.replace(old, positive=texts[0][0], negative=texts[0][1])
        drawn = msgspec.structs.replace(templates, texts=own)
        made = msgspec.structs.replace(request, prompt=prompt, drawn=drawn)
    except RequestInvalid as error:
        raise RequestRefused(f"What was drawn from this prompt cannot be painted: {error}") from error
    check_request(made)
    return made
