"""Words for places: `left: a red cat | right: a blue dog | everywhere: in a meadow`, and the regions that this means.

A place stands at the beginning, or behind a `|` or a line break that no brackets enclose, and ends with a colon: a side
(`left`, `top right`, `middle`), some of the nine cells `a1` to `c3` (`a1-b2`, `a1+c3`; rows are letters), or `everywhere`.
Anything else is words, so that `time: 12:30`, `[a|b]` and `(sharp:1.3)` stay what they are. Two sides share a picture in
halves, three in thirds.

Owns the grammar, both ways, and how places become parts of an AND prompt (`inference.api.regional`). Pure, total and linear.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, product
from math import gcd
from typing import Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.drafts import shown
from inference.api.regional import MAX_REGIONS, Region, Regional
from inference.api.sampling import MAX_STEPS

GRID: Final = 6
"""Parts of a side that hold halves and thirds alike."""
WHOLE_WEIGHT, PLACE_WEIGHT = 0.2, 0.8
"""How strongly the words of the whole picture guide beside those of a place (the extension's defaults): together 1."""
SOFT: Final = 16
"""Parts of the shorter side over which borders are soft where nobody says."""
EVERYWHERE: Final = "everywhere"
CELLS: Final = tuple(f"{row}{column}" for row in "abc" for column in "123")
_SIDES: Final = r"(?:top|bottom)(?:[ -]?(?:left|right))?|left|right|middle|cent(?:er|re)"
_PLACE: Final = rf"(?:{_SIDES}|{EVERYWHERE}|[abc][123](?:[ \t]*-[ \t]*[abc][123])?)"
_BEGIN: Final = re.compile(rf"(?:\A|[|\n])[ \t]*({_PLACE}(?:[ \t]*\+[ \t]*{_PLACE})*)[ \t]*:", re.IGNORECASE)
_CELL: Final = re.compile(r"[abc][123]\b")
_SIGN: Final = re.compile(r"\\.|[()\[\]{}<>]", re.DOTALL)
_CLOSES: Final = {")": "(", "]": "[", "}": "{", ">": "<"}
_TAG: Final = re.compile(r"[ \t]*<\w{1,20}:[^<>]{1,200}>")
_COMMENT: Final = re.compile(r"#[^\n]*")
_AND: Final = re.compile(r"\bAND\b")
_WEIGHT: Final = re.compile(r"\s*:\s*[-+]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)\s*\Z")
"""What the end of an AND part is taken for: its weight."""
_BANDS: Final = {
    "left": ("all", "first"),
    "right": ("all", "last"),
    "top": ("first", "all"),
    "bottom": ("last", "all"),
    "top left": ("first", "first"),
    "top right": ("first", "last"),
    "bottom left": ("last", "first"),
    "bottom right": ("last", "last"),
}
"""Rows and columns of each side."""
SIDES: Final = (*_BANDS, "middle")
"""Names of sides, as people choose them."""

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in sixths of the picture; bottom and right lie outside."""


class Placed(msgspec.Struct, frozen=True):
    """Words, the places that they were given as they were named, and where those lie. Without boxes: everywhere."""

    names: tuple[str, ...]
    words: str
    boxes: tuple[Box, ...] = ()


class Layout(msgspec.Struct, frozen=True):
    """What words for places mean: an AND prompt (network tags at its end), and its regions in order."""

    prompt: str
    regions: tuple[Region, ...]


def says_places(text: str) -> bool:
    """Whether any words in `text` are given a place."""
    return any(True for _ in _begun(text.strip()))


def is_composed(prompt: str) -> bool:
    """Whether `prompt` has more parts than one, joined by AND."""
    return _AND.search(prompt) is not None


def read_places(text: str) -> tuple[Placed, ...]:
    """The words of `text` by place, in order; words before the first place are for everywhere. Total."""
    stripped = text.strip()
    begun = list(_begun(stripped))
    ends = [*(found.start() for found in begun[1:]), len(stripped)]
    first = stripped[: begun[0].start()] if begun else stripped
    said: list[tuple[tuple[str, ...], str]] = (
        [((EVERYWHERE,), first.strip(" \t\n|,"))] if first.strip(" \t\n|,") else []
    )
    for found, end in zip(begun, ends, strict=False):
        names = tuple(" ".join(re.split(r"[ -]+", name.strip().casefold())) for name in found[1].split("+"))
        said.append((tuple(map(_canonical, names)), stripped[found.end() : end].strip(" \t\n|,")))
    named = [name for names, _ in said for name in names]
    return tuple(Placed(names, words, tuple(dict.fromkeys(_boxes(names, named)))) for names, words in said if words)


def boxes_named(text: str) -> tuple[Box, ...]:
    """Where the places lie that `text` names (“left”, “top right + a3”); none for everywhere. Raises RequestRefused."""
    if not text.strip():
        return ()
    found = read_places(f"{text.strip()}: here")
    if len(found) != 1 or found[0].words != "here":
        raise RequestRefused(
            f"“{shown(text)}” is no place; write a side such as left or top right, cells from a1 to c3 such as a1-b2, or several "
            "with + between them."
        )
    return found[0].boxes


def laid_out(text: str) -> Layout:
    """The AND prompt and the regions that `text` means. Raises RequestRefused where it gives no place, or too many."""
    placed = read_places(text)
    places = [each for each in placed if each.boxes]
    if not places:
        raise RequestRefused(
            f"No words have a place in “{shown(text)}”; write them such as: left: a red cat | right: a blue dog."
        )
    tags = [found.strip() for each in placed for found in _TAG.findall(each.words)]
    general = ", ".join(filter(None, (_plain(each.words) for each in placed if not each.boxes)))
    base = general or ", ".join(filter(None, (_plain(each.words) for each in places)))
    parts = [base]
    regions = [_region((0, 0, GRID, GRID), WHOLE_WEIGHT)]
    for each in places:
        words = ", ".join(filter(None, (_plain(each.words), general)))
        parts += [words] * len(each.boxes)
        regions += [_region(box, PLACE_WEIGHT) for box in each.boxes]
    rest = tuple(uncovered(box for each in places for box in each.boxes))
    parts += [base] * len(rest)
    regions += [_region(box, PLACE_WEIGHT) for box in rest]
    if len(regions) > MAX_REGIONS:
        raise RequestRefused(
            f"These places come to {len(regions)} regions, the whole picture and gaps among them, and {MAX_REGIONS} is the most; "
            "give fewer places, or put words of the same kind together."
        )
    return Layout(" ".join((" AND ".join(map(_guarded, parts)), *dict.fromkeys(tags))), tuple(regions))


def regional_of(regions: tuple[Region, ...], size: tuple[int, int], *, feather: int | None) -> Regional | None:
    """`regions` for all steps on a canvas of `size`, with borders soft over `feather` pixels (None: as wide as suits it).

    None without regions. Raises RequestInvalid.
    """
    if not regions:
        return None
    return Regional(regions, end_step=MAX_STEPS, feather=min(size) // SOFT if feather is None else feather)


def spoken(prompt: str, regional: Regional) -> str | None:
    """The text that `laid_out` makes exactly this of; None where the regions were made in another way."""
    parts = [_WEIGHT.sub("", part).strip() for part in _AND.split(prompt)]
    if len(parts) != len(regional.regions):
        return None
    boxes = [_box(region) for region in regional.regions]
    for gaps in range(1, len(boxes) + 1):
        if tuple(uncovered(boxes[1:gaps])) != tuple(boxes[gaps:]):
            continue
        places = list(zip(boxes[1:gaps], parts[1:gaps], strict=True))
        for general, name in product((parts[0], ""), (_side_of, _cells_of)):
            text = _told(places, general, name)
            if _means(text, prompt, regional):
                return text
    return None


def _told(places: Sequence[tuple[Box, str]], general: str, name: Callable[[Box], str]) -> str:
    """A text for parts in `places` whose words end in those of everywhere."""
    own = [(name(box), part.removesuffix(f", {general}")) for box, part in places]
    lines = [
        f"{'+'.join(each for each, _ in group)}: {words}" for words, group in groupby(own, key=lambda each: each[1])
    ]
    return " | ".join([*lines, *([f"{EVERYWHERE}: {general}"] if general else [])])


def put(text: str, cells: Iterable[str], words: str) -> str:
    """`text` with `words` in `cells` (of CELLS); cells that had others lose them, sides stay. Without words they are empty."""
    chosen = frozenset(cells) & frozenset(CELLS)
    lines: list[str] = []
    for each in read_places(text):
        names = each.names
        if _CELL.match(names[0]):
            names = _named([cell for cell in CELLS if cell not in chosen and _lies_in(cell, each.boxes)])
        if names:
            lines.append(
                f"{'+'.join(name.replace(' ', '-') if _CELL.match(name) else name for name in names)}: {each.words}"
            )
    said = " ".join(words.split())
    if said and chosen:
        lines.append(f"{'+'.join(_named(sorted(chosen)))}: {said}")
    return " | ".join(sorted(lines, key=lambda line: line.startswith(EVERYWHERE)))


def _named(cells: Sequence[str]) -> tuple[str, ...]:
    """As few boxes as cover `cells`, by name."""
    others = [_cell_box(cell) for cell in CELLS if cell not in cells]
    return tuple(map(_cells_of, uncovered(others)))


def _lies_in(cell: str, boxes: Iterable[Box]) -> bool:
    top, left, _, _ = _cell_box(cell)
    return any(box[0] <= top < box[2] and box[1] <= left < box[3] for box in boxes)


def _cell_box(cell: str) -> Box:
    row, column = "abc".index(cell[0]) * 2, int(cell[1]) * 2 - 2
    return row, column, row + 2, column + 2


def each_part(prompt: str, change: Callable[[str], str]) -> str:
    """`prompt` with `change` made to every AND part, before the weight that it may end in."""
    changed: list[str] = []
    for part in _AND.split(prompt):
        weight = _WEIGHT.search(part)
        at = len(part) if weight is None else weight.start()
        changed.append(change(part[:at].strip()) + part[at:].rstrip())
    return " AND ".join(changed)


def uncovered(boxes: Iterable[Box]) -> Iterator[Box]:
    """Boxes that cover exactly what `boxes` leave of the picture, the widest rows first found."""
    taken = {(y, x) for top, left, bottom, right in boxes for y in range(top, bottom) for x in range(left, right)}
    for y in range(GRID):
        for x in range(GRID):
            if (y, x) in taken:
                continue
            right = next((end for end in range(x, GRID) if (y, end) in taken), GRID)
            bottom = next(
                (end for end in range(y, GRID) if any((end, column) in taken for column in range(x, right))), GRID
            )
            taken |= {(row, column) for row in range(y, bottom) for column in range(x, right)}
            yield y, x, bottom, right


# -- how it is read ----------------------------------------------------------------------------------------------------


def _begun(text: str) -> Iterator[re.Match[str]]:
    """Every place in `text`, outside of brackets that are closed."""
    inside = _enclosed(text)
    return (found for found in _BEGIN.finditer(text) if not inside[found.start()])


def _enclosed(text: str) -> bytearray:
    """For each letter, 1 where brackets of any kind enclose it; one that is never closed encloses nothing."""
    changes = [0] * (len(text) + 1)
    open_: dict[str, list[int]] = {sign: [] for sign in _CLOSES.values()}
    for found in _SIGN.finditer(text):
        sign, at = found[0], found.start()
        if sign in open_:
            open_[sign].append(at)
        elif sign in _CLOSES and open_[_CLOSES[sign]]:
            changes[open_[_CLOSES[sign]].pop()] += 1
            changes[at] -= 1
    depth, inside = 0, bytearray(len(text) + 1)
    for at, change in enumerate(changes):
        depth += change
        inside[at] = depth > 0
    return inside


def _canonical(name: str) -> str:
    """`topleft`, `center` and `a1 - b2` as the one spelling of each."""
    if name in {"center", "centre"}:
        return "middle"
    return re.sub(r"^(top|bottom)(?=left|right)", r"\1 ", name)


def _boxes(names: Sequence[str], everything: Sequence[str]) -> Iterator[Box]:
    """Where `names` lie, in a text that names `everything`."""
    sides = [name for name in everything if name in _BANDS]
    across = any(_BANDS[name][1] != "all" for name in sides)
    down = any(_BANDS[name][0] != "all" for name in sides)
    cells = any(map(_CELL.match, everything))
    middle = ("all" if across and not down else "middle", "all" if down and not across else "middle")
    thirds = [cells or ("middle" in everything and middle[axis] == "middle") for axis in (0, 1)]
    for name in names:
        if name == EVERYWHERE:
            return
        if name in _BANDS or name == "middle":
            rows, columns = (
                _band(band, thirds=three)
                for band, three in zip(middle if name == "middle" else _BANDS[name], thirds, strict=True)
            )
            yield rows[0], columns[0], rows[1], columns[1]
        else:
            corners = name.split()
            ys, xs = (
                sorted(signs.index(corner[axis]) for corner in corners) for axis, signs in enumerate(("abc", "123"))
            )
            yield ys[0] * 2, xs[0] * 2, ys[-1] * 2 + 2, xs[-1] * 2 + 2


def _band(band: str, *, thirds: bool) -> tuple[int, int]:
    width = 2 if thirds else 3
    return {"all": (0, GRID), "first": (0, width), "middle": (2, 4), "last": (GRID - width, GRID)}[band]


# -- how it is told ----------------------------------------------------------------------------------------------------


def _plain(words: str) -> str:
    """`words` as a part of an AND prompt: without comments (they would reach into the next part), tags, and the word AND."""
    return _AND.sub("and", _TAG.sub("", _COMMENT.sub("", words))).strip(" \t\n,")


def _guarded(part: str) -> str:
    """`part` so that a number at its end (`at 12:30`) is not taken for a weight."""
    return f"{part} :1" if _WEIGHT.search(part) else part


def _region(box: Box, weight: float) -> Region:
    """`box` on the coarsest grid that has its edges."""
    sides: list[tuple[int, tuple[float, float]]] = []
    for first, last in ((box[0], box[2]), (box[1], box[3])):
        shared = gcd(GRID, first, last)
        sides.append((GRID // shared, (float(first // shared), float(last // shared))))
    (rows, across), (columns, down) = sides
    return Region((rows, columns), rows=across, columns=down, weight=weight)


def _box(region: Region) -> Box:
    """Where `region` lies, to the nearest sixths."""
    rows, columns = region.divisions
    top, bottom = (round(GRID * end / rows) for end in region.rows)
    left, right = (round(GRID * end / columns) for end in region.columns)
    return top, left, bottom, right


def _means(text: str, prompt: str, regional: Regional) -> bool:
    try:
        layout = laid_out(text)
    except RequestRefused:
        return False
    return (layout.prompt, layout.regions) == (prompt, regional.regions)


def _side_of(box: Box) -> str:
    """The name of the side that `box` is, in halves or in thirds."""
    top, left, bottom, right = box
    rows, columns = (
        "all" if (first, last) == (0, GRID) else "first" if first == 0 else "last" if last == GRID else "middle"
        for first, last in ((top, bottom), (left, right))
    )
    return next((name for name, bands in _BANDS.items() if bands == (rows, columns)), "middle")


def _cells_of(box: Box) -> str:
    """`box` in cells of a third, to the nearest."""
    top, left, bottom, right = (round(end / 2) for end in box)
    first, last = f"{'abc'[min(top, 2)]}{min(left, 2) + 1}", f"{'abc'[max(bottom - 1, 0)]}{max(right, 1)}"
    return first if first == last else f"{first}-{last}"
