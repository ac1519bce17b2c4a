"""Every architecture that spandrel reads, where it is installed: a table of weights becomes a network and its description.

The package asks for torchvision when it is imported, and only for names that two architectures need in ways that are not used
here; torchvision itself is not depended upon. So it is imported behind three modules that have those names, taken away again
afterwards: whoever looks whether torchvision is there must not be lied to. Where it really is there, nothing is put in front.
`spandrel_extra_arches`, whose licences are restrictive, is used where an operator has installed it.

Owns that import. Refuses to read files (`weights` does, without running code) and to know what a network is for.
"""

import functools
import importlib
import importlib.util
import logging
import sys
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

import torch
from torch import Tensor

from inference.engine.bad_file import BadFile

_log = logging.getLogger(__name__)

MISSING = (
    "is of a kind that only the package spandrel reads, which is not installed; run `python run.py` once to have it."
)
UNKNOWN = "is no network of a kind that Easel or spandrel knows: none of its weights has the name of one."


def find_architecture(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Spandrel's id of the architecture whose weights have these names and `shapes`; "" where spandrel is not there.

    Raises BadFile when it knows none. Nothing is allocated.
    """
    registry = _registry()
    if registry is None:
        return ""
    state = plain({name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
    for support in registry.architectures("detection"):
        if support.detect(state):
            return str(support.architecture.id)
    raise BadFile(UNKNOWN)


def load_architecture(tensors: Mapping[str, Tensor]) -> Any:
    """Spandrel's descriptor of the network that `tensors` are the weights of, on the CPU.

    Its `model` is the module, `purpose` one of SR, FaceSR, Inpainting, Restoration. Raises BadFile.
    """
    registry = _registry()
    if registry is None:
        raise BadFile(MISSING)
    name = find_architecture({name: tuple(value.shape) for name, value in tensors.items()})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what foreign code is told by torch is nobody's business here
            return registry[name].architecture.load(plain(dict(tensors)))
    except Exception as error:  # whatever a foreign loader stumbles over means the same
        raise BadFile(f"looks like a network of the kind {name}, but its weights do not fit together.") from error


def plain(state: dict[str, Any]) -> dict[str, Any]:
    """`state` without what training programs put before all names."""
    for prefix in ("module.", "netG."):
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


@functools.cache
def _registry() -> Any:
    """Spandrel's registry with all that is installed; None without spandrel."""
    if importlib.util.find_spec("spandrel") is None:
        return None
    try:
        with _torchvision_or_its_names():
            registry = importlib.import_module("spandrel").MAIN_REGISTRY
            if importlib.util.find_spec("spandrel_extra_arches") is not None:
                importlib.import_module("spandrel_extra_arches").install(ignore_duplicates=True)
    except Exception:  # noqa: BLE001 - a broken torchvision, for one, fails in its own ways
        _log.warning("spandrel is installed and cannot be imported; its architectures are not there", exc_info=True)
        return None
    return registry


@contextmanager
def _torchvision_or_its_names() -> Generator[None, None, None]:
    """While spandrel is imported: torchvision, or modules of its name with what is asked for by name."""
    if importlib.util.find_spec("torchvision") is not None:
        yield
        return
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    modules = {name: ModuleType(name) for name in names}
    for name, module in modules.items():
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        module.__path__ = []
    functional: Any = modules[names[-1]]
    functional.InterpolationMode, functional.rotate, functional.normalize = _Interpolation, _rotate, _normalize
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


class _Interpolation:
    """LaMa names it when it is defined."""

    NEAREST, BILINEAR = "nearest", "bilinear"


def _rotate(*_: object, **__: object) -> NoReturn:
    raise BadFile("turns pictures with torchvision, which is not installed.")


def _normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Channels of `tensor` (…, C, H, W) less `mean`, by `std`; torchvision's function of that name."""
    shift, scale = (torch.as_tensor(v, dtype=tensor.dtype, device=tensor.device).view(-1, 1, 1) for v in (mean, std))
    out = tensor if inplace else tensor.clone()
    return out.sub_(shift).div_(scale)
