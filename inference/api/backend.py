"""What the bot may ask of a painter, however and wherever it runs."""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from inference.api.request import Request
from inference.api.wire import JobEvent, Ready


class Backend(Protocol):
    """A painter. Several jobs may be generated at the same time; like work is batched behind this line."""

    async def start(self) -> Ready:
        """Bring the painter up. Raises BackendUnavailable with a sentence for the operator when it cannot be."""
        ...

    @property
    def ready(self) -> Ready | None:
        """What the painter last said of itself; None while it is not up."""
        ...

    def generate(
        self, job: int, request: Request, *, attachments: Mapping[str, bytes], lane: str = ""
    ) -> AsyncGenerator[JobEvent, None]:
        """Paint, and yield the job's events; the last is Finished or Failed.

        The job is handed over at the first `anext`; where the painter is being brought up again, that waits for it.
        A worker that dies yields Failed with the code `worker_died`; closing the generator early (`contextlib.aclosing`)
        cancels the job. Raises BackendUnavailable when the painter was never started or has been closed.
        """
        ...

    async def cancel(self, job: int) -> None:
        """Ask for an end; unknown jobs are ignored. The job's iterator then yields Failed with `cancelled`."""
        ...

    async def refresh(self) -> Ready:
        """Look at the models folders again."""
        ...

    async def aclose(self) -> None:
        """End the painter and everything it runs."""
        ...


class BackendUnavailable(Exception):
    """The painter cannot be started or does not answer; the message is a sentence for the operator."""
