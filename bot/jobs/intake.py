"""The way into the queue: what is refused, and the row that must be there before anybody is told.

Owns the counts of open jobs and the order of checks. Refuses to know when a job runs.
"""

from collections.abc import Callable, Mapping

from bot.errors import RequestRefused
from bot.jobs.cost import AREA
from bot.jobs.failures import CELL_GONE, SOURCE_GONE
from bot.jobs.limits import OpenJobs, check_caps, check_enlargement
from bot.jobs.open_job import OpenJob
from bot.jobs.pricing import Pricing
from bot.settings import LimitSettings
from inference.api.enlarging import UpscaleRequest
from inference.api.errors import RequestInvalid
from inference.api.request import GenerationRequest, Request, picture_count
from inference.api.single import single
from storage.database import Database
from storage.errors import Missing
from storage.guild_settings import Allowance
from storage.series_values import CellRef
from storage.values import UNSAID, Address, Job, Said


class Intake:
    """Writes jobs down. `now` gives seconds since 1970."""

    def __init__(self, db: Database, *, pricing: Pricing, limits: LimitSettings, now: Callable[[], float]) -> None:
        self._db, self._pricing, self._limits, self._now = db, pricing, limits, now
        self._counts = OpenJobs()

    def reserve(self, address: Address, *, cell: object = None) -> None:
        """Count one more open job, before anything is waited for: nobody gets past a cap by asking twice at once.

        With a `cell` it belongs to a series, which is counted as one thing elsewhere. Raises LimitReached. `release` must
        follow when the job is over, or could not be added.
        """
        if cell is None:
            check_caps(self._counts, address, self._limits)
            self._counts.add(address)

    def release(self, address: Address, *, cell: object = None) -> None:
        """Count one less, unless it belongs to a series."""
        if cell is None:
            self._counts.remove(address)

    async def add(
        self,
        *,
        address: Address,
        request: Request,
        kind: str,
        prompt: str,
        parent: int | None,
        sources: Mapping[str, bytes],
        allowance: Allowance | None = None,
        cell: CellRef | None = None,
        said: Said = UNSAID,
    ) -> OpenJob:
        """Write a reserved job down. Raises RequestRefused, and LimitReached for what would be too large."""
        try:
            single(request, picture_count(request) - 1)
            pixels = await self._pixels_of(request, sources)
            job = await self._db.jobs.add(
                address=address,
                request=request,
                kind=kind,
                prompt=prompt,
                parent=parent,
                cost=self._pricing.seconds_of(request, pixels=pixels),
                now=self._now(),
                sources=sources,
                allowance=allowance,
                cell=cell,
                said=said,
            )
        except RequestInvalid as error:
            raise RequestRefused(str(error)) from error
        except Missing as error:
            raise RequestRefused(CELL_GONE if error.what == "cell" else SOURCE_GONE) from error
        return OpenJob(job, cost=job.cost, tflop=self._pricing.tflop_of(request, pixels=pixels))

    def take_up(self, job: Job) -> OpenJob:
        """A job that was written down before this start. It is counted, whatever the caps are by now."""
        if job.series is None:
            self._counts.add(job.address)
        cost = job.cost or self._pricing.seconds_of(job.request)
        # An enlargement's work depends on a picture that is not looked at here: nothing is learned from it.
        known = isinstance(job.request, GenerationRequest)
        return OpenJob(job, cost=cost, tflop=self._pricing.tflop_of(job.request) if known else 0.0)

    async def _pixels_of(self, request: Request, sources: Mapping[str, bytes]) -> int:
        """Size of the picture that is enlarged, if one is. Raises RequestRefused, LimitReached, Missing."""
        if not isinstance(request, UpscaleRequest):
            return AREA
        data = sources.get(request.picture) or await self._db.pictures.get(request.picture)
        return check_enlargement(request, data, self._limits)
