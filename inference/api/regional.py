"""What a request says about words for parts of the picture: Latent Couple ("two-shot") as its extension counts.

Region i guides with part i of a prompt that is joined by AND; parts beyond the regions guide everywhere.
"""

import msgspec

from inference.api.errors import require
from inference.api.sampling import MAX_STEPS

MAX_REGIONS = 16
MAX_DIVISIONS = 64


class Region(msgspec.Struct, frozen=True):
    """A rectangle of a grid over the picture, and how strongly it guides.

    `divisions` are (rows, columns) of the grid; `rows` and `columns` are half-open ranges in it, which may be fractions
    (the latent's cells are ⌊H / rows · from⌋ … ⌊H / rows · to⌋). Inside, the part's guidance is multiplied by `weight` (and by
    the AND part's own weight, as ever); outside there is none.
    """

    divisions: tuple[int, int]
    rows: tuple[float, float]
    columns: tuple[float, float]
    weight: float = 0.8

    def __post_init__(self) -> None:
        require(
            all(1 <= side <= MAX_DIVISIONS for side in self.divisions),
            f"A picture is divided into 1 to {MAX_DIVISIONS} parts a side, not {self.divisions[0]}:{self.divisions[1]}.",
        )
        for (first, last), count in zip((self.rows, self.columns), self.divisions, strict=True):
            require(
                0 <= first < last <= count,
                f"A region from {first:g} to {last:g} does not lie within the {count} parts of its side.",
            )
        require(-5.0 <= self.weight <= 5.0, f"A region's weight must be between -5 and 5, not {self.weight:g}.")


class Regional(msgspec.Struct, frozen=True, omit_defaults=True):
    """Regions in the order of the prompt's parts, for `end_step` + 1 steps (so the extension counts; 0 is none at all).

    `feather` softens the borders between them over so many pixels of the request's canvas; 0, as the extension has it, cuts.
    """

    regions: tuple[Region, ...]
    end_step: int = 20
    feather: int = 0

    def __post_init__(self) -> None:
        require(
            1 <= len(self.regions) <= MAX_REGIONS,
            f"A picture may have 1 to {MAX_REGIONS} regions, not {len(self.regions)}.",
        )
        require(0 <= self.end_step <= MAX_STEPS, f"Regions end at a step from 0 to {MAX_STEPS}, not {self.end_step:,}.")
        require(0 <= self.feather <= 512, f"Regions are feathered over 0 to 512 pixels, not {self.feather}.")
