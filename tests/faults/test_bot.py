"""kill -9 of the bot and of the worker at every state of a job: what was acknowledged is delivered, and never twice."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bot.sandbox.driver import Person
from bot.sandbox.faults import Fault, Kind
from bot.sandbox.server import Loopback
from bot.settings import PROJECT
from storage.database import Database
from storage.values import JobState
from tests.e2e.conftest import ada, clock, loopback, openapi  # noqa: F401 - fixtures
from tests.e2e.easel import is_result, results_in

COMMANDS = 6


class Bot:
    """The process of a bot."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def worker(self) -> psutil.Process:
        """The painter's process."""
        (worker,) = (
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if "tests.faults.painting_worker" in " ".join(child.cmdline())
        )
        return worker

    async def kill(self) -> None:
        """SIGKILL; the worker must go too."""
        worker = self.worker()
        self.process.kill()
        await self.process.wait()
        await asyncio.to_thread(worker.wait, 20)

    async def end(self) -> None:
        """As Ctrl-C does it."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), 30) == 0


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """While this file exists, nothing gets finished."""
    return tmp_path / "hold"


Start = Callable[[], "asyncio.Future[Bot]"]


@pytest.fixture
async def start(loopback: Loopback, ada: Person, tmp_path: Path, hold: Path) -> AsyncIterator[Callable]:  # noqa: F811
    """Starts a bot over one and the same memory, and waits until it is there."""
    started: list[Bot] = []

    async def run() -> Bot:
        command = (sys.executable, "-m", "tests.faults.bot_process")
        where = (loopback.urls.api, loopback.urls.gateway, loopback.token, str(tmp_path / "data"), str(hold))
        process = await asyncio.create_subprocess_exec(*command, *where, cwd=PROJECT)
        bot = Bot(process)
        started.append(bot)
        await ada.until(lambda: ada.view()["bot"]["online"] and len(ada.commands("#paint")) >= COMMANDS, timeout=30)
        return bot

    yield run
    for bot in started:
        if bot.process.returncode is None:
            await bot.kill()


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Database]:
    """The bot's memory, once no bot has it."""
    db = await Database.open(folder)
    yield db
    await db.close()


async def ask(person: Person, *prompts: str) -> None:
    """Ask for four pictures a prompt, each acknowledged."""
    for prompt in prompts:
        exchange = await person.slash("imagine", "#paint", prompt=prompt)
        await exchange.answered()


async def all_there(person: Person, count: int) -> None:
    """Wait until `count` cards with pictures are there."""
    await person.until(lambda: len(results_in(person, "#paint")) >= count, timeout=30)


async def only_once(person: Person, folder: Path, count: int) -> None:
    """Every job is delivered, and there is one card for each."""
    async with memory(folder) as db:
        jobs = [await db.jobs.get(number) for number in range(1, count + 1)]
        assert [job and job.state for job in jobs] == [JobState.DELIVERED] * count
        assert await db.jobs.unfinished() == ()
        assert await db.jobs.get(count + 1) is None
    assert len(results_in(person, "#paint")) == count
    assert not [m for m in person.messages("#paint") if not is_result(m)], "no queue card stays behind"


async def test_killed_while_jobs_wait_and_run(start, ada: Person, hold: Path, tmp_path: Path) -> None:  # noqa: F811
    """Two jobs are being painted and a third waits: after kill -9 and another start all three arrive, once."""
    hold.touch()
    bot = await start()
    await ask(ada, "first", "second", "third")
    await bot.kill()
    hold.unlink()
    again = await start()
    await all_there(ada, 3)
    await ada.until(lambda: len(ada.messages("#paint")) == 3)
    await again.end()
    await only_once(ada, tmp_path / "data", 3)


@pytest.mark.parametrize("made", [False, True], ids=["before it is made", "after it is made"])
async def test_killed_while_the_pictures_are_posted(
    start,
    loopback: Loopback,  # noqa: F811
    ada: Person,  # noqa: F811
    tmp_path: Path,
    made: bool,
) -> None:
    """The bot dies with the post on its way, whether or not Discord had made the message: it is there once."""
    bot = await start()
    killed = asyncio.Event()

    def strike(method: str, path: str) -> bool:
        if method == "POST" and path.endswith("/messages") and "/channels/" in path and not killed.is_set():
            bot.process.kill()
            killed.set()
            return True
        return False

    loopback.faults.orders.append(Fault(Kind.DROP_ANSWER if made else Kind.RESET, strike))
    await ask(ada, "once")
    await asyncio.wait_for(killed.wait(), 30)
    await bot.process.wait()
    again = await start()
    await all_there(ada, 1)
    await ada.until(lambda: len(ada.messages("#paint")) == 1)
    await again.end()
    await only_once(ada, tmp_path / "data", 1)


async def test_killed_when_all_but_the_queue_card_is_done(
    start,
    loopback: Loopback,  # noqa: F811
    ada: Person,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Delivered is delivered: another start posts nothing again."""
    bot = await start()
    killed = asyncio.Event()

    def strike(method: str, path: str) -> bool:
        if method == "DELETE" and not killed.is_set():
            bot.process.kill()
            killed.set()
            return True
        return False

    loopback.faults.orders.append(Fault(Kind.RESET, strike))
    await ask(ada, "once")
    await asyncio.wait_for(killed.wait(), 30)
    await bot.process.wait()
    again = await start()
    await ask(ada, "then another")
    await all_there(ada, 2)
    await again.end()
    async with memory(tmp_path / "data") as db:
        assert [(await db.jobs.get(number)).state for number in (1, 2)] == [JobState.DELIVERED] * 2
    assert len(results_in(ada, "#paint")) == 2


async def test_the_worker_is_killed_in_the_middle(start, ada: Person, hold: Path, tmp_path: Path) -> None:  # noqa: F811
    """The bot brings up another worker, and the picture arrives, once."""
    hold.touch()
    bot = await start()
    await ask(ada, "held")
    worker = bot.worker()
    hold.unlink()
    worker.kill()
    await all_there(ada, 1)
    await ada.until(lambda: len(ada.messages("#paint")) == 1)
    await bot.end()
    await only_once(ada, tmp_path / "data", 1)
