"""What lies between a sampler and the engine: each wrapper passes calls on, changed, and answers back, changed.

A wrapped sampler is a sampler again, so wrappers nest: the innermost is nearest to the sampler's own arithmetic.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from inference.engine.noise_table import ModelTable
from inference.engine.work import Evaluate, Sampling

_SIGMA_DATA = 0.5
_TIME_SCALE = 10.0


def _relayed(
    walk: Sampling, ask: Callable[[Evaluate], Evaluate], answer: Callable[[Evaluate, Evaluate, Any], Any]
) -> Sampling:
    """`walk` with each call replaced by ask(call), and each answer by answer(call, what was asked, answer)."""
    given: Any = None
    while True:
        try:
            call = walk.send(given)
        except StopIteration as end:
            return end.value
        asked = ask(call)
        given = answer(call, asked, (yield asked))


def timed(walk: Sampling, table: ModelTable, *, walks_in_time: bool) -> Sampling:
    """Tell the network the timesteps of `table`, where the sampler has not said its own."""

    def ask(call: Evaluate) -> Evaluate:
        timestep = table.timestep(call.sigma) if call.timestep is None else call.timestep
        return replace(call, timestep=timestep, walks_in_time=walks_in_time)

    return _relayed(walk, ask, lambda _, __, answer: answer)


def consistent(walk: Sampling) -> Sampling:
    """Estimates of a latent consistency model: a share of x belongs to them (Luo et al. 2023, equation 9).

    Calls must have their timesteps.
    """

    def answer(call: Evaluate, asked: Evaluate, denoised: Tensor) -> Tensor:
        scaled = _TIME_SCALE * (asked.timestep or 0.0)
        spread = scaled**2 + _SIGMA_DATA**2
        return denoised * (scaled / spread**0.5) + call.x * (_SIGMA_DATA**2 / spread)

    return _relayed(walk, lambda call: call, answer)


def blended_after(walk: Sampling, *, latent: Tensor, mask: Tensor) -> Sampling:
    """Inpainting: every estimate is `latent` where `mask` (1, 1, h, w) is 0, and the network's where it is 1."""
    kept = latent * (1 - mask)
    return _relayed(walk, lambda call: call, lambda _, __, denoised: denoised * mask + kept)


def blended_before(walk: Sampling, *, latent: Tensor, mask: Tensor) -> Sampling:
    """Inpainting of samplers that walk in timesteps: the network sees `latent` without noise where `mask` is 0 (webui).

    The sampler goes on with its own x and the noise that the network saw in the other.
    """
    kept = latent * (1 - mask)

    def ask(call: Evaluate) -> Evaluate:
        return replace(call, x=call.x * mask + kept * (call.sigma**2 + 1) ** 0.5)

    def answer(call: Evaluate, asked: Evaluate, denoised: Any) -> Any:
        if isinstance(denoised, tuple):
            return tuple(each + (call.x - asked.x) for each in denoised)
        return denoised + (call.x - asked.x)

    return _relayed(walk, ask, answer)
