"""A request's sampling as numbers: its schedule, the share of it that runs, how the first x is mixed, what is turned.

Owns what a source picture and the knobs of a request mean to a sampler (webui v1.10.1, §5). Touches no latent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.api.catalog import SAMPLERS as ROWS
from inference.api.sampling import Sampling
from inference.engine.noise_table import ModelTable
from inference.engine.sampling.knobs import Knobs, Span
from inference.engine.sampling.samplers import NOISE_SCALED, SPAN_SAMPLERS, TIMESTEP_SAMPLERS
from inference.engine.sampling.schedules import SCHEDULES, Range, ddim_timesteps

_FAINTEST = 0.001
"""Strengths below it make schedules of the same length: it grows without end as the strength falls."""
ROW_OF = {row.id: row for row in ROWS}


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a schedule runs. `steps` is what it is made for, `kept` how many of its steps a source goes back.

    Without a source `kept` is None and all of it runs; -1 is a source that stays as it is.
    """

    steps: int
    kept: int | None = None

    @property
    def counted(self) -> int:
        """Steps as the webui counts them where it speaks of the share that is done (Skip Early CFG)."""
        return self.steps if self.kept is None else self.kept + 1


def share_of(steps: int, denoising_strength: float | None, *, exact_steps: bool = False) -> Share:
    """Of `steps`, ⌊strength·steps⌋ are kept; with `exact_steps` the schedule is longer, so that `steps` run."""
    if denoising_strength is None:
        return Share(steps)
    strength = min(denoising_strength, 0.999)
    if not exact_steps:
        return Share(steps, int(strength * steps))
    return Share(int(steps / max(strength, _FAINTEST)), steps - 1) if strength > 0 else Share(steps, -1)


@dataclass(frozen=True, slots=True)
class Course:
    """What a sampler walks down, and its first x: source·`source_scale` + noise·`noise_scale`.

    One of `sigmas`, `span` and `timesteps` is what it is given. `whole` are the ends of the sigmas of the whole schedule,
    of which a source runs the last part.
    """

    source_scale: float
    noise_scale: float
    sigmas: Sequence[float] = ()
    span: Span | None = None
    timesteps: Sequence[int] = ()
    whole: tuple[float, float] = (0.0, 0.0)


def course_of(sampling: Sampling, table: ModelTable, share: Share, *, extra_noise: float = 0.0) -> Course:
    """The course of `sampling`, of which `share` runs. `extra_noise` is laid over a source beyond its due."""
    if sampling.sampler in TIMESTEP_SAMPLERS:
        return _in_time(sampling, table, share, extra_noise)
    all_of_it = schedule_of(sampling, table, steps=share.steps)
    positive = [sigma for sigma in all_of_it if sigma > 0]
    whole = min(positive), max(positive)
    if share.kept is None:
        scale = (1 + all_of_it[0] ** 2) ** 0.5 if sampling.sgm_noise else all_of_it[0]
        # From noise they span what the model was trained at, whatever the schedule.
        span = Span(float(table.sigmas[-1]), float(table.sigmas[0]), sampling.steps)
        kept = all_of_it
    else:
        kept = all_of_it[share.steps - share.kept - 1 :]
        scale = kept[0] + extra_noise
        span = Span(kept[0], kept[-2], len(kept) - 1)
    chosen = span if sampling.sampler in SPAN_SAMPLERS else None
    return Course(1.0, scale, sigmas=kept, span=chosen, whole=whole)


def _in_time(sampling: Sampling, table: ModelTable, share: Share, extra_noise: float) -> Course:
    timesteps = ddim_timesteps(share.steps + sampling.discard_penultimate)
    if share.kept is None:
        return Course(1.0, 1.0, timesteps=timesteps)
    kept = min(share.kept, len(timesteps) - 1)
    alpha = float(table.alphas_cumprod[timesteps[kept]])
    return Course(
        source_scale=alpha**0.5,
        noise_scale=(1 - alpha) ** 0.5 + extra_noise * alpha**0.5,
        timesteps=timesteps[:kept],
    )


def schedule_of(sampling: Sampling, table: ModelTable, *, steps: int | None = None) -> list[float]:
    """All sigmas of `sampling`, made for `steps` (or its own), the final 0 included where its schedule has one."""
    row = ROW_OF[sampling.sampler]
    extra = int(row.discards or sampling.discard_penultimate)
    trained = (float(table.sigmas[0]), float(table.sigmas[-1]))
    low, high = (0.1, 10.0) if sampling.old_karras else trained
    span = Range(
        (sampling.steps if steps is None else steps) + extra,
        low=sampling.sigma_min or low,
        high=sampling.sigma_max or high,
        rho=sampling.rho,
        alpha=sampling.beta_alpha,
        beta=sampling.beta_beta,
    )
    sigmas = list(SCHEDULES[row.schedule if sampling.schedule == "automatic" else sampling.schedule](table, span))
    return [*sigmas[:-2], sigmas[-1]] if extra else sigmas


def knobs_of(sampling: Sampling, *, onward: bool = False) -> Knobs:
    """What `sampling` turns; what the webui does not pass on to its sampler stays at its default."""
    return Knobs(
        eta=sampling.eta if sampling.eta is not None else float(sampling.sampler not in TIMESTEP_SAMPLERS),
        s_noise=sampling.s_noise if sampling.sampler in NOISE_SCALED else 1.0,
        churn=sampling.s_churn,
        churn_from=sampling.s_tmin,
        churn_to=sampling.s_tmax or float("inf"),
        unipc=sampling.unipc,
        onward=onward,
    )
