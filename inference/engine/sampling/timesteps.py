"""Samplers that walk down a list of timesteps. Their x is variance preserving: sqrt(ᾱ)·clean + sqrt(1 - ᾱ)·noise.

`timesteps` rise, and the first is where x arrives: the result is the latent there, as in the webui.
"""

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

from inference.engine.noise_table import ModelTable
from inference.engine.sampling.knobs import Knobs, Noise
from inference.engine.sampling.multistep import ADAMS
from inference.engine.work import Evaluate, Sampling

CFGPP_SHARE = 1 / 12.5
"""DDIM CFG++ guides with this share of the CFG scale, so that the usual numbers mean about the usual strength (webui)."""


def ddim(x: Tensor, timesteps: Sequence[int], knobs: Knobs, noise: Noise, table: ModelTable) -> Sampling:
    """DDIM (Song et al. 2021, equation 12)."""
    for before, now in reversed(list(pairwise(timesteps))):
        alpha, target = _alpha(table, now), _alpha(table, before)
        denoised = yield _call(x, now, alpha)
        eps = (x - denoised * math.sqrt(alpha)) / math.sqrt(1 - alpha)
        x = _ddim_step(x, denoised, eps, alpha, target, knobs=knobs, noise=noise, span=(now, before))
    return x


def ddim_cfgpp(x: Tensor, timesteps: Sequence[int], knobs: Knobs, noise: Noise, table: ModelTable) -> Sampling:
    """CFG++ (Chung et al. 2024, algorithm 2): the guided picture, noised again with the unconditional noise."""
    for before, now in reversed(list(pairwise(timesteps))):
        alpha, target = _alpha(table, now), _alpha(table, before)
        guided, unconditional = yield _call(x, now, alpha, pair=True)
        denoised = unconditional + (guided - unconditional) * CFGPP_SHARE
        eps = (x - unconditional * math.sqrt(alpha)) / math.sqrt(1 - alpha)
        x = _ddim_step(x, denoised, eps, alpha, target, knobs=knobs, noise=noise, span=(now, before))
    return x


def plms(x: Tensor, timesteps: Sequence[int], knobs: Knobs, noise: Noise, table: ModelTable) -> Sampling:
    """Pseudo linear multistep (Liu et al. 2022, equations 12 and 9 to 11); its first step looks ahead once."""
    known: deque[Tensor] = deque(maxlen=4)
    still = Knobs(eta=0.0)
    for before, now in reversed(list(pairwise(timesteps))):
        alpha, target = _alpha(table, now), _alpha(table, before)

        def moved(eps: Tensor, x: Tensor = x, alpha: float = alpha, target: float = target) -> Tensor:
            denoised = (x - eps * math.sqrt(1 - alpha)) / math.sqrt(alpha)
            return _ddim_step(x, denoised, eps, alpha, target, knobs=still, noise=noise, span=(0, 0))

        denoised = yield _call(x, now, alpha)
        known.appendleft((x - denoised * math.sqrt(alpha)) / math.sqrt(1 - alpha))
        if len(known) == 1:
            ahead = moved(known[0])
            denoised = yield _call(ahead, before, target)
            mean = (known[0] + (ahead - denoised * math.sqrt(target)) / math.sqrt(1 - target)) / 2
        else:
            mean = known[0] * ADAMS[len(known) - 1][0]
            for eps, weight in zip(list(known)[1:], ADAMS[len(known) - 1][1:], strict=True):
                mean = mean + eps * weight
        x = moved(mean)
    del knobs
    return x


def _alpha(table: ModelTable, timestep: int) -> float:
    return float(table.alphas_cumprod[timestep])


def _call(x: Tensor, timestep: int, alpha: float, *, pair: bool = False) -> Evaluate:
    return Evaluate(x / math.sqrt(alpha), math.sqrt((1 - alpha) / alpha), pair=pair, timestep=float(timestep))


def _ddim_step(
    x: Tensor,
    denoised: Tensor,
    eps: Tensor,
    alpha: float,
    target: float,
    *,
    knobs: Knobs,
    noise: Noise,
    span: tuple[float, float],
) -> Tensor:
    """From ᾱ = `alpha` to `target` along `eps`, with `knobs.eta` of DDPM's noise."""
    del x
    fresh = knobs.eta * math.sqrt(max(0.0, (1 - target) / (1 - alpha) * (1 - alpha / target)))
    x = denoised * math.sqrt(target) + eps * math.sqrt(max(0.0, 1 - target - fresh**2))
    return x + noise(*span) * fresh if fresh else x
