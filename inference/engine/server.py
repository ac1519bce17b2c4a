"""Frames in, events out: the threads around the engine's loop, and nothing of what the loop does.

The main thread paints. A reader thread decodes commands; a writer thread sends events, so that painting never waits for the
other side to read; a third says Alive each second with the count of forwards. The end of the socket is the end of the
parent, and ends this process at once, whatever it is doing.
"""

import logging
import os
import queue
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from inference.api.errors import FailureCode
from inference.api.wire import (
    HEADER,
    VERSION,
    Alive,
    Cancel,
    Command,
    Event,
    Failed,
    Finished,
    Hello,
    Ready,
    Refresh,
    Shutdown,
    Submit,
    WireError,
    decode_command,
    frame,
    length_of,
)

if TYPE_CHECKING:
    from inference.engine.loop import Engine
    from inference.engine.studio import Studio

_log = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between two Alive."""
_TOO_LARGE = "The pictures are too large to be handed over together; ask for fewer, or for smaller ones."
NICENESS = 10
"""How far a painter on the processor stands behind the bot (POSIX)."""


class Connection:
    """The socket to the parent. `gone` is called, from the reader's thread, when it ends or what comes is not ours."""

    def __init__(self, sock: socket.socket, *, gone: Callable[[int], None]) -> None:
        self._socket, self._gone = sock, gone
        self.commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._outgoing: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)

    def open(self) -> None:
        """Begin to read and write."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        self._writer.start()

    def send(self, event: Event) -> None:
        """Queue `event`; returns at once."""
        self._outgoing.put(event)

    def close(self) -> None:
        """Send what is queued, then stop writing."""
        self._outgoing.put(None)
        self._writer.join()

    def _read(self) -> None:
        status = 0
        try:
            with self._socket.makefile("rb") as stream:
                while len(header := stream.read(HEADER.size)) == HEADER.size:
                    self.commands.put(decode_command(stream.read(length_of(header))))
        except WireError as error:
            _log.error("Ending: %s", error)
            status = 3
        except OSError:
            pass
        self._gone(status)

    def _write(self) -> None:
        while (event := self._outgoing.get()) is not None:
            try:
                data = frame(event)
            except WireError:
                job = event.job if isinstance(event, Finished) else 0
                data = frame(Failed(job, FailureCode.BAD_REQUEST, _TOO_LARGE))
            try:
                self._socket.sendall(data)
            except OSError:
                return


def end_process(status: int) -> None:
    """End at once, from any thread and in the middle of any forward: nothing here outlives the parent."""
    logging.shutdown()
    os._exit(status)


def serve(sock: socket.socket) -> int:
    """Shake hands and paint until Shutdown; returns the exit status."""
    connection = Connection(sock, gone=end_process)
    connection.open()
    hello = connection.commands.get()
    if not isinstance(hello, Hello) or hello.version != VERSION:
        _log.error("Ending: the other side does not speak version %d of the protocol", VERSION)
        return 2
    counts: Callable[[], Alive] = lambda: Alive(0, 0)  # noqa: E731 - replaced below, once there is something to count
    stopped = threading.Event()

    def beat() -> None:
        while True:
            connection.send(counts())
            if stopped.wait(HEARTBEAT):
                return

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
    # Only now: these bring torch and diffusers, which take long enough for the other side to want a sign of life.
    from inference.engine.loop import Engine
    from inference.engine.studio import Studio

    studio = Studio(hello.settings)
    if studio.device.type == "cpu":
        _give_way()
    engine = Engine(
        prepare=studio.prepare,
        send=connection.send,
        forwards=studio.forwards,
        free=studio.free,
        max_rows=hello.settings.max_rows,
        preview_every=hello.settings.preview_every,
    )
    counts = lambda: Alive(engine.forwards.calls, engine.running)  # noqa: E731
    connection.send(Ready(studio.describe(), studio.inventory))
    _serve_commands(connection, engine, studio)
    stopped.set()
    connection.close()
    return 0


def _give_way() -> None:
    """Let the bot go first: a painter that computes on every core would keep people waiting for a word.

    The threads that compute are started later by this one, and inherit it.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def _serve_commands(connection: Connection, engine: "Engine", studio: "Studio") -> None:
    """Obey commands between two turns of the engine; wait for them while it has nothing to do."""
    while True:
        try:
            command = connection.commands.get(block=not engine.running)
        except queue.Empty:
            engine.turn()
            continue
        match command:
            case Submit():
                engine.submit(command)
            case Cancel(job=job):
                engine.cancel(job)
            case Refresh():
                studio.refresh()
                connection.send(Ready(studio.describe(), studio.inventory))
            case Shutdown():
                return
            case Hello():
                _log.warning("A second Hello was ignored")
