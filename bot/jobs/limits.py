"""How much a person and a server may have in the queue at once, counted when a job is queued.

Owns the counts of open jobs (queued or running) and the sentences. What is in a request is `bot.requests`' business, but for
the size of an enlargement, which only the picture itself tells.
"""

import io
from collections import Counter

from PIL import Image, UnidentifiedImageError

from bot.errors import LimitReached, RequestRefused
from bot.settings import LimitSettings
from inference.api.enlarging import UpscaleRequest, check_result, factor_of, result_size
from inference.api.errors import RequestInvalid
from storage.values import Address


class OpenJobs:
    """Counts of open jobs by person and by server."""

    def __init__(self) -> None:
        self._people: Counter[int] = Counter()
        self._guilds: Counter[int] = Counter()

    def of_person(self, person: int) -> int:
        """How many this person has open, wherever."""
        return self._people[person]

    def of_guild(self, guild: int) -> int:
        """How many are open in this server."""
        return self._guilds[guild]

    def add(self, address: Address) -> None:
        """One more."""
        self._people[address.person] += 1
        if address.guild is not None:
            self._guilds[address.guild] += 1

    def remove(self, address: Address) -> None:
        """One less."""
        self._people[address.person] -= 1
        if address.guild is not None:
            self._guilds[address.guild] -= 1
        for counts, key in ((self._people, address.person), (self._guilds, address.guild)):
            if key is not None and counts[key] <= 0:
                del counts[key]


def check_caps(counts: OpenJobs, address: Address, limits: LimitSettings) -> None:
    """Return when one more job may be queued. Raises LimitReached."""
    if counts.of_person(address.person) >= limits.jobs_per_person:
        raise LimitReached(
            f"You have {_jobs(limits.jobs_per_person)} waiting or being painted, which is as many as one person may have; "
            "wait for one of them, or cancel it."
        )
    if address.guild is not None and counts.of_guild(address.guild) >= limits.jobs_per_guild:
        raise LimitReached(
            f"This server has {_jobs(limits.jobs_per_guild)} waiting or being painted, which is as many as one may have; "
            "try again in a while."
        )


def check_enlargement(request: UpscaleRequest, data: bytes, limits: LimitSettings) -> int:
    """Pixels of the picture `data` that is to be enlarged, read from its header; nothing is decoded.

    Raises LimitReached when the result would be larger than a picture may be, RequestRefused when `data` is no picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise RequestRefused("What is to be enlarged is not a PNG, JPEG or WebP picture.") from error
    try:
        check_result(request, (width, height))
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    wide, high = result_size(request, (width, height))
    if wide * high > limits.max_megapixels * 1e6:
        raise LimitReached(
            f"Enlarged {factor_of(request, (width, height)):.3g} times, this picture would have {wide:,} × {high:,} pixels, "
            f"more than the {limits.max_megapixels:g} megapixels allowed here."
        )
    return width * height


def _jobs(count: int) -> str:
    return "one job" if count == 1 else f"{count} jobs"
