"""A request's sampling at work: its sampler, started and wrapped, as one generator. And how many calls that will be.

Owns how course, noise, mask and sampler meet. Refuses to know prompts and guidance.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from inference.api import sampling as api
from inference.engine.noise_table import ModelTable, default_alphas, table_of
from inference.engine.sampling.calls import blended_after, blended_before, consistent, timed
from inference.engine.sampling.course import ROW_OF, Course, course_of, knobs_of, share_of
from inference.engine.sampling.knobs import Noise
from inference.engine.sampling.samplers import BROWNIAN, SAMPLERS, SPAN_SAMPLERS, TIMESTEP_SAMPLERS
from inference.engine.work import Sampling


class Stream(Protocol):
    """Noise of one picture, draw after draw, where its latent is."""

    def next(self, shape: Sequence[int]) -> Tensor:
        """The next draw, fp32."""
        ...

    def brownian(self, low: float, high: float, shape: Sequence[int]) -> Noise:
        """The picture's Brownian path between two noise levels."""
        ...


def sample(
    sampling: api.Sampling,
    *,
    table: ModelTable,
    noise: Tensor,
    stream: Stream,
    latent: Tensor | None = None,
    denoising_strength: float | None = None,
    exact_steps: bool = False,
    extra_noise: float = 0.0,
    mask: Tensor | None = None,
) -> Sampling:
    """Run `sampling` from `noise` (1, C, h, w), or from `latent` noised as far as `denoising_strength` says.

    `exact_steps` runs all steps and not the strength's share of them (hires fix does). `extra_noise` adds so many parts of
    `noise` more. With `mask` (1, 1, h, w), 1 where something new goes, the rest stays `latent` at every call and in the
    result. `stream` gives the noise of later steps.
    """
    share = share_of(sampling.steps, None if latent is None else denoising_strength, exact_steps=exact_steps)
    if latent is not None and share.kept == -1:
        return latent
    in_time, consistency = sampling.sampler in TIMESTEP_SAMPLERS, sampling.sampler == "lcm"
    table = table.consistency() if consistency else table
    course = course_of(sampling, table, share, extra_noise=extra_noise)
    x = noise * course.noise_scale
    if latent is not None:
        x = x + latent * course.source_scale
    walk = _started(sampling, x, course, stream=stream, table=table, onward=latent is not None)
    if latent is not None and mask is not None:
        walk = (blended_before if in_time else blended_after)(walk, latent=latent, mask=mask)
    walk = timed(walk, table, walks_in_time=in_time)
    # What is wrapped last is nearest to the engine: it sees calls last and answers first.
    final = yield from consistent(walk) if consistency else walk
    return final if mask is None or latent is None else final * mask + latent * (1 - mask)


def _started(
    sampling: api.Sampling, x: Tensor, course: Course, *, stream: Stream, table: ModelTable, onward: bool
) -> Sampling:
    """The sampler itself, at its start."""
    name, shape, knobs = sampling.sampler, tuple(x.shape), knobs_of(sampling, onward=onward)
    noise: Noise = lambda _, __: stream.next(shape)  # noqa: E731 - one of two sources of noise, and shorter than the other
    if name in BROWNIAN:
        noise = stream.brownian(*course.whole, shape)
    if course.span is not None:
        return SPAN_SAMPLERS[name](x, course.span, knobs, noise)
    if name in TIMESTEP_SAMPLERS:
        return TIMESTEP_SAMPLERS[name](x, course.timesteps, knobs, noise, table)
    return SAMPLERS[name](x, course.sigmas, knobs, noise)


class _NoNoise:
    """A stream for counting: always nothing."""

    def next(self, shape: Sequence[int]) -> Tensor:
        return torch.zeros(tuple(shape))

    def brownian(self, low: float, high: float, shape: Sequence[int]) -> Noise:
        del low, high
        return lambda _, __: torch.zeros(tuple(shape))


def model_calls(sampling: api.Sampling, denoising_strength: float | None = None, *, exact_steps: bool = False) -> int:
    """How many Evaluate `sample` will yield, counted on a latent of one number.

    Exact for every sampler but DPM adaptive, which takes as many as a picture needs: of that an estimate.
    """
    one = torch.ones(1, 1, 1, 1)
    walk = sample(
        sampling,
        table=table_of(default_alphas(), sampling),
        noise=one,
        stream=_NoNoise(),
        latent=None if denoising_strength is None else one,
        denoising_strength=denoising_strength,
        exact_steps=exact_steps,
    )
    count, answer = 0, None
    while True:
        try:
            call = walk.send(answer)
        except StopIteration:
            return count
        denoised = call.x / (1 + call.sigma**2)
        count, answer = count + 1, (denoised, denoised) if call.pair else denoised


def guided_calls(sampling: api.Sampling, denoising_strength: float | None = None, *, exact_steps: bool = False) -> int:
    """Calls as Skip Early CFG counts them: the steps that run, twice for samplers of second order (`Guide.calls`)."""
    share = share_of(sampling.steps, denoising_strength, exact_steps=exact_steps)
    return share.counted * ROW_OF[sampling.sampler].order
