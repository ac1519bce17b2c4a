"""Starting the worker with one end of a socket pair, on every platform; and nothing about what is said over it.

POSIX: exec with the descriptor inherited. Windows: `socket.share` needs the process id of the real interpreter, which a
virtual environment's launcher hides, so the worker prints it first. No port stays open either way.
"""

import asyncio
import socket
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
"""The worker's working folder: its modules are found there."""


async def start_worker(command: Sequence[str]) -> tuple[Process, socket.socket]:
    """Run `command` plus one argument that leads it to its socket; returns the process and our end. Raises OSError.

    Both output streams of the worker come out of `process.stdout`.
    """
    ours, theirs = socket.socketpair()
    try:
        ours.setblocking(False)
        with theirs:
            process = await (_shared(command, theirs) if sys.platform == "win32" else _inherited(command, theirs))
    except BaseException:
        ours.close()
        raise
    return process, ours


async def _inherited(command: Sequence[str], theirs: socket.socket) -> Process:
    return await asyncio.create_subprocess_exec(
        *command,
        str(theirs.fileno()),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        pass_fds=(theirs.fileno(),),
        cwd=PROJECT,
    )


async def _shared(command: Sequence[str], theirs: socket.socket) -> Process:
    process = await asyncio.create_subprocess_exec(
        *command, "share", stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=PROJECT
    )
    try:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both were asked for
        pid = int(await process.stdout.readline())
        share = getattr(theirs, "share")(pid)  # noqa: B009 - exists on Windows only
        process.stdin.write(struct.pack(">I", len(share)) + share)
        await process.stdin.drain()
        process.stdin.close()
    except ValueError as error:
        process.kill()
        await process.wait()
        raise OSError("the worker ended before it said its process id") from error
    return process
