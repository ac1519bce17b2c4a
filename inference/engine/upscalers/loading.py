"""From a file to a network that enlarges: whose architecture it is, whether its numbers are numbers, what it is good for.

RRDB and compact networks are our own code, wherever torch runs; spandrel reads the rest. Files are read without running what
is pickled in them. Every refusal is a BadFile whose sentence goes on after the file's name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.engine.architectures import find_architecture, load_architecture, plain
from inference.engine.bad_file import BadFile
from inference.engine.upscalers.compact import build_compact, is_compact
from inference.engine.upscalers.ldsr import Ldsr, load_ldsr
from inference.engine.upscalers.ldsr_layout import is_ldsr
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.rrdb import build_rrdb, is_rrdb
from inference.engine.upscalers.tiles import tiling_of
from inference.engine.weights import WeightsFile

Enlarger = Upscaler | Ldsr
"""What a shelf lends: both make one pass over a picture of any size."""
Shapes = Mapping[str, tuple[int, ...]]

OWN: Mapping[str, tuple[Callable[[Shapes], bool], Callable[[Mapping[str, Tensor]], Any]]] = {
    "esrgan": (is_rrdb, build_rrdb),
    "compact": (is_compact, build_compact),
}
"""Our own architectures: how they are known by their weights, and how they are built of them."""
_FACES = "restores faces and enlarges nothing else; put it into models/GFPGAN or models/Codeformer."
_MASKS = "fills what a mask hides and enlarges nothing; use /inpaint for that."
OTHER_PURPOSES: Mapping[str, str] = {
    "gfpgan": _FACES,
    "restoreformer": _FACES,
    "codeformer": _FACES,
    "lama": _MASKS,
    "mat": _MASKS,
}
"""Architectures that spandrel reads and that do not enlarge pictures, and what to do with them."""

ONE_BY_ONE = frozenset({"drunet", "ipt"})
"""Architectures whose foreign code takes one picture at a time."""


def kind_of(shapes: Shapes) -> str:
    """The architecture in lower case whose weights have these `shapes`; "unknown" where only spandrel could tell.

    Raises BadFile for what does not enlarge pictures.
    """
    named = plain(dict(shapes))
    if is_ldsr(named):
        return "ldsr"
    own = next((kind for kind, (fits, _) in OWN.items() if fits(named)), None)
    if own is not None:
        return own
    kind = find_architecture(named).lower()
    if kind in OTHER_PURPOSES:
        raise BadFile(OTHER_PURPOSES[kind])
    return kind or "unknown"


def load_upscaler(path: Path, *, device: torch.device, dtype: torch.dtype) -> Enlarger:
    """The network in `path`, ready on `device` in `dtype`, or in fp32 where it cannot be in half. Raises BadFile, OSError."""
    with WeightsFile(path) as file:
        kind = kind_of(file.shapes)
        if kind == "ldsr":
            network: Enlarger = load_ldsr(file)
        else:
            tensors = plain({name: file.read(name) for name in file})
            _check_numbers(tensors)
            network = _own(kind, tensors) if kind in OWN else _foreign(tensors)
    wanted = dtype if network.traits.half or dtype != torch.float16 else torch.float32
    return network.to(device=device, dtype=wanted).eval().requires_grad_(requires_grad=False)


def _check_numbers(tensors: Mapping[str, Tensor]) -> None:
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise BadFile(f"is damaged: “{name}” holds numbers that are none (NaN or infinite); download it again.")


def _own(kind: str, tensors: Mapping[str, Tensor]) -> Upscaler:
    _, build = OWN[kind]
    try:
        network = build(tensors)
    except (RuntimeError, KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise BadFile(f"looks like a network of the kind {kind}, but its weights do not fit together.") from error
    if network.channels not in (1, 3):
        raise BadFile(f"sees {network.channels} channels; pictures have 3.")
    fold = getattr(network, "fold", 1)
    traits = Traits(kind, network.scale, tiling_of(kind, multiple=fold), channels=network.channels, multiple=fold)
    return Upscaler(network, traits)


def _foreign(tensors: Mapping[str, Tensor]) -> Upscaler:
    found = load_architecture(tensors)
    kind = str(found.architecture.id).lower()
    if found.purpose not in ("SR", "Restoration"):
        raise BadFile(OTHER_PURPOSES.get(kind, f"is no upscaler: spandrel says that it is for {found.purpose}."))
    if found.input_channels != found.output_channels or found.input_channels not in (1, 3):
        raise BadFile(f"makes {found.output_channels} channels of {found.input_channels}; pictures have 3.")
    needs = found.size_requirements
    traits = Traits(
        kind,
        int(found.scale),
        tiling_of(kind, discouraged=found.tiling.name != "SUPPORTED", multiple=needs.multiple_of),
        channels=found.input_channels,
        minimum=max(1, needs.minimum),
        multiple=needs.multiple_of,
        square=needs.square,
        half=found.supports_half,
    )
    module: nn.Module = found.model
    return Upscaler(module, traits, call=_each(found) if kind in ONE_BY_ONE else found)


def _each(call: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.cat([call(row) for row in x.split(1)])
