"""An open job in memory: what the queue and the painter need of it, and how far it has come.

Owns how events change it. The row in storage is the truth; this is what would be read from it all the time.
"""

import asyncio
from dataclasses import dataclass

from bot.jobs.cost import model_of, rows_of
from inference.api.wire import Failed, Finished, JobEvent, Preview, Progress, Started
from storage.values import Job

STORING = "storing"
"""The stage of a job whose pictures are there and are being written down."""


@dataclass(slots=True)
class OpenJob:
    """`job` is as it was when it was queued. `cost` is in predicted seconds of the machine, `deaths` counts workers;
    `adrift` says that its row could not be written and may not be true.

    `painting` is the task that reads the painter's events while there is one; ending it ends the painter's work.
    """

    job: Job
    cost: float
    tflop: float
    deaths: int = 0
    adrift: bool = False
    cancelled: bool = False
    painting: asyncio.Task[Finished | Failed] | None = None
    started: bool = False
    done: int = 0
    total: int = 0
    stage: str = ""
    preview: bytes | None = None
    preview_index: int = 0

    @property
    def id(self) -> int:
        """Of the job."""
        return self.job.id

    @property
    def model(self) -> str:
        """The checkpoint that must be loaded; "" for none."""
        return model_of(self.job.request)

    @property
    def rows(self) -> int:
        """UNet rows in one forward."""
        return rows_of(self.job.request)

    @property
    def lane(self) -> str:
        """Who shares the painter fairly with whom."""
        return f"{self.job.address.guild or 0}:{self.job.address.person}"

    @property
    def left(self) -> float:
        """Seconds of the machine that are still to come, by the prediction."""
        return self.cost * (1.0 - self.done / self.total) if self.total else self.cost

    def heard(self, event: JobEvent) -> None:
        """Take over what `event` tells."""
        match event:
            case Started():
                self.started, self.stage = True, "loading"
            case Progress(done=done, total=total, stage=stage):
                self.done, self.total, self.stage = min(done, total), total, stage
            case Preview(data=data, index=index):
                self.preview, self.preview_index = data, index
            case Finished():
                self.done = self.total = max(1, self.total)
                self.stage = STORING
            case _:
                pass

    def forget_progress(self) -> None:
        """It begins anew."""
        self.started, self.done, self.total, self.stage, self.preview, self.preview_index = False, 0, 0, "", None, 0
