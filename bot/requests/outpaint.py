"""Painting around a picture: zooming out, and moving to a side.

Owns where the old picture lies on the larger sheet and what of it stays. What is new is inpainted on fill content: its colours
begin as the blurred continuation of the picture's edge, and over a strip of the old picture the mask fades, so that the seam
lies where both know each other. That is what the webui's "poor man's outpainting" does with a mask blur; its "outpainting
mk2", which begins from noise in the picture's colours, is not imitated. Pure: no pixels here.
"""

from typing import Final, Literal

import msgspec

from bot.errors import LimitReached, RequestRefused
from bot.requests.regions import Box, Repaint, repainted
from bot.settings import LimitSettings
from inference.api.request import MAX_SIDE, MIN_SIDE, SIZE_STEP, GenerationRequest

Side = Literal["left", "right", "up", "down"]
SIDES: Final[tuple[Side, ...]] = ("left", "up", "down", "right")
FACTORS: Final = (1.5, 2.0)
"""How far zooming out goes."""
SHARE: Final = 0.5
"""By how much of its side a picture grows when somebody moves."""
STRENGTH: Final = 0.9
"""How far the new part leaves the fill: less shows its blur, all of it forgets its colours."""
OVERLAP: Final = 16
"""The strip of the old picture that is painted over is the shorter side by this: there the mask fades, in the latent too."""
LEAST_STRIP: Final = 2 * SIZE_STEP
"""Pixels: over fewer latent pixels nothing can fade."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A larger sheet of `size` pixels. The old picture lies in `inner`, and `kept` of it stays; `blur` softens that edge.

    `window` is the size at which the part around the edge is painted alone; None paints the whole sheet.
    """

    size: tuple[int, int]
    inner: Box
    kept: Box
    blur: int
    window: tuple[int, int] | None = None


def zoomed(size: tuple[int, int], factor: float) -> Sheet:
    """As if one stepped back: a sheet of the same size, the picture smaller in its middle. Raises RequestRefused."""
    if not 1.0 < factor <= 4.0:
        raise RequestRefused(f"Zooming out goes from 1 to 4 times, not {factor:g}.")
    width, height = _stepped(size)
    inner_width, inner_height = (_near(side / factor) for side in (width, height))
    left, top = _down((width - inner_width) // 2), _down((height - inner_height) // 2)
    inner = left, top, left + inner_width, top + inner_height
    strip = _strip((inner_width, inner_height))
    kept = inner[0] + strip, inner[1] + strip, inner[2] - strip, inner[3] - strip
    return Sheet(size=(width, height), inner=inner, kept=kept, blur=strip // 4)


def moved(size: tuple[int, int], side: Side, *, limits: LimitSettings) -> Sheet:
    """A sheet that is larger on one side. Raises LimitReached when the picture would become too large."""
    width, height = _stepped(size)
    strip = _strip((width, height))
    sideways = side in {"left", "right"}
    more = _near((width if sideways else height) * SHARE)
    whole = (width + more, height) if sideways else (width, height + more)
    if max(whole) > MAX_SIDE or whole[0] * whole[1] > limits.max_megapixels * 1e6:
        raise LimitReached(
            f"On a sheet of {whole[0]:,} × {whole[1]:,} pixels the picture would be larger than pictures may be here; "
            "zoom out instead, or begin from a smaller one."
        )
    left, top = (more if side == "left" else 0), (more if side == "up" else 0)
    inner = left, top, left + width, top + height
    kept = (
        inner[0] + (strip if side == "left" else 0),
        inner[1] + (strip if side == "up" else 0),
        inner[2] - (strip if side == "right" else 0),
        inner[3] - (strip if side == "down" else 0),
    )
    return Sheet(size=whole, inner=inner, kept=kept, blur=strip // 4, window=(width, height))


def outpainted(
    base: GenerationRequest, sheet: Sheet, *, picture: str, mask: str, native: int, limits: LimitSettings
) -> GenerationRequest:
    """`base` painting what is new on `sheet`; `picture` and `mask` are the sha256 of the sheet's pixels and of its mask.

    Its controls are left out: their maps are of the old picture's place, and would be followed all over the sheet.
    """
    base = msgspec.structs.replace(base, control=())
    how = Repaint(
        content="fill",
        only_masked=sheet.window is not None,
        padding=0,
        blur=sheet.blur,
        soft=True,
        strength=STRENGTH,
    )
    return repainted(
        base, how, picture=picture, size=sheet.window or sheet.size, mask=mask, native=native, limits=limits
    )


def _strip(size: tuple[int, int]) -> int:
    """Pixels of the old picture that are painted over at a seam: whole latent pixels, four sigmas of the mask's blur, and of a
    very small picture not more than an eighth."""
    shorter = min(size)
    return max(SIZE_STEP, min(max(LEAST_STRIP, _near(shorter / OVERLAP)), _down(shorter // 8)))


def _stepped(size: tuple[int, int]) -> tuple[int, int]:
    """`size` in steps of 8, no side under the smallest that can be painted."""
    width, height = (max(MIN_SIDE, _down(side)) for side in size)
    return width, height


def _down(length: int) -> int:
    return length - length % SIZE_STEP


def _near(length: float) -> int:
    return max(SIZE_STEP, round(length / SIZE_STEP) * SIZE_STEP)
