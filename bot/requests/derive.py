"""From a request to its children: again, variations, enlargements, edits, and the request of each single picture.

Owns what each button means for the parameters. Pure: pictures are named by hash, seeds are passed in.
"""

from collections.abc import Callable, Mapping, Sequence

from bot.requests.drafts import ImagineDraft
from bot.settings import GenerationSettings, LimitSettings
from inference.api.request import GenerationRequest, Request, UpscaleRequest
from inference.api.result import Inventory
from storage.values import Style


def again(request: Request, seed: int) -> GenerationRequest:
    """The same with fresh noise from `seed`; a variation stays a variation of the same picture.

    Raises RequestRefused for an enlargement, which comes out the same each time.
    """
    raise NotImplementedError


def vary(
    request: Request, *, strong: bool, count: int, random_seed: Callable[[], int], picture_sha: str | None = None
) -> GenerationRequest:
    """`count` variations of the one picture that `request` paints. Raises RequestRefused for an enlargement.

    `picture_sha` is the picture itself (sha256); it is begun from where noise alone cannot express the variation, that
    is when the picture is a variation already. `attachments_of` then names it, and its bytes must be given to `submit`.
    """
    raise NotImplementedError


def upscale(
    image_sha: str, infotext: str, *, upscaler: str, scale: float, inventory: Inventory | None = None
) -> UpscaleRequest:
    """Enlarge the picture with this sha256. Raises RequestRefused for an unknown `upscaler` or a scale out of range."""
    raise NotImplementedError


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

    None in `changes` keeps what there was, and so does an empty prompt. Seeds: None or "keep" keeps, "random" draws,
    "variation" keeps the noise and varies it a little. Raises RequestRefused and LimitReached as `resolve` does.
    """
    raise NotImplementedError


def picture_requests(request: Request, seeds: Sequence[int]) -> tuple[Request, ...]:
    """One request a picture, each painting that picture alone; `seeds` are the pictures' own, in order."""
    raise NotImplementedError
