"""A job while it is painted: its pictures as running generators, and what it will say when they are done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL.Image import Image
from torch import Tensor

from inference.api.errors import FailureCode
from inference.api.result import ControlMap, ImageResult
from inference.engine.forward import PaintingModel
from inference.engine.guidance import Asked, Guide
from inference.engine.work import Borrow, Painting, TakeUp, Work


class Refused(Exception):
    """The job cannot be done. `code` says why in a word, the message in a sentence for the person who asked."""

    def __init__(self, code: FailureCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Brushes:
    """A model and the words that guide it."""

    model: PaintingModel
    guide: Guide


@dataclass(slots=True, eq=False)
class Track:
    """One picture. `model` and `guide` answer its Evaluate, Encode and Decode; `lend` its Borrow.

    `wanted` is what the generator waits for; `asked` and `answers` are the rows of an Evaluate that is under way. It `shows`
    itself where it has once done so. `branches` are parts of it that are painted together; it is their `trunk`.
    """

    painting: Painting
    index: int = 0
    model: PaintingModel | None = None
    guide: Guide | None = None
    lend: Callable[[str], Any] | None = None
    wanted: Work | None = None
    calls: int = 0
    asked: Asked | None = None
    answers: list[Tensor | None] = field(default_factory=list[Tensor | None])
    picture: Image | None = None
    shows: bool = False
    trunk: "Track | None" = None
    branches: "list[Track]" = field(default_factory=list["Track"])

    def take_up(self, order: TakeUp) -> PaintingModel:
        """Go on with other brushes; the model among them. Raises Refused when they cannot be had."""
        brushes: Brushes = order.brushes()
        self.model, self.guide = brushes.model, brushes.guide
        if order.fresh:
            self.calls = 0
        return brushes.model

    def answer(self, order: TakeUp | Borrow) -> Any:
        """What needs no card is had at once. Raises Refused when it cannot be had."""
        if isinstance(order, TakeUp):
            return self.take_up(order)
        assert self.lend is not None  # noqa: S101 - who borrows was prepared with a shelf
        return self.lend(order.name)

    def branch(self, paintings: Sequence[Painting]) -> "list[Track]":
        """`paintings` as tracks of their own, with what this one paints with; kept as its branches."""
        self.branches = [
            Track(
                painting,
                index=self.index,
                model=self.model,
                guide=self.guide,
                lend=self.lend,
                shows=self.shows,
                trunk=self,
            )
            for painting in paintings
        ]
        return self.branches


@dataclass(slots=True, eq=False)
class Prepared:
    """All that a job needs to run. `calls` is how many calls Progress counts up to; `stage` its word for them.

    `results` turns the finished pictures into what is sent back, `maps` are what controls followed; `release` is called once
    when the job is over, however.
    """

    tracks: list[Track]
    calls: int
    stage: str
    results: Callable[[Sequence[Image]], tuple[ImageResult, ...]]
    notes: Sequence[str] = ()
    release: Callable[[], None] = lambda: None
    maps: Callable[[], tuple[ControlMap, ...]] = lambda: ()


@dataclass(slots=True, eq=False)
class Running:
    """A job among the others."""

    id: int
    lane: str
    prepared: Prepared
    began: float
    done: int = 0
    rows: int = 0
