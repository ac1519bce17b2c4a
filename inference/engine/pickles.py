"""`.ckpt`, `.pt` and `.bin` files, read without running what is pickled in them.

A pickle may name any function and have it called. Here torch's weights-only unpickler reads it with a short list of
harmless names; whatever names anything else is refused, and the refusal says what it wanted to run.
"""

import errno
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.engine.bad_file import BadFile

_MEMBER = re.compile(
    r"[^/\\]+/((data/\d+)|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data\.pkl)"
)
"""Member names of torch's zip files (as the webui allows them)."""
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")

WRAPPINGS = ("state_dict", "model_state_dict", "params_ema", "params-ema", "params", "model", "net")
"""Names under which training programs put their table of weights; the first that is there counts, averaged ones before others."""


class Bag:
    """Stands in for classes of which only the data is wanted: keeps whatever state a pickle hands it, does nothing."""

    def __init__(self, *_: object) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


HARMLESS: list[Any] = [
    (Bag, "torch.nn.modules.container.ParameterDict"),
    (Bag, "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"),
    (Bag, "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint"),
    (Bag, "pytorch_lightning.callbacks.early_stopping.EarlyStopping"),
    (Bag, "numpy.core.multiarray.scalar"),
    (Bag, "numpy._core.multiarray.scalar"),
    (Bag, "numpy.dtype"),
]
"""Names that occur in checkpoints beside tensors. Each becomes a Bag: even these are never the real thing."""


def read_pickle(path: Path, *, shapes_only: bool = False) -> Any:
    """The value pickled in `path`; tensors are on the CPU, or without data on the meta device with `shapes_only`.

    Raises BadFile when it is damaged, is not torch's, or would run code; OSError when unreadable.
    """
    _check_members(path)
    zipped = zipfile.is_zipfile(path)
    try:
        with torch.serialization.safe_globals(HARMLESS), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # about pickle protocols; what cannot be read is refused anyway
            return torch.load(
                path,
                map_location="meta" if shapes_only else "cpu",
                weights_only=True,
                mmap=True if zipped and not shapes_only else None,
            )
    except pickle.UnpicklingError as error:
        raise BadFile(_refusal(str(error))) from error
    except (
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        AssertionError,
    ) as error:
        raise BadFile("is damaged or is no file of torch's; download it again.") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # that is how torch's reader takes an archive that is cut off
            raise
        raise BadFile("is cut off or damaged; download it again.") from error


def _refusal(message: str) -> str:
    if found := _GLOBAL.search(message):
        return f"is refused: opening it would run “{found[1]}”. Weights have no need for that; do not trust this file."
    return "is refused: it is no plain file of weights, or it is damaged."


def _check_members(path: Path) -> None:
    """Raise BadFile when the zip holds anything but what torch writes."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise BadFile("is damaged: its list of contents cannot be read; download it again.") from error
    for name in names:
        if not _MEMBER.fullmatch(name):
            raise BadFile(f"is refused: it holds “{name[:80]}”, which no file of weights has.")


def tensors_of(value: Any) -> dict[str, Tensor]:
    """The flat name -> tensor table inside an unpickled checkpoint, also when it is nested under one of `WRAPPINGS`.

    Raises BadFile when there is none.
    """
    if isinstance(value, Bag):
        value = value.state
    for name in WRAPPINGS:
        if isinstance(value, Mapping) and isinstance(value.get(name), Mapping):
            value = value[name]
            break
    if not isinstance(value, Mapping):
        raise BadFile("holds no table of weights.")
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, Tensor)}
