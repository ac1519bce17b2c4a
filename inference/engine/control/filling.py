"""Weights of a control's file into a module built without memory, each checked before it is believed.

Owns what is said when something is missing, left over, misshapen or no number. Refuses to know kinds.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import check_finite
from inference.engine.weights import WeightsFile

Shapes = Mapping[str, tuple[int, ...]]
Net = TypeVar("Net", bound=nn.Module)


def shapes_of(net: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of a module's weights by name."""
    return {name: tuple(weight.shape) for name, weight in net.state_dict().items()}


def read_weights(file: WeightsFile, keys: Mapping[str, str], shapes: Shapes) -> dict[str, Tensor]:
    """The weights of `file` that lie under `keys` (by name), in the form of `shapes`. Raises BadFile where one has another."""
    return {name: _taken(file, key, shapes[name]) for name, key in keys.items() if key in file}


def _taken(file: WeightsFile, key: str, shape: tuple[int, ...]) -> Tensor:
    """One weight; a 1 × 1 convolution may be stored as a matrix, and the other way round."""
    stored = file.shapes[key]
    if _squeezed(stored) != _squeezed(shape):
        raise BadFile(
            f"holds “{key}” with the shape {stored}, where this model needs {shape}; it is made for another kind."
        )
    return file.read(key).reshape(shape)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:2] if len(shape) == 4 and shape[2:] == (1, 1) else shape


def check_missing(missing: Iterable[str]) -> None:
    """Raise BadFile where keys are `missing`."""
    lacking = list(missing)
    if lacking:
        raise BadFile(
            f"lacks {len(lacking)} of the weights that this model needs, such as “{lacking[0]}”; "
            "it is damaged or made for another kind."
        )


def check_left(left: Iterable[str]) -> None:
    """Raise BadFile where keys are `left` over."""
    more = list(left)
    if more:
        raise BadFile(
            f"holds {len(more)} weights for which this model has no place, such as “{more[0]}”; it is made for another kind."
        )


def filled(net: Net, state: Mapping[str, Tensor], *, device: torch.device, dtype: torch.dtype) -> Net:
    """`net`, built without memory, with the weights of `state`. Raises BadFile where one is not finite."""
    check_finite(state, "ControlNet")
    placed = {name: value.to(device, dtype, copy=True) for name, value in state.items()}
    net.load_state_dict(placed, strict=True, assign=True)
    return net.eval().requires_grad_(requires_grad=False)
