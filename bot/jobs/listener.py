"""Who is told how jobs fare: the dispatcher speaks, whoever delivers listens."""

from typing import Protocol

from storage.values import Image, Job, Unreadable


class JobListener(Protocol):
    """What the dispatcher tells. Awaited calls run in tasks of their own, so a slow listener never holds up painting.

    The listener marks in storage what it has done (`deliver`, `mark_told`); what it has not marked, it is told again
    after a restart.
    """

    def progressed(self, job_id: int) -> None:
        """Something moved (`Dispatcher.standing` says what); called often, so it must be cheap and must not raise."""
        ...

    async def rendered(self, job: Job, images: tuple[Image, ...]) -> None:
        """The pictures are stored and wait to be posted."""
        ...

    async def failed(self, job: Job) -> None:
        """The job failed; `job.reason` is the sentence for the person."""
        ...

    async def cancelled(self, job: Job) -> None:
        """The job was cancelled."""
        ...

    async def unreadable(self, lost: Unreadable) -> None:
        """A job of an earlier Easel failed because this one cannot read it; `lost.sentence` is for the person."""
        ...


class Nobody:
    """A listener that does nothing: for a studio without Discord."""

    def progressed(self, job_id: int) -> None:
        """Do nothing."""

    async def rendered(self, job: Job, images: tuple[Image, ...]) -> None:
        """Do nothing."""

    async def failed(self, job: Job) -> None:
        """Do nothing."""

    async def cancelled(self, job: Job) -> None:
        """Do nothing."""

    async def unreadable(self, lost: Unreadable) -> None:
        """Do nothing."""
