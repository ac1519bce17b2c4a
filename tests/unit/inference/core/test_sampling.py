"""Sampling: what no vector of the originals shows. Calls counted beforehand, odd knobs, wrappers, masks."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from inference.api.catalog import SAMPLERS as ROWS
from inference.api.catalog import SCHEDULES as SCHEDULE_ROWS
from inference.api.sampling import Sampling, Seeds, UniPC
from inference.engine.noise import initial_noise
from inference.engine.noise_table import default_alphas, table_of
from inference.engine.sampling import guided_calls, model_calls, sample
from inference.engine.sampling.calls import blended_before, consistent, timed
from inference.engine.sampling.knobs import Knobs, Span
from inference.engine.sampling.samplers import SAMPLERS, SPAN_SAMPLERS
from inference.engine.work import Evaluate
from inference.engine.work import Sampling as Walk

SHAPE = (1, 4, 2, 3)
NAMES = [row.id for row in ROWS]


def driven(walk: Walk, answer: Callable[[Evaluate], Any]) -> tuple[Tensor, list[Evaluate]]:
    """Run a sampler with `answer`; its final latent and what it asked for."""
    given, calls = None, []
    while True:
        try:
            call = walk.send(given)
        except StopIteration as end:
            return end.value, calls
        calls.append(call)
        given = answer(call)


def normal(call: Evaluate) -> Any:
    """The estimate where all pictures are standard normal."""
    denoised = call.x / (1 + call.sigma**2)
    return (denoised, denoised) if call.pair else denoised


def begun(sampling: Sampling, **given: Any) -> Walk:
    """`sampling` at its start."""
    noise, stream = initial_noise(Seeds(7), 0, SHAPE)
    return sample(sampling, table=table_of(default_alphas(), sampling), noise=noise, stream=stream, **given)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("strength", [None, 0.0, 0.03, 0.75])
@pytest.mark.parametrize("sampler", NAMES)
def test_calls_are_counted_before_they_run(sampler: str, strength: float | None, exact: bool) -> None:
    """`model_calls` says exactly how many estimates a sampler will ask for, with and without a source."""
    for steps in (1, 3, 20):
        sampling = Sampling(sampler=sampler, steps=steps)
        source: dict[str, Any] = {"denoising_strength": strength, "exact_steps": exact}
        latent = None if strength is None else torch.zeros(SHAPE)
        final, calls = driven(begun(sampling, latent=latent, **source), normal)
        assert final.isfinite().all()
        assert final.shape == SHAPE
        if sampler != "dpm_adaptive":
            assert len(calls) == model_calls(sampling, **source)


def test_second_order_samplers_save_the_last_call() -> None:
    """Twenty steps of two calls are thirty-nine, while prompts and guidance count forty."""
    for sampler in ("heun", "dpmpp_sde", "dpmpp_2s_a", "dpm2", "restart"):
        assert model_calls(Sampling(sampler=sampler, steps=20)) == 39
        assert guided_calls(Sampling(sampler=sampler, steps=20)) == 40


def test_pictures_as_sources_run_one_step_more() -> None:
    """20 steps at 0.75 run 16, as in the webui (diffusers: 15); asked exactly, 20."""
    sampling = Sampling(sampler="euler", steps=20)
    assert (model_calls(sampling, 0.75), guided_calls(sampling, 0.75)) == (16, 16)
    assert (model_calls(sampling, 0.75, exact_steps=True), guided_calls(sampling, 0.75, exact_steps=True)) == (20, 20)


def test_a_strength_of_nothing_with_exact_steps_leaves_the_source() -> None:
    """There is no schedule of which twenty steps would be no share at all."""
    latent = torch.randn(SHAPE)
    final, calls = driven(begun(Sampling(), latent=latent, denoising_strength=0.0, exact_steps=True), normal)
    assert not calls
    assert final is latent


settled = st.builds(
    Sampling,
    sampler=st.sampled_from(NAMES),
    schedule=st.sampled_from([row.id for row in SCHEDULE_ROWS]),
    steps=st.integers(1, 12),
    eta=st.none() | st.floats(0, 1),
    s_churn=st.floats(0, 40),
    s_tmin=st.floats(0, 5),
    s_tmax=st.floats(0, 20),
    s_noise=st.floats(0, 1.1),
    sigma_min=st.just(0.0) | st.floats(1e-4, 5),
    sigma_max=st.just(0.0) | st.floats(6, 100),
    rho=st.just(0.0) | st.floats(0.5, 100),
    discard_penultimate=st.booleans(),
    beta_alpha=st.floats(0.1, 2),
    beta_beta=st.floats(0.1, 2),
    old_karras=st.booleans(),
    sgm_noise=st.booleans(),
    quantize=st.booleans(),
    downcast_alphas=st.booleans(),
    zero_terminal_snr=st.booleans(),
    unipc=st.builds(
        UniPC,
        variant=st.sampled_from(["bh1", "bh2", "vary_coeff"]),
        skip=st.sampled_from(["time_uniform", "time_quadratic", "logSNR"]),
        order=st.integers(1, 4),
        lower_order_final=st.booleans(),
    ),
)


@settings(max_examples=80, deadline=None)
@given(settled, st.none() | st.floats(0.01, 1), st.booleans())
def test_no_knob_breaks_a_sampler(sampling: Sampling, strength: float | None, exact: bool) -> None:
    """Whatever a request may say, every sampler with every schedule comes to an end, with timesteps in the trained range."""
    latent = None if strength is None else torch.ones(SHAPE)
    walk = begun(sampling, latent=latent, denoising_strength=strength, exact_steps=exact)
    final, calls = driven(walk, normal)
    assert final.shape == SHAPE
    assert all(call.timestep is not None and 0 <= call.timestep <= 999.0001 for call in calls)
    assert all(call.sigma > 0 for call in calls)


def test_the_adaptive_sampler_gives_up_on_nonsense() -> None:
    """A network that answers NaN ends it, instead of making ever smaller steps for ever."""
    noise = torch.ones(SHAPE)
    walk = SPAN_SAMPLERS["dpm_adaptive"](noise, Span(14.6, 0.03, 20), Knobs(eta=1.0), lambda _, __: noise)
    _, calls = driven(walk, lambda call: call.x * torch.nan)
    assert len(calls) <= 9


def test_inpainting_keeps_what_is_not_painted() -> None:
    """Outside the mask the result is the source itself, whatever the sampler, and inside it is not."""
    latent, mask = torch.randn(SHAPE), torch.zeros(1, 1, 2, 3)
    mask[..., 1] = 1
    for name in NAMES:
        walk = begun(Sampling(sampler=name, steps=6), latent=latent, denoising_strength=0.8, mask=mask)
        final, _ = driven(walk, normal)
        torch.testing.assert_close(final[..., [0, 2]], latent[..., [0, 2]])
        assert not torch.isclose(final[..., 1], latent[..., 1]).any()


def test_samplers_in_time_show_the_network_the_source_without_noise() -> None:
    """What the network sees outside the mask is the source; the sampler gets the noise that the network saw, for its own x."""
    latent, mask, x = torch.full(SHAPE, 3.0), torch.zeros(1, 1, 2, 3), torch.randn(SHAPE)

    def walk() -> Walk:
        denoised = yield Evaluate(x, 2.0)
        return (x - denoised) / 2.0

    seen: list[Tensor] = []

    def answer(call: Evaluate) -> Tensor:
        seen.append(call.x)
        return call.x - 2.0 * 0.25  # the network sees noise of 0.25

    eps, _ = driven(blended_before(walk(), latent=latent, mask=mask), answer)
    torch.testing.assert_close(seen[0] / 5**0.5, latent)  # the network's input is x / sqrt(sigma² + 1)
    torch.testing.assert_close(eps, torch.full(SHAPE, 0.25))


def test_consistency_models_are_told_their_own_timesteps() -> None:
    """LCM asks at multiples of twenty less one, and mixes a trace of x into the estimate."""
    table = table_of(default_alphas(), Sampling()).consistency()

    def walk() -> Walk:
        return (yield Evaluate(torch.ones(SHAPE), 2.0))

    final, (call,) = driven(consistent(timed(walk(), table, walks_in_time=False)), lambda _: torch.zeros(SHAPE))
    assert call.timestep is not None
    assert (call.timestep + 1) % 20 == 0
    torch.testing.assert_close(final, torch.full(SHAPE, 0.25 / ((call.timestep * 10) ** 2 + 0.25)))


def test_churn_draws_even_where_it_is_unused() -> None:
    """A bound on churn does not move the noise of the steps inside it, as in the webui."""
    drawn: list[tuple[float, float]] = []

    def noise(sigma: float, following: float) -> Tensor:
        drawn.append((sigma, following))
        return torch.zeros(SHAPE)

    sigmas = [8.0, 4.0, 2.0, 0.0]
    for name in ("euler", "heun", "dpm2"):
        drawn.clear()
        driven(SAMPLERS[name](torch.ones(SHAPE), sigmas, Knobs(1.0, churn=5.0, churn_to=3.0), noise), normal)
        assert [sigma for sigma, _ in drawn] == [8.0, 4.0, 2.0]
