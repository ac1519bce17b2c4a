"""One model tool from its start to its end: a program of the engine's that gets a command and tells how far it is.

Owns that nothing outlives whoever asked: given up in the middle, the program is told to end, is ended if it does not, and what it
left unfinished is removed. Refuses to know what the tools do.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from inference.api.tools import Advanced, Command, Finding, Opened, Outcome, Refused, decode_report, frame
from inference.api.wire import HEADER, WireError, length_of
from inference.client.channel import PROJECT

_log = logging.getLogger("easel.tool")

COMMAND: Final = (sys.executable, "-m", "inference.engine.tools")
GRACE: Final = 5.0
"""Seconds that a program has to remove what it was making before it is ended."""
T = TypeVar("T", bound=Outcome)


class ToolFailed(Exception):
    """The tool made nothing; the message is a sentence for the person."""


async def run_tool(
    command: Command,
    wanted: type[T],
    *,
    heard: Callable[[Advanced | Finding], None] | None = None,
    program: Sequence[str] = COMMAND,
) -> T:
    """Have `command` done, telling `heard` what happens on the way. Raises ToolFailed.

    Cancelled, it returns when the program is gone and nothing of its work is left.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *program, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=PROJECT, limit=1 << 20
        )
    except OSError as error:
        raise ToolFailed(f"The model tools cannot be started: {error}.") from error
    unfinished: list[Path] = []
    last: deque[str] = deque(maxlen=3)
    log = asyncio.create_task(_log_lines(process, last), name="a tool's log")
    try:
        outcome = await _listen(process, command, heard, unfinished)
    finally:
        await asyncio.shield(_end(process, log, unfinished))
    match outcome:
        case Refused(message=message):
            raise ToolFailed(message)
        case None:
            words = f" Its last words: {last[-1]}" if last else ""
            raise ToolFailed(f"The model tools ended in the middle of their work; nothing of it is left.{words}")
        case _ if isinstance(outcome, wanted):
            return outcome
        case _:
            raise ToolFailed("The model tools answered something else than they were asked.")


async def _listen(
    process: Process,
    command: Command,
    heard: Callable[[Advanced | Finding], None] | None,
    unfinished: list[Path],
) -> Outcome | None:
    """What came of it; None when the program ended without a word."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both were asked for
    with suppress(ConnectionError):
        process.stdin.write(frame(command))
        await process.stdin.drain()
    try:
        while True:
            header = await process.stdout.readexactly(HEADER.size)
            report = decode_report(await process.stdout.readexactly(length_of(header)))
            match report:
                case Opened(path=path):
                    unfinished.append(Path(path))
                case Advanced() | Finding():
                    if heard is not None:
                        heard(report)
                case _:
                    return report
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except WireError as error:
        raise ToolFailed(f"The model tools said something that is not ours ({error}).") from error


async def _end(process: Process, log: asyncio.Task[None], unfinished: Sequence[Path]) -> None:
    """Let the program end by itself: its input closes, which tells it to. Then by force, and remove what it left."""
    assert process.stdin is not None  # noqa: S101 - it was asked for
    process.stdin.close()
    try:
        async with asyncio.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    await log
    for path in unfinished:
        with suppress(OSError):
            path.unlink(missing_ok=True)


async def _log_lines(process: Process, last: deque[str]) -> None:
    assert process.stderr is not None  # noqa: S101 - it was asked for
    rest = b""
    while chunk := await process.stderr.read(1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            if text:
                last.append(text)
                _log.info("%s", text)
