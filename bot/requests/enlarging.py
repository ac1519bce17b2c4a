"""Making a picture larger: from what somebody says to an enlargement, or to a tiled upscale that paints it over.

Owns what is taken where nothing is said, and the sentence for each thing that cannot be. Pure: pictures are named by hash.
"""

import math
import re
from typing import Final, Literal

import msgspec

from bot.errors import LimitReached, RequestRefused
from bot.requests.drafts import read_size, shown
from bot.requests.mending import check_without_words, read_faces
from bot.requests.naming import upscaler_named
from inference.api.enlarging import UpscaleRequest, check_result, result_size
from inference.api.errors import RequestInvalid
from inference.api.redraw import Redraw, SdUpscale, SeamFix, UltimateUpscale
from inference.api.request import SIZE_STEP, Canvas, GenerationRequest, SourcePicture
from inference.api.result import Inventory
from inference.api.sizes import LATENT
from inference.api.tiles import target_of

Method = Literal["enlarge", "tiles", "sd"]
METHODS: Final[tuple[tuple[Method, str, str], ...]] = (
    ("enlarge", "Enlarge only", "The upscaler does it all: quick, and true to the picture."),
    ("tiles", "Redraw in tiles", "Ultimate SD upscale: enlarged, then painted over tile by tile, which adds detail."),
    ("sd", "SD upscale", "The older way: tiles that overlap, each painted by itself."),
)
"""Value, label, and what it means."""
SEAMS: Final[tuple[tuple[str, str], ...]] = (
    ("none", "leave them"),
    ("band", "bands along them"),
    ("half tile", "half tiles over them"),
    ("intersections", "half tiles, and where four meet"),
)
"""What is done with the tiles' seams."""
Order = Literal["linear", "chess"]
FACTOR: Final = 2.0
"""How many times a picture is enlarged where nobody says."""
STRENGTH: Final = 0.35
"""How far a tile leaves what is there: more, and each tile paints a picture of its own."""
MOST: Final = 16.0
"""How many times a picture may be redrawn."""
LEAST_SIDE: Final = 16
"""Pixels: of fewer there is nothing to see."""
MOST_SIDE: Final = 16_383
"""Pixels of a side that can be shown: WebP has no larger pictures."""
TILES: Final = (64, 2048)
_FACTOR: Final = re.compile(r"\s*([0-9]{1,4}(?:[.,][0-9]{1,3})?)\s*(?:[x×*]|times)?\s*", re.IGNORECASE)
_NO_WORDS: Final = (
    "This picture carries no parameters that can be read, so say in the prompt what it shows; tiles are painted by words. "
    "Or choose “Enlarge only”, which needs none."
)


