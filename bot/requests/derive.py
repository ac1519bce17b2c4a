"""From a request to its children: again, variations, enlargements, edits, and the request of each single picture.

Owns enlargements and single pictures, and is where every button finds its function. Pure: pictures are named by hash,
seeds are passed in.
"""

from collections.abc import Sequence

from bot.errors import RequestRefused
from bot.requests.edit import edited
from bot.requests.naming import upscaler_named
from bot.requests.variations import again, paintable, vary
from inference.api.enlarging import UpscaleRequest
from inference.api.errors import RequestInvalid
from inference.api.request import Request
from inference.api.result import Inventory
from inference.api.single import single

__all__ = ["again", "edited", "paintable", "picture_requests", "single", "upscale", "vary"]


def upscale(
    image_sha: str, infotext: str, *, upscaler: str, scale: float, inventory: Inventory | None = None
) -> UpscaleRequest:
    """Enlarge the picture with this sha256 and keep its `infotext`. Raises RequestRefused for a scale out of range.

    With an `inventory` the `upscaler` may be a label or a file's name in any case, and an unknown one is refused too.
    """
    chosen = upscaler if inventory is None else upscaler_named(upscaler, inventory)
    try:
        return UpscaleRequest(picture=image_sha, upscaler=chosen, scale=scale, infotext=infotext)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def picture_requests(request: Request, seeds: Sequence[int]) -> tuple[Request, ...]:
    """One request a picture, each painting that picture alone; `seeds` are the pictures' own, in order."""
    return tuple(single(request, index, seed=seed) for index, seed in enumerate(seeds))
