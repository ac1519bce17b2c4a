"""From a request's sampling to a running sampler: its schedule, its first x, its share of the steps (webui v1.10.1, §5).

`latent` and `denoising_strength` make it img2img: t = ⌊strength·steps⌋, and t + 1 of the steps run.
"""

from typing import Protocol

from torch import Tensor

from inference.api import request as api
from inference.api.catalog import SAMPLERS as ROWS
from inference.engine.sampling.samplers import SAMPLERS, TIMESTEP_SAMPLERS, Knobs
from inference.engine.sampling.schedules import ModelTable, Range, sigmas_of
from inference.engine.work import Sampling

_DEFAULT = {row.id: row.schedule for row in ROWS}
TRAINED = 1000
"""Timesteps a model is trained at."""


class Stream(Protocol):
    """Noise, draw after draw."""

    def next(self, shape: tuple[int, ...]) -> Tensor:
        """The next draw, fp32, where the latent is."""
        ...


def kept_steps(steps: int, denoising_strength: float | None) -> int:
    """t_enc: how many steps of `steps` img2img goes back; all of them without a source."""
    return steps if denoising_strength is None else int(min(denoising_strength, 0.999) * steps)


def share_of_steps(steps: int, denoising_strength: float | None, *, exact: bool = False) -> tuple[int, int]:
    """(length of the schedule, t_enc) of img2img. `exact` lengthens the schedule so that `steps` of it run (webui)."""
    if not exact or not denoising_strength:
        return steps, kept_steps(steps, denoising_strength)
    return int(steps / min(denoising_strength, 0.999)), steps - 1


def ddim_timesteps(steps: int) -> list[int]:
    """1, 1 + k, 1 + 2k … below 1000, k = ⌊1000/steps⌋: one more than asked where 1000 is no multiple (webui)."""
    return [min(timestep + 1, TRAINED - 1) for timestep in range(0, TRAINED, max(1, TRAINED // steps))]


def model_calls(sampling: api.Sampling, denoising_strength: float | None = None, *, exact: bool = False) -> int:
    """How many Evaluate `sample` will yield."""
    length, kept = share_of_steps(sampling.steps, denoising_strength, exact=exact)
    if sampling.sampler in TIMESTEP_SAMPLERS:
        entries = len(ddim_timesteps(length))
        return max(0, (entries if denoising_strength is None else min(kept, entries - 1)) - 1)
    return length if denoising_strength is None else min(kept + 1, length)


def sample(
    sampling: api.Sampling,
    *,
    table: ModelTable,
    noise: Tensor,
    stream: Stream,
    latent: Tensor | None = None,
    denoising_strength: float | None = None,
    exact: bool = False,
    extra_noise: float = 0.0,
) -> Sampling:
    """Run `sampling` from `noise` (1, C, h, w), or from `latent` noised as far as `denoising_strength` says.

    `exact` runs all steps even with a source (hires fix does); `extra_noise` is how much more of `noise` lies over it.
    """
    strength = None if latent is None else denoising_strength
    ancestral = sampling.sampler not in TIMESTEP_SAMPLERS
    knobs = Knobs(
        eta=sampling.eta if sampling.eta is not None else float(ancestral),
        s_noise=sampling.s_noise,
        churn=sampling.s_churn,
        churn_from=sampling.s_tmin,
        churn_to=sampling.s_tmax or float("inf"),
    )
    shape = tuple(noise.shape)
    length, kept = share_of_steps(sampling.steps, strength, exact=exact)
    if sampling.sampler in TIMESTEP_SAMPLERS:
        timesteps = ddim_timesteps(length)
        x = noise
        if latent is not None:
            kept = min(kept, len(timesteps) - 1)
            alpha = float(table.alphas_cumprod[timesteps[kept]])
            x = latent * alpha**0.5 + noise * ((1 - alpha) ** 0.5 + extra_noise)
            timesteps = timesteps[:kept]
        walk = TIMESTEP_SAMPLERS[sampling.sampler]
        return (yield from walk(x, timesteps, knobs, lambda: stream.next(shape), table))
    sigmas = schedule_of(sampling, table, length)
    x = noise * sigmas[0]
    if latent is not None:
        sigmas = sigmas[max(0, length - kept - 1) :]
        x = latent + noise * (sigmas[0] + extra_noise)
    return (yield from SAMPLERS[sampling.sampler](x, sigmas, knobs, lambda: stream.next(shape)))


def schedule_of(sampling: api.Sampling, table: ModelTable, steps: int | None = None) -> list[float]:
    """All sigmas of `sampling`, or of as many `steps`, a final 0 included."""
    name = _DEFAULT[sampling.sampler] if sampling.schedule == "automatic" else sampling.schedule
    trained = table.sigmas
    extra = int(sampling.discard_penultimate)
    span = Range(
        (steps or sampling.steps) + extra,
        low=sampling.sigma_min or float(trained[0]),
        high=sampling.sigma_max or float(trained[-1]),
        rho=sampling.rho,
    )
    sigmas = sigmas_of(name, table, span)
    return [*sigmas[:-2], sigmas[-1]] if extra else sigmas
