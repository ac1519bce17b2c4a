"""The operator's wildcards: files of words in `wildcards` beside the other models, and what is drawn from them.

Owns when the folders are read again, and that no template keeps the machine busy for long or ends without a sentence.
Files are read as the `dynamicprompts` library reads them: `.txt` with a value a line, `.yaml` and `.json` with keys. Everything
but `names` blocks; it runs in a thread. One template at a time is drawn, since the library's parsers are shared.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.errors import RequestRefused
from bot.requests.dynamic import unreadable

if TYPE_CHECKING:
    from bot.requests.sampling import Drawer

_ENDINGS: Final = frozenset({".txt", ".yaml", ".json"})
_EMPTY: Final = "This prompt leaves nothing to choose from; write something between the braces, such as {a|b}."
_UNREADABLE: Final = (ValueError, RuntimeError, StopIteration, LookupError, AssertionError, TypeError)
"""What the library raises for templates that make no sense, besides its parser's own error."""
Signature = tuple[tuple[str, int, int], ...]


def wildcard_folders(models: Sequence[Path]) -> tuple[Path, ...]:
    """Where wildcards may lie beside folders of models: in `wildcards`, and where the webui's extension keeps them."""
    beside = [root.parent / "extensions" / "sd-dynamic-prompts" / "wildcards" for root in models]
    return (*(root / "wildcards" for root in models), *beside)


class Wildcards:
    """Wildcards in `folders`; where two hold a file of the same name, the first folder's counts. Folders may be missing."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)
        self._lock = threading.Lock()
        self._signature: Signature = ()
        self._drawer: Drawer | None = None
        self.names: tuple[str, ...] = ()
        """All names as last seen, in alphabetical order; from memory, at once."""

    def look(self) -> tuple[str, ...]:
        """Read the folders again where something has changed in them; the names."""
        with self._lock:
            self._refresh()
            return self.names

    def values(self, name: str) -> tuple[str, ...]:
        """What a wildcard (or pattern such as `animals/*`) may become, in the order of the alphabet; empty for an unknown one."""
        with self._lock:
            self._refresh()
            try:
                return self._made().values(name) if self._signature else ()
            except (OSError, ValueError):  # a file that is gone or locked; a name with .. in it
                return ()

    def drawn(self, template: str, *, seeds: Sequence[int]) -> tuple[str, ...]:
        """A text for each of `seeds`. Raises RequestRefused."""
        return self._with_drawer(template, lambda drawer: drawer.drawn(template, seeds=seeds))

    def combined(self, template: str, *, seed: int, limit: int) -> tuple[str, ...]:
        """The first `limit` combinations. Raises RequestRefused."""
        return self._with_drawer(template, lambda drawer: drawer.combined(template, seed=seed, limit=limit))

    def _with_drawer(self, template: str, act: "Callable[[Drawer], tuple[str, ...]]") -> tuple[str, ...]:
        from pyparsing import ParseBaseException

        with self._lock:
            self._refresh()
            try:
                texts = act(self._made())
            except RequestRefused:
                raise
            except ParseBaseException as error:
                raise unreadable(template, error.loc if error.pstr == template else 0) from error
            except KeyError as error:
                name = (str(error.args[0]).split() or ["", ""])[1:2]
                raise RequestRefused(
                    f"${{{''.join(name)}}} has no value; give it one before, as in ${{name=a cat}}."
                ) from error
            except RecursionError as error:
                raise RequestRefused(
                    "A wildcard or variable of this prompt names itself, so it would never end."
                ) from error
            except OSError as error:
                raise RequestRefused("A wildcard's file cannot be read just now; try again.") from error
            except _UNREADABLE as error:
                raise unreadable(template, 0) from error
        if not texts:
            raise RequestRefused(_EMPTY)
        return texts

    def _refresh(self) -> None:
        """Forget what was read, where the folders hold something else now."""
        signature = tuple(sorted(self._files()))
        if signature != self._signature:
            self._signature, self._drawer = signature, None
            self.names = self._names(signature)

    def _names(self, signature: Signature) -> tuple[str, ...]:
        """Names of the wildcards; those of text files are their paths, for which the library is not needed."""
        paths = [Path(path) for path, _, _ in signature]
        if any(path.suffix != ".txt" for path in paths):
            return self._made().names()
        names = {
            path.relative_to(folder).with_suffix("").as_posix()
            for folder in self._folders
            for path in paths
            if folder in path.parents
        }
        return tuple(sorted(names, key=str.casefold))

    def _made(self) -> "Drawer":
        if self._drawer is None:
            from bot.requests.sampling import Drawer

            self._drawer = Drawer([folder for folder in reversed(self._folders) if folder.is_dir()])
        return self._drawer

    def _files(self) -> Iterator[tuple[str, int, int]]:
        """Path, time and size of every file that may hold wildcards."""
        for folder in self._folders:
            for place, folders, files in os.walk(folder, followlinks=True):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for name in files:
                    path = Path(place) / name
                    if path.suffix in _ENDINGS:
                        try:
                            stat: Any = path.stat()
                        except OSError:
                            continue
                        yield str(path), stat.st_mtime_ns, stat.st_size
