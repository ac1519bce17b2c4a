"""The database: whether it opens, what waits in it, and whether another process has it. Refuses to know SQL.

Opening brings an older file to the newest revision, as the next start would.
"""

from bot.commands.checks.finding import Finding, fault, note, ok
from bot.settings import Settings
from storage.database import FILE, Database
from storage.errors import DatabaseHeld, DatabaseUnavailable
from storage.tables import REVISIONS

MIB = 2**20
TOPIC = "Database"


async def memory_findings(settings: Settings) -> tuple[Finding, ...]:
    """One line about the database; where there is none yet, none is made."""
    file = settings.data / FILE
    if not file.exists():
        return (ok(TOPIC, f"none yet; the first start makes {file}"),)
    try:
        db = await Database.open(settings.data)
    except DatabaseHeld as error:
        advice = "That is right while Easel runs; otherwise stop it. This Easel cannot start beside it."
        return (note(TOPIC, error.sentence.partition(". ")[0], advice),)
    except DatabaseUnavailable as error:
        found, _, advice = error.sentence.partition(". ")
        return (fault(TOPIC, found, advice),)
    try:
        waiting = len(await db.jobs.unfinished())
    finally:
        await db.close()
    work = f"; {waiting} unfinished jobs go on at the next start" if waiting else ""
    size = file.stat().st_size / MIB
    return (ok(TOPIC, f"{file} opens, {size:.1f} MiB, revision {REVISIONS[-1]}{work}"),)
