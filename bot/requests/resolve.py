"""From a draft to a request in which everything is decided: model, sampler, size, seed, style, LoRAs.

Owns what a bare wish means and the sentence for each thing that cannot be. Pure: it sees what the painter found and what
the person saved, and asks nobody.
"""

from collections.abc import Callable, Mapping

from bot.requests.drafts import ImagineDraft
from bot.settings import GenerationSettings, LimitSettings
from inference.api.request import Canvas, GenerationRequest
from inference.api.result import Inventory
from storage.values import Style


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
    raise NotImplementedError


def canvas_for(shape: tuple[float, float], *, native: int) -> Canvas:
    """The canvas of the proportions `shape` (width, height) with about `native`² pixels.

    Sides are multiples of 64 for models of 512 pixels and more, of 8 for smaller ones.
    """
    raise NotImplementedError
