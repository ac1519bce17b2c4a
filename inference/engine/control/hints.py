"""The maps and hints of one job: each map is made once, each hint once a pass, whoever of the job's pictures needs it first.

Owns which picture a unit follows and how it is cropped and fitted (§ the webui's ControlNet extension, v1.1). How a picture
becomes a map is `inference.engine.annotators`; refuses to know it.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from inference.api.control import NO_PREPROCESSOR, ControlUnit
from inference.engine.annotators.annotate import NetworkShelf, annotate
from inference.engine.annotators.annotation import Annotation
from inference.engine.annotators.fitting import ResizeMode, fit
from inference.engine.control.adapters import Adapter
from inference.engine.control.scales import Course, feature_scales, is_in_pass, is_soft, residual_scales
from inference.engine.control.units import Control
from inference.engine.masks import pixel_mask
from inference.engine.source import fit as resized
from inference.engine.start import Place
from inference.engine.work import Work

Acting = Callable[[int], tuple[Control, ...]]
MAX_MAP_SIDE = 2048
"""Pixels of the longer side of a map that comes back with the result: pictures and maps must fit one message."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What one unit follows: its picture, and the grey masks for inpainting and of its region."""

    unit: ControlUnit
    picture: Image.Image
    mask: Image.Image | None = None
    region: Image.Image | None = None
    resize_mode: ResizeMode = 1


@dataclass(frozen=True, slots=True)
class Pass:
    """The first pass or the `second`, and its canvas' `size` (width, height).

    `place` says which part of a larger picture the canvas is, where it is one.
    """

    size: tuple[int, int]
    second: bool = False
    place: Place | None = None


@dataclass(slots=True, eq=False)
class Hints:
    """The controls of a job: `followed` in the order of the request. `notes` are sentences for the card."""

    followed: Sequence[Followed]
    shelf: NetworkShelf
    notes: list[str] = field(default_factory=list[str])
    _wholes: dict[Any, Image.Image] = field(default_factory=dict[Any, Image.Image])
    _maps: dict[Any, Annotation] = field(default_factory=dict[Any, Annotation])
    _made: dict[Any, Control] = field(default_factory=dict[Any, Control])

    def controls(self, model: Any, now: Pass, course: Course) -> Generator[Work, Any, Acting]:
        """The controls of one pass painted with `model`, a PaintingModel whose `controls` are the units' nets (or None).

        `course` says at which of its calls each acts.
        """
        units: list[tuple[ControlUnit, Control]] = []
        for number, (followed, net) in enumerate(zip(self.followed, model.controls, strict=True)):
            unit = followed.unit
            if net is None or not unit.weight or not is_in_pass(unit, second=now.second):
                continue
            units.append((unit, (yield from self._control(number, net, model, now))))
        if not units:
            return lambda _: ()
        return lambda call: tuple(control for unit, control in units if course.runs(unit, call))

    def _control(self, number: int, net: Any, model: Any, now: Pass) -> Generator[Work, Any, Control]:
        followed, key = self.followed[number], (number, now.second, net, now.size, now.place)
        if key in self._made:
            return self._made[key]
        unit, soft = followed.unit, is_soft(followed.unit, second=now.second)
        annotation = yield from self.map_of(number, now)
        hint = fit(annotation, size=now.size, resize_mode=followed.resize_mode)
        scales = (
            feature_scales(unit.weight, net.count, soft=soft)
            if isinstance(net, Adapter)
            else residual_scales(unit.weight, net.count, soft=soft, xl=model.xl)
        )
        region = (
            None if followed.region is None else pixel_mask(self._brought(number, followed.region, now), rounded=False)
        )
        _forget_other(self._made, number, place=now.place)
        self._made[key] = Control(net, hint, scales, unit.mode == "control" or net.pooled, region)
        return self._made[key]

    def map_of(self, number: int, now: Pass) -> Generator[Work, Any, Annotation]:
        """The map of unit `number`, of the part that is painted where that is only a part.

        Both passes of hires fix follow the map that was made for the first.
        """
        followed, key = self.followed[number], (number, now.place)
        if key in self._maps:
            return self._maps[key]
        picture, mask = followed.picture, followed.mask
        if now.place is not None:
            picture = self._part(number, picture, now.place, now.size)
            mask = None if mask is None else self._part(number, mask, now.place, now.size)
        annotation = yield from annotate(
            picture,
            followed.unit.preprocessor,
            size=now.size,
            resize_mode=followed.resize_mode,
            mask=mask,
            shelf=self.shelf,
        )
        self.notes += [note for note in annotation.notes if note not in self.notes]
        _forget_other(self._maps, number, place=now.place)
        self._maps[key] = annotation
        return annotation

    def _brought(self, number: int, region: Image.Image, now: Pass) -> Image.Image:
        if now.place is not None:
            return self._part(number, region, now.place, now.size)
        return resized(region, now.size, self.followed[number].resize_mode)

    def _part(self, number: int, picture: Image.Image, place: Place, size: tuple[int, int]) -> Image.Image:
        """The piece of `picture` that belongs to a canvas of `size` which is only a part of a larger one.

        The picture is first brought to the size of the larger one, then cut like that, then enlarged like that. So “only
        masked” inpainting and tiled upscales follow the matching piece.
        """
        key = number, id(picture), place.whole
        if key not in self._wholes:
            self._wholes[key] = resized(picture, place.whole, self.followed[number].resize_mode)
        return resized(self._wholes[key].crop(place.box), size, 2)

    def maps(self) -> list[tuple[int, Image.Image]]:
        """The maps that preprocessors made, by unit; each only once, those that are larger than `MAX_MAP_SIDE` smaller."""
        made: dict[tuple[str, Any], tuple[int, Image.Image]] = {}
        for (number, _), annotation in sorted(self._maps.items(), key=lambda item: item[0][0]):
            unit = self.followed[number].unit
            if unit.preprocessor.id != NO_PREPROCESSOR:
                made.setdefault((unit.picture, unit.preprocessor), (number, annotation.picture))
        return [(number, _bounded(picture)) for number, picture in made.values()]


def _bounded(picture: Image.Image) -> Image.Image:
    if max(picture.size) <= MAX_MAP_SIDE:
        return picture
    smaller = picture.copy()
    smaller.thumbnail((MAX_MAP_SIDE, MAX_MAP_SIDE))
    return smaller


def _forget_other(kept: dict[Any, Any], number: int, *, place: Place | None) -> None:
    """Of a picture that is painted part by part, only the part at hand is kept: memory must not grow with its size."""
    for key in [key for key in kept if key[0] == number and key[-1] != place]:
        del kept[key]
