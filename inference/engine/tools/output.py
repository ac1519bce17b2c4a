"""Files that are there whole or not at all: room looked for first, written without a name, named when done.

Owns that no file is ever overwritten that was not meant to be, and that none is left half-written, whatever ends the program.
Where the system can (Linux), what is written has no name until it is whole, and vanishes even with a power cut; elsewhere its
name is hidden, begins with `MARK`, and is told to who started the program, who removes it when the program cannot.
"""

import os
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from inference.api.filenames import BadName, file_name
from inference.engine.tools.refusal import ToolRefused, unwritten

MARK: Final = ".easel-unfinished-"
"""How names of unfinished files begin."""
SPARE: Final = 64 << 20
"""Bytes that stay free on the disk: others write there too."""
MIB: Final = 1 << 20

Told = Callable[[str], None]
"""Is told the name of an unfinished file, where it has one."""


def target_in(folder: Path, stem: str, ending: str, *, sources: Sequence[Path], overwrite: bool) -> Path:
    """Where `stem` with `ending` is to be written. Raises ToolRefused: a bad name, a source, or a file that is there."""
    try:
        target = folder / file_name(f"{stem}{ending}")
    except BadName as error:
        raise ToolRefused(f"{error} Choose another name.") from error
    if not target.exists() and not target.is_symlink():
        return target
    if any(source.exists() and target.exists() and target.samefile(source) for source in sources):
        raise ToolRefused(f"{target.name} is what it would be made from, and is not overwritten. Choose another name.")
    if not overwrite or not target.is_file() or target.is_symlink():
        raise ToolRefused(
            f"There is already a file {target.name} in {folder}. Choose another name, or allow to overwrite it."
        )
    return target


def check_room(folder: Path, needed: int) -> None:
    """Raise ToolRefused unless `needed` bytes fit on the disk of `folder`, and some more."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise ToolRefused(
            f"The disk of {folder} has {free / MIB:,.0f} MiB free, and {(needed + SPARE) / MIB:,.0f} MiB are needed. "
            "Make room, and try again."
        )


@contextmanager
def unfinished(
    target: Path, *, told: Told, replace: bool = False, nameless: bool = sys.platform == "linux"
) -> Generator[BinaryIO]:
    """A file to write `target` into, which gets its name at the end of the block; after an error there is nothing.

    Raises ToolRefused when it cannot be written, also where a file of that name appeared meanwhile (unless it `replace`s it).
    """
    try:
        with _opened(target, told=told, nameless=nameless) as (file, name):
            yield file
            file.flush()
            os.fsync(file.fileno())
            _publish(file, name, target, replace=replace)
    except FileExistsError as error:
        raise ToolRefused(f"A {target.name} appeared in {target.parent} meanwhile; it stays as it is.") from error
    except OSError as error:
        raise unwritten(target, error) from error


@contextmanager
def _opened(target: Path, *, told: Told, nameless: bool) -> Generator[tuple[BinaryIO, Path | None]]:
    """The file, and where it lies meanwhile: nowhere, if it can be without a name."""
    if nameless and (handle := _without_name(target.parent)) is not None:
        with os.fdopen(handle, "w+b") as file:
            yield file, None
        return
    path = _hidden(target)
    told(str(path))
    try:
        with path.open("w+b") as file:
            yield file, path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _hidden(target: Path) -> Path:
    return target.parent / f"{MARK}{os.getpid()}-{target.name}"


def _without_name(folder: Path) -> int | None:
    """A file in `folder` that nothing points to (open(2), O_TMPFILE); None where the file system knows none."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666) if Path("/proc/self/fd").is_dir() else None
    except (OSError, AttributeError):
        return None


def _publish(file: BinaryIO, name: Path | None, target: Path, *, replace: bool) -> None:
    """Give what was written the name `target` in one step. Raises OSError, FileExistsError."""
    if name is None and replace:
        name = _hidden(target)
        _link(file, name)
    if replace and name is not None:
        name.replace(target)
    elif name is None:
        _link(file, target)
    else:
        try:
            os.link(name, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if target.exists():
                raise
            name.rename(target)


def _link(file: BinaryIO, path: Path) -> None:
    """Name a file that has no name: through the process's table, whose entries are links that must be followed (linkat(2)).

    Python follows only where a folder is given with the path, although that is absolute.
    """
    folder = os.open("/", os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=folder)
    finally:
        os.close(folder)
