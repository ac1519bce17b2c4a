"""Where a job stands, as a value that a card can be made of."""

import math
from typing import Final

import msgspec

from bot.jobs.fair_queue import FairQueue
from bot.jobs.flight import Flight
from bot.jobs.open_job import OpenJob
from storage.values import Job

GRAIN: Final = 5.0
"""Seconds to which a time is rounded, so that a card changes only when the prediction does."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A job that waits or runs.

    `job` is as it was when it was queued. `position` counts from 1 in the predicted order; 0 while it is being painted.
    `ahead` is the predicted seconds before it begins, `remaining` those until its pictures are there, `ready_at` the same
    as a time (seconds since 1970, rounded up to `GRAIN`). `done` of `total` model calls are over, `stage` says in a word
    what runs ("" while it waits). `preview` is a small JPEG of picture `preview_index` (from 0), None before the first.
    It is `held` while its server, or the operator, lets nothing begin.
    """

    job: Job
    position: int
    ahead: float
    remaining: float
    ready_at: float
    done: int = 0
    total: int = 0
    stage: str = ""
    preview: bytes | None = None
    preview_index: int = 0
    held: bool = False

    @property
    def running(self) -> bool:
        """Whether it is being painted."""
        return self.position == 0


def standing_of(opened: OpenJob, queue: FairQueue[int], flight: Flight, *, held: bool, now: float) -> Standing:
    """Where `opened` stands among those that wait in `queue` and run in `flight`; `held`: nothing at all may begin."""
    waiting = opened.id in queue
    ahead = flight.left + queue.ahead(opened.id) if waiting else 0.0
    remaining = ahead + opened.cost if waiting else opened.left * max(1, len(flight))
    return Standing(
        job=opened.job,
        position=queue.position(opened.id) if waiting else 0,
        ahead=ahead,
        remaining=remaining,
        ready_at=rounded(now + remaining),
        done=opened.done,
        total=opened.total,
        stage=opened.stage,
        preview=opened.preview,
        preview_index=opened.preview_index,
        held=waiting and (held or queue.is_held(opened.id)),
    )


def rounded(time: float) -> float:
    """`time` in seconds, rounded up to `GRAIN`."""
    return math.ceil(time / GRAIN) * GRAIN
