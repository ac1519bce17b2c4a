"""How two or three weights become one: the formulas of a merge, and which weights they are asked about.

Owns the webui's rules (v1.10.1): only weights with “model” in their names that B has too are merged, ids of places and other
whole numbers never; an inpainting or pix2pix checkpoint as A takes a plain one into the channels of the latent alone. Computed
in fp32.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from inference.api.tools import Merge, Method
from inference.engine.tools.entries import Entry, copied, retyped
from inference.engine.tools.parts import is_positions, rightly_named
from inference.engine.tools.precision import check_range
from inference.engine.tools.refusal import ToolRefused
from inference.engine.tools.tensors import DTYPES, KINDS, TensorFile

LATENT: Final = 4
SPECIAL: Final = {9: "inpainting", 8: "instruct-pix2pix"}
"""Input channels of UNets that are told more than a latent."""
Formula = Callable[[Tensor, Tensor, float], Tensor]


@dataclass(frozen=True, slots=True)
class Side:
    """A checkpoint that is merged: its letter, its open file, and its own names by the usual ones."""

    letter: str
    file: TensorFile
    names: dict[str, str]

    @classmethod
    def of(cls, letter: str, file: TensorFile) -> "Side":
        """The side of an open file."""
        return cls(letter, file, {rightly_named(name): name for name in file})

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape of a weight that is there."""
        return self.file.shapes[self.names[key]]

    def read(self, key: str) -> Tensor:
        """A weight that is there."""
        return self.file.read(self.names[key])

    def dtype(self, key: str) -> torch.dtype:
        """Its kind of numbers."""
        return DTYPES[self.file.kinds[self.names[key]]]


def weighted_sum(a: Tensor, b: Tensor, multiplier: float) -> Tensor:
    """A (1 − M) + B M."""
    return (1 - multiplier) * a + multiplier * b


def add_difference(a: Tensor, difference: Tensor, multiplier: float) -> Tensor:
    """A + M (B − C)."""
    return a + multiplier * difference


FORMULAS: Final[dict[Method, Formula | None]] = {
    "weighted-sum": weighted_sum,
    "add-difference": add_difference,
    "none": None,
}


@dataclass(frozen=True, slots=True)
class Mixer:
    """Makes the entry of each weight of `a`. Raises ToolRefused where checkpoints do not fit."""

    command: Merge
    a: Side
    b: Side | None = None
    c: Side | None = None

    def entries(self) -> list[Entry]:
        """All of them."""
        return [self._entry(key) for key in self.a.names]

    def target(self) -> str:
        """“inpainting” or “instruct-pix2pix” where such an A takes in a plain B, else nothing. Asked after `entries`."""
        if self.b is None:
            return ""
        widths = (
            self.a.shape(key)[1] for key in self.a.names if self._mixed(key) and self.b.shape(key) != self.a.shape(key)
        )
        return next((SPECIAL[width] for width in widths if width in SPECIAL), "")

    def _entry(self, key: str) -> Entry:
        own = replace(copied(key, self.a.file, self.a.names[key]), key=key)
        formula = FORMULAS[self.command.method]
        if formula is None:
            return self._halved(own)
        if self.b is None or not self._mixed(key):
            return own
        self._check(key, self.a, self.b)
        if self.c is not None and key in self.c.names:
            self._check(key, self.b, self.c)
        elif self.command.method == "add-difference":
            return self._halved(own)
        return self._halved(self._computed(key, formula))

    def _mixed(self, key: str) -> bool:
        both = self.b is not None and key in self.b.names
        return both and "model" in key and not is_positions(key) and self.a.dtype(key).is_floating_point

    def _computed(self, key: str, formula: Formula) -> Entry:
        a, b, c = self.a, self.b, self.c
        assert b is not None  # noqa: S101 - a weight is mixed only where there are two
        shape, narrow = a.shape(key), a.shape(key) != b.shape(key)
        kinds = [side.dtype(key) for side in (a, b, *([c] if c is not None else []))]
        stored = kinds[0] if narrow else _widest(kinds)
        exact = torch.promote_types(_widest(kinds), torch.float32)
        multiplier = self.command.multiplier

        def make() -> Tensor:
            first, second = a.read(key).to(exact), b.read(key).to(exact)
            if c is not None:
                second = second - c.read(key).to(exact)
            if not narrow:
                return formula(first, second, multiplier).to(stored)
            whole = first.clone()
            whole[:, :LATENT] = formula(first[:, :LATENT], second, multiplier)
            return whole.to(stored)

        return Entry(key, KINDS[stored], shape, make)

    def _halved(self, entry: Entry) -> Entry:
        """In half precision where that was asked for; only fp32 is, as in the webui."""
        wanted = self.command.half and entry.kind == "F32"
        return retyped(entry, "F16", check=check_range) if wanted else entry

    def _check(self, key: str, one: Side, other: Side) -> None:
        """Raise ToolRefused unless the shapes go together."""
        ours, theirs = one.shape(key), other.shape(key)
        if ours == theirs:
            return
        alike = len(ours) == len(theirs) == 4 and (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])
        if alike and one is self.a:
            if ours[1] in SPECIAL and theirs[1] == LATENT:
                return
            if ours[1] == LATENT and theirs[1] in SPECIAL:
                raise ToolRefused(
                    f"{other.file.path.name} is an {SPECIAL[theirs[1]]} checkpoint and {one.file.path.name} is not. Such a "
                    "one must be A, the checkpoint that takes the other in."
                )
        raise ToolRefused(
            f"{one.file.path.name} and {other.file.path.name} cannot be merged: “{key}” has the shape {ours} in one and {theirs} "
            "in the other."
        )


def _widest(kinds: list[torch.dtype]) -> torch.dtype:
    """What torch makes of these kinds together; eight bits, which it does not compute with, count as half precision."""
    widest = kinds[0]
    for kind in kinds[1:]:
        if kind != widest:
            widest = torch.promote_types(_at_least_half(widest), _at_least_half(kind))
    return widest


def _at_least_half(kind: torch.dtype) -> torch.dtype:
    return torch.float16 if kind.is_floating_point and kind.itemsize == 1 else kind
