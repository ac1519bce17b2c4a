"""The program: one command comes in over standard input, reports go out over standard output, and it ends.

Owns the frames and the end. When standard input is closed, whoever asked is gone or wants no more: what is half-done is given
up, and removed, at once. Standard error is for the log.
"""

import _thread
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from inference.api.tools import Command, Refused, Report, decode_command, frame
from inference.api.wire import HEADER, WireError, length_of

NICENESS: Final = 10
"""How far a tool stands behind the bot and the painter (POSIX)."""
_OURS: Final = "That could not be done, for a reason of Easel's own; its log says more. Nothing is left of it."


def main() -> int:
    """Obey the one command; returns the exit status: 0 after an outcome, also one that is a refusal."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not come between the frames
    commands = os.fdopen(os.dup(0), "rb", buffering=0)
    try:
        command = _command(commands)
    except WireError as error:
        print(f"ERROR This program is started by Easel: {error}.", file=sys.stderr)  # noqa: T201
        return 2
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    threading.Thread(target=_watch, args=(commands,), name="watch", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        _send(out, _done(command, lambda report: _send(out, report)))
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    return 0


def _done(command: Command, tell: Callable[[Report], None]) -> Report:
    """The outcome of `command`, whatever happens on the way."""
    # Only now: these bring torch, which takes long enough for somebody to change their mind.
    from inference.engine.tools.refusal import ToolRefused
    from inference.engine.tools.table import tool_for

    try:
        return tool_for(command)(command, tell)
    except ToolRefused as error:
        return Refused(str(error))
    except MemoryError:
        return Refused("There is not enough memory for this. Close other programs, and try again.")
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the person gets a sentence
        traceback.print_exc()
        return Refused(_OURS)


def _command(commands: Any) -> Command:
    header = _exactly(commands, HEADER.size)
    return decode_command(_exactly(commands, length_of(header)))


def _exactly(stream: Any, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            raise WireError("no command came")
        data += more
    return data


def _watch(commands: Any) -> None:
    """End the work when the other side is gone."""
    while commands.read(1):
        pass
    _thread.interrupt_main(signal.SIGINT)


def _send(out: BinaryIO, report: Report) -> None:
    out.write(frame(report))
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
