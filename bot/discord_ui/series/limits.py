"""How large a series may be, and how many of them somebody may have: checked whole, before anything is queued.

Owns the numbers' meaning and the sentences. The numbers are the operator's; a server's own are to be put in their place
here (`series_cells`, `series_per_person`).
"""

from collections.abc import Sequence
from typing import Final

from bot.errors import LimitReached, RequestRefused
from bot.settings import LimitSettings
from inference.api.request import GenerationRequest, Request, picture_count

MEGAPIXELS: Final = 200
"""Of all cells together (webui)."""
_GRID_PICTURES: Final = 1_000
"""Pictures of a series at most, however many cells the operator allows."""


def check_series(requests: Sequence[Request], *, limits: LimitSettings) -> None:
    """Return when a series of `requests` may be asked for. Raises LimitReached, and RequestRefused for none at all."""
    if not requests:
        raise RequestRefused("There is nothing to paint: no value is left.")
    check_cells(len(requests), limits=limits)
    pictures = sum(picture_count(request) for request in requests)
    if pictures > _GRID_PICTURES:
        raise LimitReached(f"That would be {pictures:,} pictures; at most {_GRID_PICTURES:,} can be painted at once.")
    pixels = sum(_pixels(request) for request in requests)
    if pixels > MEGAPIXELS * 1e6:
        raise LimitReached(
            f"All cells together would have {pixels / 1e6:,.0f} megapixels; at most {MEGAPIXELS} fit on a grid. "
            "Ask for smaller pictures, or fewer values."
        )


def check_cells(cells: int, *, limits: LimitSettings) -> None:
    """Return when a series may have so many cells. Raises LimitReached."""
    if cells > limits.series_cells:
        raise LimitReached(
            f"That would be {cells:,} cells; at most {limits.series_cells:,} are allowed here. Give fewer values."
        )


def check_going(going: int, *, limits: LimitSettings) -> None:
    """Return when somebody who has `going` series may begin one more. Raises LimitReached."""
    if going >= limits.series_per_person:
        what = "a series" if going == 1 else f"{going} series"
        raise LimitReached(
            f"You have {what} being painted already, which is as many as one person may have; wait for one, or stop it."
        )


def _pixels(request: Request) -> int:
    if not isinstance(request, GenerationRequest):
        return 0
    width, height = request.size
    return width * height * request.count
