"""`python run.py models convert`, `merge`, `add` and `check`: the model tools from the shell, with a bar while they work.

Owns the look of progress and of what came of it. The work is the engine's tools' and `bot.downloads`'.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from bot.discord_ui.markup import counted
from bot.downloads.adding import Ways, Wish, add_model, ways_of
from bot.errors import SetupError
from bot.settings import Settings
from inference.api.tools import Advanced, Check, Checked, Command, Finding, Made, Outcome
from inference.client.tool import ToolFailed, run_tool

GIB: Final = 1 << 30
MIB: Final = 1 << 20
T = TypeVar("T", bound=Outcome)


async def make(command: Command) -> int:
    """Convert or merge, and say what was made. Returns 0. Raises SetupError with the tool's sentence."""
    console = Console(highlight=False, soft_wrap=True)
    made = await _with_bar(console, command, Made)
    for path in made.paths:
        console.print(Text.assemble(("made ", "green"), path))
    for note in made.notes:
        console.print(Text(f"  {note}"))
    console.print(f"{made.bytes / MIB:,.1f} MiB in all. Easel finds it by itself.")
    return 0


async def check_models(settings: Settings) -> int:
    """Read every file of the models folders, and say what is wrong with each. Returns 1 where anything is."""
    console = Console(highlight=False, soft_wrap=True)
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        level, colour = ("fault  ", "bold red") if finding.grave else ("note   ", "yellow")
        console.print(Text.assemble((level, colour), finding.sentence))
        console.print(Text(f"       {finding.path}", "dim"))
        if finding.advice:
            console.print(Text(f"       {finding.advice}", "bold"))

    roots = tuple(str(root) for root in settings.model_folders)
    checked = await _with_bar(console, Check(roots=roots, cache=str(settings.data / "cache")), Checked, tell=tell)
    what = f"{counted(checked.files, 'file')} with {checked.bytes / GIB:,.2f} GiB read"
    if not found:
        console.print(f"{what}: all of them are whole.")
        return 0
    faults = sum(finding.grave for finding in found)
    console.print(f"{what}: {faults:,} marked “fault”, {len(found) - faults:,} marked “note”.")
    return 1


async def add(settings: Settings, wish: Wish, *, ways: Ways | None = None) -> int:
    """Fetch a model, and put it where it belongs. Returns 0. Raises RequestRefused."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        with _bar(console, "downloading") as move:
            added = await add_model(wish, ways or ways_of(settings), heard=move)
    except asyncio.CancelledError:
        console.print(
            "Stopped. What arrived is kept for a week where the server allows it; the same command goes on there."
        )
        raise
    console.print(Text.assemble(("added ", "green"), str(added.path)))
    console.print(Text(f"  It is {added.label}, {added.bytes / MIB:,.1f} MiB, sha256 {added.sha256}."))
    if added.renamed:
        console.print(Text("  Another file had its name, so it got a number."))
    return 0


async def _with_bar(
    console: Console, command: Command, wanted: type[T], *, tell: Callable[[Finding], None] = lambda _: None
) -> T:
    """Have `command` done. Raises SetupError."""
    with _bar(console, "starting") as move:

        def heard(report: Advanced | Finding) -> None:
            if isinstance(report, Finding):
                tell(report)
            else:
                move(report.done, report.total, report.stage)

        try:
            return await run_tool(command, wanted, heard=heard)
        except ToolFailed as error:
            raise SetupError(str(error)) from error
        except asyncio.CancelledError:
            console.print("Stopped. Nothing of it is left.")
            raise


@contextmanager
def _bar(console: Console, stage: str) -> Generator[Callable[..., None]]:
    """A bar that is moved by (done, total, stage); nothing of it stays."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(stage, total=None)

        def move(done: int, total: int | None, stage: str = "") -> None:
            if stage:
                progress.update(task, description=stage)
            progress.update(task, completed=done, total=total)

        yield move
