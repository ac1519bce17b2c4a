"""What ends a tool without a result: a sentence for the person, and how a file's own sentence becomes one."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from inference.engine.bad_file import BadFile

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ToolRefused(Exception):
    """Nothing is made of what was asked; the message is one or more whole sentences."""


@contextmanager
def about(path: Path) -> Generator[None]:
    """Turn what is wrong with the file at `path` into a sentence that names it."""
    try:
        yield
    except BadFile as error:
        raise ToolRefused(f"{path.name} {error}") from error
    except FileNotFoundError as error:
        raise ToolRefused(f"There is no file {path}.") from error
    except OSError as error:
        raise ToolRefused(f"{path.name} cannot be read: {error.strerror or error}.") from error


def unwritten(path: Path, error: OSError) -> ToolRefused:
    """What to tell when `path` could not be written."""
    if error.errno in _FULL:
        return ToolRefused(
            f"{path.name} could not be written: the disk, or what Easel may use of it, is full. Nothing of it is left; "
            "make room, and try again."
        )
    return ToolRefused(f"{path.name} could not be written: {error.strerror or error}. Nothing of it is left.")
