"""What the doctor says about the database: real files, real locks."""

import asyncio
import sys
from asyncio.subprocess import PIPE

from bot.commands.checks.finding import Level
from bot.commands.checks.memory import memory_findings
from bot.settings import PROJECT
from storage.database import FILE, Database
from tests.unit.bot.commands.conftest import Make

HOLD = """
import asyncio, pathlib, sys
from storage.database import Database
async def hold():
    db = await Database.open(pathlib.Path(sys.argv[1]))
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await db.close()
asyncio.run(hold())
"""


async def test_before_the_first_start_nothing_is_made(make: Make) -> None:
    """Where there is no database the line says so, and afterwards there still is none."""
    settings = make()
    (finding,) = await memory_findings(settings)
    assert finding.level is Level.OK
    assert "none yet" in finding.found
    assert not settings.data.exists()


async def test_a_good_database_opens_and_is_let_go(make: Make) -> None:
    """The line tells size and revision, and the bot can open the database afterwards."""
    settings = make()
    await (await Database.open(settings.data)).close()
    (finding,) = await memory_findings(settings)
    assert finding.level is Level.OK
    assert "revision" in finding.found
    await (await Database.open(settings.data)).close()


async def test_a_running_easel_is_no_fault(make: Make) -> None:
    """While another process holds the database, the line names that process, and it does not count as broken."""
    settings = make()
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(settings.data), cwd=PROJECT, stdin=PIPE, stdout=PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"open\n"
    (finding,) = await memory_findings(settings)
    await holder.communicate(b"")
    assert finding.level is Level.NOTE
    assert f"process {holder.pid}" in finding.found
    assert "right while Easel runs" in finding.advice


async def test_a_file_that_is_no_database_is_a_fault(make: Make) -> None:
    """A damaged file is named with what to do, and left as it is."""
    settings = make()
    settings.data.mkdir()
    (settings.data / FILE).write_text("this is not a database" * 100)
    (finding,) = await memory_findings(settings)
    assert finding.level is Level.FAULT
    assert "damaged" in finding.found
    assert "backup" in finding.advice
    assert (settings.data / FILE).read_text().startswith("this is not a database")
