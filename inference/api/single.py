"""The request of one picture of many: what would paint it again alone.

Owns the rule by which picture i of a job gets its seeds: seed + i, or where a variation is asked the same seed and
variation seed + i (the webui's); and its own words, where each has some.
"""

import msgspec

from inference.api.request import GenerationRequest, Request, Seeds


def single(request: Request, index: int, *, seed: int | None = None) -> Request:
    """The request that paints picture `index` (from 0) of `request` alone; `seed` is the picture's own, where it is known.

    Raises RequestInvalid when the picture's seed would be SEED_LIMIT or more.
    """
    if not isinstance(request, GenerationRequest):
        return request
    drawn = None if request.drawn is None else msgspec.structs.replace(request.drawn, texts=())
    return msgspec.structs.replace(
        request,
        prompt=request.prompt_of(index),
        drawn=drawn,
        count=1,
        seeds=_seeds_of(request.seeds, index, seed),
    )


def _seeds_of(seeds: Seeds, index: int, seed: int | None) -> Seeds:
    if seeds.variation_strength != 0:
        own = seeds.seed if seed is None else seed
        return msgspec.structs.replace(seeds, seed=own, variation_seed=seeds.variation_seed + index)
    return msgspec.structs.replace(seeds, seed=seeds.seed + index if seed is None else seed)
