"""One view of a file of weights, whichever its format: names, shapes, and tensors one at a time.

Owns the choice of reader by ending. Refuses to know what the weights are for.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from safetensors import SafetensorError, safe_open
from torch import Tensor

from inference.engine.bad_file import BadFile
from inference.engine.headers import read_header
from inference.engine.pickles import read_pickle, tensors_of


class WeightsFile:
    """An open file of weights; use it as a context manager. Tensors are read when asked for, on the CPU."""

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises BadFile when it is damaged, of another kind or dangerous; OSError when unreadable."""
        self.path = path
        if path.suffix == ".safetensors":
            header = read_header(path)
            self.shapes: Mapping[str, tuple[int, ...]] = header.shapes
            self.metadata: Mapping[str, str] = header.metadata
            try:
                self._read: Callable[[str], Tensor] = safe_open(str(path), framework="pt", device="cpu").get_tensor
            except SafetensorError as error:
                raise BadFile("is damaged: its header is not a safetensors header; download it again.") from error
        else:
            tensors = tensors_of(read_pickle(path))
            self._read = tensors.__getitem__
            self.shapes = {name: tuple(value.shape) for name, value in tensors.items()}
            self.metadata = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        del self._read

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def read(self, name: str) -> Tensor:
        """The tensor `name` as stored; it may share memory with the file, so copy before writing to it."""
        return self._read(name).detach()


def read_shapes(path: Path) -> tuple[Mapping[str, tuple[int, ...]], Mapping[str, str]]:
    """Shapes by name, and metadata, of a file of weights, without reading its tensors. Raises BadFile, OSError."""
    if path.suffix == ".safetensors":
        header = read_header(path)
        return header.shapes, header.metadata
    tensors = tensors_of(read_pickle(path, shapes_only=True))
    return {name: tuple(value.shape) for name, value in tensors.items()}, {}