class EnlargeDraft(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants a picture larger. None means "not said".

    `factor` or `size` (a text such as 2048x2048) says how large; with `crop` the size is filled and what stands over is cut
    off, without it the picture fits inside. A `second` upscaler shines through with `visibility`. The rest is for tiles, in
    the words of `inference.api.redraw`; `tile` and `padding` are pixels. `faces` says how they are mended after.
    """

    upscaler: str | None = None
    factor: float | None = None
    size: str | None = None
    crop: bool = False
    second: str | None = None
    visibility: float | None = None
    method: Method = "enlarge"
    strength: float | None = None
    tile: int | None = None
    padding: int | None = None
    blur: int | None = None
    overlap: int | None = None
    faces: str | None = None
    order: Order = "linear"
    seams: str = "none"


def read_large(text: str) -> tuple[float | None, str | None]:
    """Factor or size from `2`, `2x`, `1.5×` or `2048x2048`; neither where nothing is said. Raises RequestRefused."""
    if not text.strip():
        return None, None
    if found := _FACTOR.fullmatch(text):
        return float(found[1].replace(",", ".")), None
    try:
        read_size(text)
    except RequestRefused as error:
        raise RequestRefused(
            f"“{shown(text)}” says neither how many times nor how large; write 2x, or pixels such as 2048x2048."
        ) from error
    return None, text


def best_upscaler(inventory: Inventory) -> str:
    """The first network, or plain resampling where there is none."""
    return inventory.upscalers[0].name if inventory.upscalers else "lanczos"


def check_shape(size: tuple[int, int]) -> None:
    """Raise RequestRefused for a picture of `size` that is too small or too thin to be made larger."""
    width, height = size
    if min(size) < LEAST_SIDE:
        raise RequestRefused(
            f"A picture of {width:,} × {height:,} pixels is too small to be enlarged; each side needs {LEAST_SIDE} at least."
        )


def enlargement(
    draft: EnlargeDraft,
    *,
    picture: str,
    size: tuple[int, int],
    infotext: str,
    inventory: Inventory,
    megapixels: float,
) -> UpscaleRequest:
    """Enlarge the picture with this sha256, of `size` pixels, and keep its `infotext`.

    Raises RequestRefused for what cannot be, LimitReached for more than `megapixels`.
    """
    check_shape(size)
    wanted = _wanted_size(draft)
    factor = FACTOR if draft.factor is None else draft.factor
    if wanted is not None and not draft.crop:
        factor = _inside(size, wanted)
    second, visibility = _second(draft, inventory)
    faces = None if draft.faces is None else read_faces(draft.faces, inventory)
    same = faces is not None and factor == 1 and wanted is None
    usual = "none" if same else best_upscaler(inventory)
    try:
        request = UpscaleRequest(
            picture=picture,
            upscaler=upscaler_named(draft.upscaler or usual, inventory),
            faces=faces,
            scale=factor if wanted is None or not draft.crop else FACTOR,
            size=wanted if draft.crop else None,
            second=second,
            second_visibility=visibility,
            infotext=infotext,
        )
        check_without_words(faces)
        check_result(request, size)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    _check_large(result_size(request, size), megapixels)
    return request


def redrawing(
    draft: EnlargeDraft,
    base: GenerationRequest,
    *,
    picture: str,
    size: tuple[int, int],
    native: int,
    inventory: Inventory,
    megapixels: float,
) -> GenerationRequest:
    """`base` painting over the picture with this sha256, of `size` pixels, enlarged, tile by tile.

    `native` is the side in pixels that its model was trained for, and a tile's where none is said. Raises RequestRefused and
    LimitReached as `enlargement`.
    """
    check_shape(size)
    if not base.prompt.positive.strip():
        raise RequestRefused(_NO_WORDS)
    target = _target(draft, size)
    _check_large(target, megapixels)
    tile = _tile(draft, native)
    upscaler = upscaler_named(draft.upscaler or best_upscaler(inventory), inventory)
    try:
        return msgspec.structs.replace(
            base,
            canvas=Canvas(tile, tile),
            source=SourcePicture(picture, STRENGTH if draft.strength is None else float(draft.strength)),
            redraw=_redraw(draft, target, upscaler=upscaler, tile=tile),
            faces=None if draft.faces is None else read_faces(draft.faces, inventory),
            tiling=False,
            count=1,
        )
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def bare_base(base: GenerationRequest) -> GenerationRequest:
    """`base` without what belongs to the picture as a whole and would be wrong in a tile: second pass, source, places.

    Controls with a picture of their own stay: each tile follows the piece that lies under it.
    """
    return msgspec.structs.replace(
        base,
        prompt=base.prompt_of(0),
        drawn=None,
        source=None,
        hires=None,
        redraw=None,
        control=tuple(unit for unit in base.control if unit.picture),
        regional=None,
        faces=None,
        count=1,
    )


def _redraw(draft: EnlargeDraft, target: tuple[int, int], *, upscaler: str, tile: int) -> Redraw:
    if draft.method == "sd":
        return SdUpscale(
            target, upscaler=upscaler, overlap=min(64, tile // 4) if draft.overlap is None else draft.overlap
        )
    kinds: dict[str, Literal["band", "half tile", "intersections"]] = {
        "band": "band",
        "half tile": "half tile",
        "intersections": "intersections",
    }
    kind = kinds.get(draft.seams)
    return UltimateUpscale(
        target,
        upscaler=upscaler,
        order=draft.order,
        tile=(tile, tile),
        mask_blur=8 if draft.blur is None else draft.blur,
        padding=32 if draft.padding is None else draft.padding,
        seams=None if kind is None else SeamFix(kind),
    )


def _tile(draft: EnlargeDraft, native: int) -> int:
    tile = native if draft.tile is None else draft.tile
    if not TILES[0] <= tile <= TILES[1]:
        raise RequestRefused(f"A tile has {TILES[0]} to {TILES[1]:,} pixels a side, not {tile:,}.")
    return math.ceil(tile / LATENT) * LATENT


def _target(draft: EnlargeDraft, size: tuple[int, int]) -> tuple[int, int]:
    """What a picture of `size` becomes when it is redrawn: sides of multiples of 64."""
    wanted = _wanted_size(draft)
    factor = (FACTOR if draft.factor is None else draft.factor) if wanted is None else _inside(size, wanted)
    if not 1.0 <= factor <= MOST:
        raise RequestRefused(f"A picture can be redrawn 1 to {MOST:g} times as large, not {factor:.3g} times.")
    return target_of(size, factor)


def _wanted_size(draft: EnlargeDraft) -> tuple[int, int] | None:
    if draft.size is None:
        return None
    if draft.factor is not None:
        raise RequestRefused("Say either how many times larger, or how large; not both.")
    wanted = read_size(draft.size)
    if min(wanted) < SIZE_STEP:
        raise RequestRefused(
            f"A picture can be enlarged to {SIZE_STEP} pixels a side or more, not to {shown(draft.size)}."
        )
    return wanted


def _inside(size: tuple[int, int], wanted: tuple[int, int]) -> float:
    """How many times `size` fits into `wanted`, a little more, so that rounding loses nothing. Raises RequestRefused."""
    factor = min(goal / side for goal, side in zip(wanted, size, strict=True))
    if factor <= 1:
        raise RequestRefused(
            f"The picture has {size[0]:,} × {size[1]:,} pixels and does not grow to fit {wanted[0]:,} × {wanted[1]:,}; "
            "ask for a larger size."
        )
    return factor + 1e-9


def _second(draft: EnlargeDraft, inventory: Inventory) -> tuple[str, float]:
    if not draft.second:
        if draft.visibility is not None:
            raise RequestRefused("Visibility is of the second upscaler; name one, or leave it out.")
        return "", 0.0
    return upscaler_named(draft.second, inventory), 0.5 if draft.visibility is None else float(draft.visibility)


def _check_large(size: tuple[int, int], megapixels: float) -> None:
    width, height = size
    if width * height > megapixels * 1e6:
        raise LimitReached(
            f"This picture would have {width:,} × {height:,} pixels, more than the {megapixels:g} megapixels allowed here; "
            "ask for a smaller factor or size."
        )
    if max(size) > MOST_SIDE:
        raise RequestRefused(
            f"This picture would have {width:,} × {height:,} pixels; no side may be longer than {MOST_SIDE:,}."
        )
