"""The jobs that the painter has: how many fit together, and which may join.

Owns the bounds (UNet rows, number, one checkpoint at a time). Pure.
"""

from collections.abc import Iterator

from bot.jobs.open_job import OpenJob


class Flight:
    """At most `max_jobs` jobs with at most `max_rows` rows together; one alone may have more.

    Jobs of another checkpoint wait until the air is clear: two that are loaded by turns cost more than they paint. So does
    a job that a worker died of: alone, it can take no other with it. The cells of series take rows, but not the places of
    jobs: however many of them run, a stranger's picture joins at the next step.
    """

    def __init__(self, *, max_rows: int, max_jobs: int) -> None:
        self._max_rows, self._max_jobs = max_rows, max_jobs
        self._jobs: dict[int, OpenJob] = {}
        self._last_model = ""

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: int) -> bool:
        return job in self._jobs

    def __iter__(self) -> Iterator[OpenJob]:
        return iter(tuple(self._jobs.values()))

    @property
    def rows(self) -> int:
        """UNet rows of all of them."""
        return sum(opened.rows for opened in self._jobs.values())

    @property
    def model(self) -> str | None:
        """The checkpoint that is loaded, as far as is known here."""
        return self._last_model or None

    @property
    def left(self) -> float:
        """Seconds of the machine that all of them still need."""
        return sum(opened.left for opened in self._jobs.values())

    def fits(self, opened: OpenJob) -> bool:
        """Whether `opened` may join now."""
        if not self._jobs:
            return True
        if opened.deaths or any(other.deaths for other in self._jobs.values()):
            return False
        models = {other.model for other in self._jobs.values() if other.model}
        if opened.model and models - {opened.model}:
            return False
        jobs = sum(other.job.series is None for other in self._jobs.values())
        place = opened.job.series is not None or jobs < self._max_jobs
        return place and self.rows + opened.rows <= self._max_rows

    def add(self, opened: OpenJob) -> None:
        """It has begun."""
        self._jobs[opened.id] = opened
        self._last_model = opened.model or self._last_model

    def remove(self, job: int) -> bool:
        """It is over. False when it was not there."""
        return self._jobs.pop(job, None) is not None
