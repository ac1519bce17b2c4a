"""What happens between a sampler and the loop: a refiner takes over, models made for inpainting see the mask, controls act.

A sampler knows nothing of this: `steered` runs it, adds to what it asks. The ways are the webui's
(v1.10.1, CFGDenoiser). Refuses to know of guidance and batches.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from inference.engine.control.units import Control
from inference.engine.work import Encode, Evaluate, Sampling, TakeUp, Work

Steered = Generator[Work | TakeUp, Any, Tensor]


@dataclass(frozen=True, slots=True)
class Switch:
    """When a refiner takes over: once `share` of the noise, or (`by_steps`) of `calls` model calls, is gone.

    `sigmas` (1000,) are the noise levels of the model that it takes over from, rising.
    """

    brushes: TakeUp
    share: float
    by_steps: bool
    calls: int
    sigmas: Tensor

    def is_due(self, wanted: Evaluate, call: int) -> bool:
        """Whether it is time, before call `call` (from 0). Noise is counted in timesteps of `sigmas`, 999 down to 0."""
        if self.by_steps:
            return call / self.calls >= self.share
        return (999 - nearest_timestep(self.sigmas, wanted)) / 1000 >= self.share


def nearest_timestep(sigmas: Tensor, wanted: Evaluate) -> int:
    """The whole timestep whose sigma is nearest; of a sampler that walks in time its own, cut off."""
    if wanted.walks_in_time and wanted.timestep is not None:
        return int(wanted.timestep)
    return int((sigmas - wanted.sigma).abs().argmin())


Hint = Callable[[Any], Generator[Encode, Any, Tensor | None]]
"""From a model to the channels that it sees beside x; None for most."""


Acting = Callable[[int], tuple[Control, ...]]
"""The controls that act at a model call (from 0)."""
Controls = Callable[[Any], Generator[Work, Any, Acting]]
"""From a model to the controls of a pass; their maps are made first."""


def uncontrolled(_: Any) -> Generator[Work, Any, Acting]:
    """A pass without controls."""
    yield from ()
    return lambda _: ()


def steered(
    walk: Sampling, model: Any, *, hint: Hint, switch: Switch | None = None, controls: Controls = uncontrolled
) -> Steered:
    """Run the sampler `walk` to its end; its final latent."""
    answer, call = None, 0
    seen = yield from hint(model)
    acting = yield from controls(model)
    while True:
        try:
            wanted = walk.send(answer)
        except StopIteration as end:
            return end.value
        if switch is not None and switch.is_due(wanted, call):
            model = yield switch.brushes
            seen, switch = (yield from hint(model)), None
            acting = yield from controls(model)
        now = acting(call)
        answer = yield wanted if seen is None and not now else replace(wanted, hint=seen, controls=now)
        call += 1
