"""From one precision to another: which kinds of numbers change, and numbers that would not fit.

Owns the table. Integers never change: ids of places in half precision are what breaks text encoders.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from inference.api.tools import Precision
from inference.engine.tools.refusal import ToolRefused

_CHANGES: Final[Mapping[Precision, tuple[str, frozenset[str]]]] = {
    "fp16": ("F16", frozenset({"F32", "F64", "BF16"})),
    "bf16": ("BF16", frozenset({"F32", "F64", "F16"})),
    "fp8_e4m3fn": ("F8_E4M3", frozenset({"F32", "F64", "BF16", "F16"})),
    "fp8_e5m2": ("F8_E5M2", frozenset({"F32", "F64", "BF16", "F16"})),
}
"""The kind of numbers of a precision, and from which kinds it is reached; fp32 leaves everything as it is."""


def kind_for(kind: str, precision: Precision) -> str:
    """The kind of numbers that `kind` becomes in `precision`; itself where it stays."""
    to, reached = _CHANGES.get(precision, (kind, frozenset()))
    return to if kind in reached else kind


def check_range(key: str, before: Tensor, after: Tensor) -> None:
    """Raise ToolRefused where finite numbers became infinite, or none, for want of range."""
    lost = after.float().isfinite().logical_not() & before.isfinite()
    if not bool(lost.any()):
        return
    largest = float(before[lost].abs().max())
    name = str(after.dtype).removeprefix("torch.")
    raise ToolRefused(
        f"“{key}” holds numbers up to {largest:,.0f}, which do not fit {name} (at most {torch.finfo(after.dtype).max:,.0f}). "
        "Take bf16, or leave that part as it is (copy)."
    )
