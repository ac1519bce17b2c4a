"""What happens between a sampler and its answers: kept parts stay kept, a refiner takes over, inpainting models see the mask.

A sampler knows nothing of this: `steered` runs it, changes what it asks and what it is told. The ways are the webui's
(v1.10.1, CFGDenoiser). Refuses to know of guidance and batches.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from inference.engine.work import Encode, Evaluate, Sampling, TakeUp

Steered = Generator[Evaluate | Encode | TakeUp, Any, Tensor]


@dataclass(frozen=True, slots=True)
class Keep:
    """The part of `latent` (1, C, h, w) that stays. `painted` (1, 1, h, w) is 1 where it does not, 0 where it does."""

    latent: Tensor
    painted: Tensor

    def over(self, x: Tensor) -> Tensor:
        """`x` where it is painted, the latent where it stays."""
        return x * self.painted + self.latent * (1 - self.painted)

    def asked(self, wanted: Evaluate) -> Evaluate:
        """Samplers that walk in time show the network the kept part without noise (in their own, scaled, x)."""
        if not wanted.walks_in_time:
            return wanted
        root = (wanted.sigma**2 + 1) ** 0.5
        return replace(wanted, x=wanted.x * self.painted + self.latent * (root * (1 - self.painted)))

    def told(self, wanted: Evaluate, asked: Evaluate, answer: Any) -> Any:
        """The others have the estimate itself replaced. The former must find the noise that the network found."""
        if wanted.pair:
            return tuple(self._told(wanted, asked, denoised) for denoised in answer)
        return self._told(wanted, asked, answer)

    def _told(self, wanted: Evaluate, asked: Evaluate, denoised: Tensor) -> Tensor:
        return denoised + (wanted.x - asked.x) if wanted.walks_in_time else self.over(denoised)


@dataclass(frozen=True, slots=True)
class Switch:
    """When a refiner takes over: once `share` of the noise, or (`by_steps`) of `calls` model calls, is gone."""

    brushes: TakeUp
    share: float
    by_steps: bool
    calls: int

    def is_due(self, model: Any, wanted: Evaluate, call: int) -> bool:
        """Whether it is time, before call `call` (from 0). Noise is counted in timesteps of `model`, 999 down to 0."""
        if self.by_steps:
            return call / self.calls >= self.share
        return (999 - nearest_timestep(model.table.sigmas, wanted)) / 1000 >= self.share


def nearest_timestep(sigmas: Tensor, wanted: Evaluate) -> int:
    """The whole timestep whose sigma is nearest; of a sampler that walks in time its own, cut off."""
    if wanted.walks_in_time and wanted.timestep is not None:
        return int(wanted.timestep)
    return int((sigmas - wanted.sigma).abs().argmin())


Hint = Callable[[Any], Generator[Encode, Any, Tensor | None]]
"""From a model to the channels that it sees beside x; None for most."""


def steered(
    walk: Sampling, model: Any, *, hint: Hint, keep: Keep | None = None, switch: Switch | None = None
) -> Steered:
    """Run the sampler `walk` to its end; its final latent, kept parts in place."""
    answer, call = None, 0
    seen = yield from hint(model)
    while True:
        try:
            wanted = walk.send(answer)
        except StopIteration as end:
            return end.value if keep is None else keep.over(end.value)
        if switch is not None and switch.is_due(model, wanted, call):
            model = yield switch.brushes
            seen, switch = (yield from hint(model)), None
        asked = wanted if keep is None else keep.asked(wanted)
        answer = yield asked if seen is None else replace(asked, hint=seen)
        if keep is not None:
            answer = keep.told(wanted, asked, answer)
        call += 1
