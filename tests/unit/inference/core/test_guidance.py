"""Guidance: the arithmetic between a sampler's sigma and the network's answers."""

import math

import pytest
import torch

from inference.api.request import Guidance
from inference.engine.guidance import Conditions, Guide, NoiseLevels, input_scale, output_scales, repeat_last
from inference.engine.work import Evaluate

BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
ALPHAS = (1 - BETAS).cumprod(0).float()
A, B, N = (Conditions(torch.full((1, 77, 4), value)) for value in (1.0, 2.0, 3.0))


def guide(*, always: bool = False, **settings: float) -> Guide:
    """Two AND parts (weights 1 and 0.5) against a negative."""
    settled = Guidance(**settings, min_sigma_uncond_all=always)
    return Guide(settled, 20, lambda _: ((1.0, A), (0.5, B)), lambda _: N)


def test_timesteps_are_fractional_and_held_at_the_ends() -> None:
    """The table's own sigmas give whole timesteps, those between a fraction, those outside the nearest end."""
    levels = NoiseLevels(ALPHAS)
    sigmas = ((1 - ALPHAS) / ALPHAS).sqrt()
    assert levels.timestep(float(sigmas[500])) == pytest.approx(500, abs=1e-3)
    middle = math.sqrt(float(sigmas[500]) * float(sigmas[501]))
    assert levels.timestep(middle) == pytest.approx(500.5, abs=1e-3)
    assert levels.timestep(1e-6) == 0
    assert levels.timestep(1e6) == 999


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_true_answer_gives_the_clean_latent(prediction: str) -> None:
    """A network that answers perfectly is turned into exactly the clean latent, for noise and for velocity."""
    clean, noise, sigma = torch.randn(1, 4, 4, 4), torch.randn(1, 4, 4, 4), 3.0
    x = clean + sigma * noise
    alpha = 1 / math.sqrt(1 + sigma**2)
    answers = {"epsilon": noise, "v_prediction": alpha * noise - sigma * alpha * clean}
    keep, weight = output_scales(sigma, prediction)  # type: ignore[arg-type]
    torch.testing.assert_close(keep * x + weight * answers[prediction], clean, atol=1e-5, rtol=1e-5)
    assert input_scale(sigma) == pytest.approx(alpha)


def test_and_weights_add_up() -> None:
    """D = D_u + Σ w·cfg·(D_i - D_u) over the parts of an AND prompt."""
    asked = guide(cfg_scale=4.0).ask(0, 5.0)
    denoised = torch.stack([torch.full((1, 2, 2), value) for value in (1.0, 2.0, 10.0)])
    guided = guide(cfg_scale=4.0).combine(asked, torch.zeros(1, 1, 2, 2), 5.0, denoised)
    assert asked.rows == (A, B, N)
    assert guided.unique().item() == pytest.approx(10 + 4 * (1 - 10) + 0.5 * 4 * (2 - 10))


def test_scale_one_still_runs_the_negative() -> None:
    """CFG scale 1 has an unconditional row, as in the webui."""
    assert guide(cfg_scale=1.0).ask(0, 5.0).uncond is N


def test_skipping_the_negative() -> None:
    """Skip Early CFG skips it up to its share of calls; a minimum sigma below it on odd calls, or on all."""
    early, low, lows = guide(skip_early=0.1), guide(min_sigma_uncond=2.0), guide(min_sigma_uncond=2.0, always=True)
    assert [early.ask(call, 5.0).uncond is None for call in (0, 2, 3)] == [True, True, False]
    assert [low.ask(call, 1.0).uncond is None for call in (0, 1, 2, 3)] == [False, True, False, True]
    assert [lows.ask(call, 1.0).uncond is None for call in (0, 1, 2, 3)] == [True, True, True, True]
    assert low.ask(1, 3.0).uncond is N


