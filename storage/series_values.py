"""What storage hands out of series: groups of jobs that one person asked for at once. Frozen values, never rows.

Owns their shapes. What a layout says is for whoever wrote it: here it is a text.
"""

from enum import StrEnum

import msgspec

from inference.api.request import Request
from storage.values import Address, JobState


class SeriesState(StrEnum):
    """Where a series stands. `asked`: nobody has said yes. `stopped`: nothing more of it begins; what ran is ending."""

    ASKED = "asked"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class CellRef(msgspec.Struct, frozen=True):
    """One cell of a series: `ordinal` counts from 0 in the order in which cells are painted."""

    series: int
    ordinal: int


class NewCell(msgspec.Struct, frozen=True, kw_only=True):
    """What one cell shall be. `prompt` is as its picture's owner reads it, `label` names the cell, `cost` is in seconds."""

    request: Request
    prompt: str
    label: str
    cost: float


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that is not a job yet."""

    ref: CellRef
    request: Request
    prompt: str
    cost: float


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """How a cell stands: `job` and `state` are None until it is a job, `images` its pictures in order, `reason` its failure."""

    ordinal: int
    label: str
    cost: float
    job: int | None = None
    state: JobState | None = None
    reason: str = ""
    images: tuple[int, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state not in {None, JobState.QUEUED, JobState.RUNNING}


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A group of jobs. `title` is what it is about, as typed; `kind` and `layout` are its asker's; `cost` is in seconds.

    `roles` are those that its asker had when they agreed. `card_message` in `card_channel` shows how it stands,
    `result_message` what came of it (0 while there is none).
    """

    id: int
    state: SeriesState
    created: float
    address: Address
    kind: str
    title: str
    layout: str
    cells: int
    cost: float
    parent: int | None = None
    card_message: int = 0
    card_channel: int = 0
    result_message: int = 0
    begun: float | None = None
    finished: float | None = None
    roles: tuple[int, ...] = ()
