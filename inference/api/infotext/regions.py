"""Regions in a parameter text, as the Latent Couple extension writes them, and back.

`divisions=1:1,1:2 positions=0:0,0:1 weights=0.2,0.8 end at step=20`: rows before columns, a position is a part of the grid or a
range `0-2` (its end lies outside). Owns that notation alone.
"""

import re
from collections.abc import Sequence
from typing import Final

from inference.api.errors import RequestInvalid
from inference.api.infotext.reading import Reader
from inference.api.regional import MAX_REGIONS, Region, Regional
from inference.api.sampling import MAX_STEPS

KEY: Final = "Latent Couple"
FEATHER: Final = "Latent Couple feather"
_NUMBER: Final = r"[0-9]{1,6}(?:\.[0-9]{0,20})?"
_SPAN: Final = rf"({_NUMBER})(?:\s*-\s*({_NUMBER}))?"
_DIVISION: Final = re.compile(r"\s*([0-9]{1,6})\s*:\s*([0-9]{1,6})\s*")
_POSITION: Final = re.compile(rf"\s*{_SPAN}\s*:\s*{_SPAN}\s*")
_WEIGHT: Final = re.compile(rf"\s*([+-]?{_NUMBER}|[+-]?\.[0-9]{{1,20}})\s*")
_FIELD: Final = re.compile(r"\b(divisions|positions|weights|end at step)\s*=")


def regions_text(regional: Regional) -> str:
    """`regional` in the extension's notation, without its feather, of which the extension knows nothing."""
    regions = regional.regions
    lists = (
        ("divisions", [f"{region.divisions[0]}:{region.divisions[1]}" for region in regions]),
        ("positions", [f"{_span(region.rows)}:{_span(region.columns)}" for region in regions]),
        ("weights", [_plain(region.weight) for region in regions]),
    )
    told = " ".join(f"{name}={','.join(items)}" for name, items in lists)
    return f"{told} end at step={regional.end_step}"


def read_regional(reader: Reader) -> Regional | None:
    """The regions that a text tells of; None, with a note, where they make no sense."""
    text, feather = reader.text(KEY), reader.whole(FEATHER, 0, low=0, high=512)
    if not text:
        return None
    try:
        return _read(text, feather)
    except (RequestInvalid, ValueError) as error:
        reason = f": {error}" if isinstance(error, RequestInvalid) else "."
        reader.notes.append(f"The regions of this text (Latent Couple) could not be read and were left out{reason}")
        return None


def _read(text: str, feather: int) -> Regional:
    """Raises ValueError where the notation is broken, RequestInvalid where a region cannot be."""
    bounds = list(_FIELD.finditer(text))
    ends = [*(found.start() for found in bounds[1:]), len(text)]
    said = {found[1]: text[found.end() : end].strip() for found, end in zip(bounds, ends, strict=False)}
    lists = [said.get(name, "").split(",")[: MAX_REGIONS + 1] for name in ("divisions", "positions", "weights")]
    regions = tuple(_region(*items) for items in zip(*lists, strict=False))
    end = said.get("end at step", "20")
    if not end.isdecimal() or len(end) > 6:
        raise ValueError(end)
    return Regional(regions, end_step=min(int(end), MAX_STEPS), feather=feather)


def _region(division: str, position: str, weight: str) -> Region:
    grid, place, strength = _DIVISION.fullmatch(division), _POSITION.fullmatch(position), _WEIGHT.fullmatch(weight)
    if grid is None or place is None or strength is None:
        raise ValueError(division, position, weight)
    return Region(
        (int(grid[1]), int(grid[2])),
        rows=_range(place.group(1, 2)),
        columns=_range(place.group(3, 4)),
        weight=float(strength[1]),
    )


def _range(ends: Sequence[str | None]) -> tuple[float, float]:
    first = float(ends[0] or 0)
    return first, first + 1 if ends[1] is None else float(ends[1])


def _span(ends: tuple[float, float]) -> str:
    first, last = ends
    return _plain(first) if last == first + 1 else f"{_plain(first)}-{_plain(last)}"


def _plain(value: float) -> str:
    """7.0 as 7; no exponents, which no reader of this notation expects."""
    return f"{value:.12f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))