def test_a_skipped_negative_lends_its_place_to_the_first_part() -> None:
    """Guidance then starts from the first part, which is also what a sampler gets that asks for the unconditional."""
    full, skipped = guide().ask(0, 5.0), guide(skip_early=1.0).ask(0, 5.0)
    assert (full.rows[full.base], skipped.rows[skipped.base]) == (N, A)
    denoised = torch.stack([torch.full((1, 2, 2), value) for value in (1.0, 2.0)])
    guided = guide(cfg_scale=4.0).combine(skipped, torch.zeros(1, 1, 2, 2), 5.0, denoised)
    assert guided.unique().item() == pytest.approx(1 + 0.5 * 4 * (2 - 1))


def test_a_sampler_that_walks_in_time_is_measured_in_time() -> None:
    """The webui compares its minimum sigma with the timestep where a sampler knows no sigma."""
    x = torch.zeros(1, 4, 2, 2)
    assert Evaluate(x, 0.2, timestep=21.0).level == 0.2
    assert Evaluate(x, 0.2, timestep=21.0, walks_in_time=True).level == 21.0


def test_without_a_negative_the_single_part_is_the_answer() -> None:
    """Where the unconditional row is skipped, D is the conditional estimate itself."""
    single = Guide(Guidance(skip_early=1.0), 20, lambda _: ((1.0, A),), lambda _: N)
    denoised = torch.randn(1, 4, 2, 2)
    guided = single.combine(single.ask(0, 5.0), torch.zeros(1, 4, 2, 2), 5.0, denoised)
    torch.testing.assert_close(guided, denoised)


def test_rescale_brings_the_spread_back() -> None:
    """RescaleCFG of 1 gives the guided v the spread of the conditional v."""
    single = Guide(Guidance(cfg_scale=9.0, rescale=1.0), 20, lambda _: ((1.0, A),), lambda _: N)
    x, sigma, denoised = torch.randn(1, 4, 8, 8), 2.0, torch.randn(2, 4, 8, 8)
    guided = single.combine(single.ask(0, sigma), x, sigma, denoised)

    def velocity(d: torch.Tensor) -> torch.Tensor:
        return (x / (sigma**2 + 1) - d) * math.sqrt(sigma**2 + 1) / sigma

    assert velocity(guided).std() == pytest.approx(float(velocity(denoised[:1]).std()), rel=1e-4)


def test_rescale_measures_and_parts_together() -> None:
    """With AND parts the spread to return to is that of their sum at CFG scale 1."""
    parts = Guide(Guidance(cfg_scale=9.0, rescale=1.0), 20, lambda _: ((1.0, A), (0.5, B)), lambda _: N)
    alone = Guide(Guidance(cfg_scale=1.0), 20, lambda _: ((1.0, A), (0.5, B)), lambda _: N)
    x, denoised = torch.randn(1, 4, 8, 8), torch.randn(3, 4, 8, 8)
    asked, scaled = parts.ask(0, 2.0), x / 5
    guided, at_one = (each.combine(asked, x, 2.0, denoised) for each in (parts, alone))
    assert (guided - scaled).std() == pytest.approx(float((at_one - scaled).std()), rel=1e-4)


def test_shorter_parts_repeat_their_last_vector() -> None:
    """A context is lengthened with copies of its last vector, and never shortened."""
    context = torch.arange(6.0).view(1, 3, 2)
    assert repeat_last(context, 5)[0, 3:].tolist() == [[4.0, 5.0], [4.0, 5.0]]
    assert repeat_last(context, 2) is context


def test_parts_that_say_the_same_share_a_row() -> None:
    """The network answers once for words that stand in several places; the sum counts every part."""
    painter = Guide(Guidance(cfg_scale=2.0), 20, lambda _: ((1.0, A), (0.5, B), (0.25, A)), lambda _: N)
    asked = painter.ask(0, 5.0)
    assert asked.rows == (A, B, N)
    denoised = torch.stack([torch.full((1, 2, 2), value) for value in (1.0, 2.0, 10.0)])
    guided = painter.combine(asked, torch.zeros(1, 1, 2, 2), 5.0, denoised)
    assert asked.base == 2
    assert guided.unique().item() == pytest.approx(10 + 1.25 * 2 * (1 - 10) + 0.5 * 2 * (2 - 10))
