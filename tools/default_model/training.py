"""What every trainer here shares: device, autocast, clock, moving average, and a state file that a crash cannot tear."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Run:
    """How long and where to train. `data` is the folder of sprites and state files; `minutes` of wall clock."""

    data: Path
    device: torch.device
    minutes: float
    threads: int
    batch: int
    rate: float
    resume: bool
    part: str = "all"
    sample_dtype: torch.dtype = torch.float32

    def start(self) -> None:
        """Take the asked number of threads and a fixed seed."""
        if self.threads:
            torch.set_num_threads(self.threads)
        torch.manual_seed(0)

    def share_processor(self) -> None:
        """Without a fixed number of threads: leave one core to whoever else is busy (two threads would wait for it)."""
        if not self.threads and self.device.type == "cpu" and hasattr(os, "getloadavg"):
            others = os.getloadavg()[0] - torch.get_num_threads()
            cores = os.cpu_count() or 1
            torch.set_num_threads(max(1, cores - 1) if others > 0.7 else cores)

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Compute in `sample_dtype`; float32 is no autocast."""
        return torch.autocast(self.device.type, self.sample_dtype, enabled=self.sample_dtype != torch.float32)

    def clock(self) -> Iterator[float]:
        """Yield the share of the time that has gone, until none is left."""
        begun = time.monotonic()
        while (gone := (time.monotonic() - begun) / (60 * self.minutes)) < 1:
            yield gone


class MovingAverage:
    """Exponential moving average of some parameters; it starts fast, so that short runs use it too."""

    def __init__(self, modules: list[nn.Module], *, decay: float) -> None:
        self._parameters = [parameter for module in modules for parameter in module.parameters()]
        self._decay = decay
        self.steps = 0
        self.shadow = [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the present weights."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.shadow, [p.detach() for p in self._parameters], 1 - decay)

    @contextlib.contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Have the averaged weights in the modules for a while."""
        kept = [parameter.detach().clone() for parameter in self._parameters]
        self._write(self.shadow)
        try:
            yield
        finally:
            self._write(kept)

    @torch.no_grad()
    def _write(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    torch.save(state, unfinished)
    os.replace(unfinished, path)  # noqa: PTH105 - the one call that replaces atomically on both systems


def load_state(path: Path) -> dict[str, Any]:
    """Read tensors and plain values only."""
    return torch.load(path, map_location="cpu", weights_only=True)


def rate_at(gone: float, *, step: int, warmup: int, peak: float) -> float:
    """Warm up by steps, stay for 60 % of the time, then fall in a straight line to 5 %."""
    fall = 1.0 if gone < 0.6 else 1 - 0.95 * (gone - 0.6) / 0.4
    return peak * min(1.0, (step + 1) / warmup) * fall
