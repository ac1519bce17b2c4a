"""The same picture differently: fresh noise, or a little of it.

Owns how far a variation goes. Pure: pictures are named by hash, seeds are passed in.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.resolve import count_of
from inference.api.request import SEED_LIMIT, Canvas, GenerationRequest, Request, Seeds, SourcePicture

SUBTLE_NOISE: Final = 0.12
STRONG_NOISE: Final = 0.4
"""Share of fresh noise in a variation (the webui's variation strength).

Noise is mixed on the sphere: at 0.12 the first noise keeps 98 % of its direction and the composition stays; at 0.4 it keeps
81 %, so the same kind of picture is arranged anew. Beyond a half a picture has little to do with the one it came from.
"""
SUBTLE_SOURCE: Final = 0.4
STRONG_SOURCE: Final = 0.65
"""Denoising strength where a variation begins from the picture itself: half of the steps or less keep the composition."""


def paintable(request: Request) -> GenerationRequest:
    """`request`, when it paints. Raises RequestRefused for an enlargement."""
    if not isinstance(request, GenerationRequest):
        raise RequestRefused(
            "This picture is an enlargement; go to the picture it was made from to paint it differently."
        )
    return request


def again(request: Request, seed: int) -> GenerationRequest:
    """The same with fresh noise from `seed`; a variation stays a variation of the same picture.

    Raises RequestRefused for an enlargement, which comes out the same each time.
    """
    painting = paintable(request)
    seed = min(seed, SEED_LIMIT - painting.count)
    fresh: dict[str, int] = {"variation_seed" if painting.seeds.variation_strength else "seed": seed}
    return msgspec.structs.replace(painting, seeds=msgspec.structs.replace(painting.seeds, **fresh))


def vary(
    request: Request, *, strong: bool, count: int, random_seed: Callable[[], int], picture_sha: str | None = None
) -> GenerationRequest:
    """`count` variations of the one picture that `request` paints. Raises RequestRefused for an enlargement, or a wrong count.

    `picture_sha` is the picture itself (sha256); it is begun from where noise alone cannot express the variation, that
    is when the picture is a variation already. `attachments_of` then names it, and its bytes must be given to `submit`.
    """
    painting = paintable(request)
    if painting.redraw is not None:
        count = 1  # a large picture, painted tile by tile, is one at a time
    seed = min(random_seed(), SEED_LIMIT - count_of(count))
    if painting.seeds.variation_strength and picture_sha is not None and painting.redraw is None:
        return _from_picture(painting, picture_sha, seed=seed, count=count, strong=strong)
    seeds = msgspec.structs.replace(
        painting.seeds, variation_seed=seed, variation_strength=STRONG_NOISE if strong else SUBTLE_NOISE
    )
    return msgspec.structs.replace(painting, seeds=seeds, count=count)


def _from_picture(
    painting: GenerationRequest, picture: str, *, seed: int, count: int, strong: bool
) -> GenerationRequest:
    """Begin from the finished picture at its own size: hires fix and masks have done their work already."""
    return msgspec.structs.replace(
        painting,
        seeds=Seeds(seed, source=painting.seeds.source),
        source=SourcePicture(picture, STRONG_SOURCE if strong else SUBTLE_SOURCE),
        canvas=Canvas(*painting.size),
        hires=None,
        count=count,
    )
