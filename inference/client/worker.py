"""One worker process from its start to its end: frames out, frames in, its log, its death. Never outlives its owner.

Refuses to know about jobs and about starting again.
"""

import asyncio
import logging
import re
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from inference.api.wire import HEADER, Command, Event, WireError, decode_event, frame, length_of
from inference.client.channel import start_worker

_log = logging.getLogger("easel.worker")
_LEVEL = re.compile(r"^(DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class Worker:
    """A running worker. Made by `Worker.start`; over when `read` returns."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self.last_lines: deque[str] = deque(maxlen=3)
        self._logging = asyncio.create_task(self._log_output())

    @classmethod
    async def start(cls, command: Sequence[str]) -> "Worker":
        """Run `command` (a channel argument is added). Raises OSError when it cannot be run."""
        process, ours = await start_worker(command)
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def send(self, command: Command) -> None:
        """Hand over `command`; one that is sent to a dead worker is lost. Raises WireError when it is too large."""
        data = frame(command)
        if not self._writer.is_closing():
            self._writer.write(data)

    async def read(self, heard: Callable[[Event], None]) -> str:
        """Pass every event to `heard` until the worker is gone; returns why it is gone, in words."""
        try:
            while True:
                header = await self._reader.readexactly(HEADER.size)
                heard(decode_event(await self._reader.readexactly(length_of(header))))
        except WireError as error:
            return f"it sent something that is not ours ({error})"
        except (asyncio.IncompleteReadError, ConnectionError):
            return "it ended"

    def kill(self) -> None:
        """End the process now; `read` then returns."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def ended(self, *, within: float) -> int:
        """Wait `within` seconds for the process to end by itself, then kill it. Returns its exit status."""
        self._writer.close()
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        status = await self._process.wait()
        await self._logging
        with suppress(OSError):
            await self._writer.wait_closed()
        return status

    async def _log_output(self) -> None:
        stream, rest, level = self._process.stdout, b"", logging.INFO
        assert stream is not None  # noqa: S101 - it was asked for
        while chunk := await stream.read(1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                level = self._log_line(line.decode(errors="replace").rstrip(), level)
        if rest:
            self._log_line(rest.decode(errors="replace").rstrip(), level)

    def _log_line(self, line: str, level: int) -> int:
        """Log `line` at the level that it or the last line before it names; returns that level."""
        match = _LEVEL.match(line)
        if match is not None:
            level, line = logging.getLevelNamesMapping()[match[1]], line[match.end() :]
        if line:
            self.last_lines.append(line)
            _log.log(level, "%s", line)
        return level
