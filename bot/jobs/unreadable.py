"""Jobs that an earlier Easel wrote down and this one cannot read: they end, and the person hears why."""

import logging

import msgspec

from bot.jobs.telling import Telling
from storage.database import Database
from storage.values import JobState

log = logging.getLogger(__name__)


async def end_unreadable(db: Database, telling: Telling, *, now: float) -> None:
    """Fail every unfinished job that does not decode, and have it told. `now` is seconds since 1970."""
    for lost in await db.jobs.unreadable():
        log.error("Job %d cannot be taken up: %s", lost.id, lost.sentence)
        if lost.state is JobState.CANCELLED:
            await db.jobs.mark_told(lost.id)  # who cancelled it needs no word of why it would not have been painted
            continue
        if lost.state is not JobState.FAILED:
            await db.jobs.fail(lost.id, reason=lost.sentence, now=now)
        telling.tell_lost(msgspec.structs.replace(lost, state=JobState.FAILED))
