"""The lists of tags: files of `name,type,count,"alias,alias"` (a1111-sd-webui-tagcomplete's form) in `tags` beside the models.

Owns how they are read, joined and put in order, and that they are read again when they have changed. `index` is from memory;
`look` blocks, and runs in a thread.
"""

import csv
import threading
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Final

from bot.completion.index import Tag, TagIndex
from bot.completion.screening import is_for_adults, may_be_suggested

LONGEST: Final = 80
"""Letters of a tag; more do not fit into Discord's 100 with anything before it."""
MOST: Final = 500_000
"""Tags that are read."""
ALIASES: Final = 20


def tag_folders(models: Sequence[Path]) -> tuple[Path, ...]:
    """Where lists of tags may lie beside folders of models."""
    return tuple(root / "tags" for root in models)


class Tags:
    """The tags in `folders`, all files of each; of equal names the larger count holds. Folders may be missing."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)
        self._lock = threading.Lock()
        self._signature: tuple[tuple[str, int, int], ...] | None = None
        self.index: TagIndex | None = None
        """As last read; None before the first time."""

    def look(self) -> TagIndex:
        """Read the files again where one has changed."""
        with self._lock:
            signature = tuple(self._files())
            if self.index is None or signature != self._signature:
                self._signature = signature
                self.index = TagIndex(_ordered(Path(name) for name, _, _ in signature))
            return self.index

    def _files(self) -> Iterator[tuple[str, int, int]]:
        for folder in self._folders:
            for path in sorted(folder.glob("*.csv")):
                try:
                    stat = path.stat()
                except OSError:
                    continue
                yield str(path), stat.st_mtime_ns, stat.st_size


def _ordered(files: Iterator[Path]) -> Iterator[Tag]:
    """The tags of `files` that may be suggested, those with the largest counts first."""
    found: dict[str, tuple[int, str]] = {}
    for path in files:
        for name, count, aliases in read_rows(path):
            if len(found) >= MOST:
                break
            if name not in found or count > found[name][0]:
                found[name] = (count, aliases)
    for name, (_, aliases) in sorted(found.items(), key=lambda item: -item[1][0]):
        if may_be_suggested(name):
            others = (alias.strip() for alias in aliases.split(","))
            kept = tuple(alias for alias in others if 0 < len(alias) <= LONGEST and may_be_suggested(alias))
            yield Tag(name, kept[:ALIASES], is_for_adults(name))


def read_rows(path: Path) -> Iterator[tuple[str, int, str]]:
    """Name, count and aliases of each row; what is no row of a list is left out, and so is a file that cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield from filter(itemgetter(0), map(_row, csv.reader(file)))
    except (OSError, csv.Error):
        return


def _row(cells: Sequence[str]) -> tuple[str, int, str]:
    name = cells[0].strip() if cells else ""
    count = cells[2].strip() if len(cells) > 2 else ""
    number = int(count) if count.isascii() and count.isdecimal() and len(count) < 12 else 0
    return (name if len(name) <= LONGEST else ""), number, cells[3] if len(cells) > 3 else ""
