"""Schedules and img2img's share of them against the webui's own numbers (`schedules.json`; README of the vectors)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inference.api.catalog import SAMPLERS as ROWS
from inference.api.catalog import SCHEDULES as SCHEDULE_ROWS
from inference.api.sampling import Sampling
from inference.engine.noise_table import default_alphas, zero_terminal
from inference.engine.sampling import schedule_of, table_of
from inference.engine.sampling.course import course_of, share_of
from inference.engine.sampling.schedules import ddim_timesteps

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
VECTORS = json.loads((FOLDER / "schedules.json").read_text(encoding="utf-8"))
IDS = {row.label: row.id for row in ROWS}
SCHEDULE_IDS = {row.label: row.id for row in SCHEDULE_ROWS}
OPTIONS = {
    "rho": "rho",
    "sigma_min": "sigma_min",
    "sigma_max": "sigma_max",
    "beta_dist_alpha": "beta_alpha",
    "beta_dist_beta": "beta_beta",
    "use_old_karras_scheduler_sigmas": "old_karras",
    "always_discard_next_to_last_sigma": "discard_penultimate",
    "enable_quantization": "quantize",
}
"""The webui's settings and ours."""


def sampling_of(row: Mapping[str, Any], **changes: Any) -> Sampling:
    """The request that a row of the vectors stands for."""
    options = {OPTIONS[name]: value for name, value in row.get("options", {}).items() if name in OPTIONS}
    unknown = row.get("options", {}).keys() - OPTIONS.keys() - {"sd_noise_schedule"}
    assert not unknown, f"settings without a knob of ours: {unknown}"
    sampler, schedule = IDS[row.get("sampler", "Euler")], SCHEDULE_IDS[row["scheduler"]]
    terminal = bool(row.get("zsnr", False))
    return Sampling(
        sampler=sampler, schedule=schedule, steps=row["steps"], zero_terminal_snr=terminal, **options, **changes
    )


@pytest.mark.parametrize(
    "row",
    [*VECTORS["sigmas"], *VECTORS["forge_extra"]],
    ids=lambda row: " ".join(
        str(part)
        for part in (row["model"], row.get("sampler", ""), row["scheduler"], row["steps"], row.get("options") or "")
    ),
)
def test_schedules_are_the_webuis(row: dict[str, Any]) -> None:
    """Every schedule, under every setting that touches it, visits the webui's sigmas."""
    sampling = sampling_of(row)
    table = table_of(default_alphas(), sampling, xl=row["model"] == "sdxl")
    table = table.consistency() if sampling.sampler == "lcm" else table
    assert schedule_of(sampling, table) == pytest.approx(row["sigmas"], rel=1e-3 if row.get("zsnr") else 1e-5)


def test_noise_tables_are_the_webuis() -> None:
    """The default table of noise levels, and the one that ends without signal."""
    plain = table_of(default_alphas(), Sampling())
    assert plain.alphas_cumprod.tolist() == pytest.approx(VECTORS["alphas_cumprod"], rel=1e-6)
    assert plain.sigmas.tolist() == pytest.approx(VECTORS["table_sigmas"], rel=1e-6)
    terminal = table_of(default_alphas(), Sampling(zero_terminal_snr=True))
    assert terminal.alphas_cumprod.tolist() == pytest.approx(VECTORS["zsnr_alphas_cumprod"], rel=1e-3)
    assert terminal.sigmas.tolist() == pytest.approx(VECTORS["zsnr_table_sigmas"], rel=1e-3)
    assert zero_terminal(default_alphas())[-1] == pytest.approx(4.8973451890853435e-08)


def test_half_precision_tables() -> None:
    """A table stored in half precision, and the webui's old arithmetic in half precision, give the ends they gave there."""
    stored = table_of(default_alphas().half().float(), Sampling())
    assert (float(stored.sigmas[0]), float(stored.sigmas[-1])) == pytest.approx((0.031265, 14.61234), rel=1e-4)
    old = table_of(default_alphas(), Sampling(downcast_alphas=True))
    assert (float(old.sigmas[0]), float(old.sigmas[-1])) == (0.03125, 14.609375)


@pytest.mark.parametrize("row", VECTORS["ddim_timesteps"], ids=lambda row: f"{row['steps']} {row['always_discard']}")
def test_ddim_timesteps(row: dict[str, Any]) -> None:
    """Samplers that walk in timesteps have the webui's list, which may be longer than asked."""
    assert ddim_timesteps(row["steps"] + row["always_discard"]) == row["timesteps"]


@pytest.mark.parametrize("row", VECTORS["samplers"], ids=lambda row: row["label"])
def test_the_catalogue_knows_the_webuis_samplers(row: dict[str, Any]) -> None:
    """Default schedule, discarded sigma, second order and the use of ENSD are as in the webui's table."""
    ours = next(other for other in ROWS if other.label == row["label"])
    assert ours.schedule == (row["automatic_scheduler"] or "uniform")
    assert (ours.discards, ours.uses_ensd, ours.order == 2) == (
        row["discard_penultimate"],
        row["uses_ensd"],
        row["second_order"],
    )


def test_the_catalogue_knows_the_webuis_schedules() -> None:
    """Every schedule of the webui by its label."""
    assert {row["label"] for row in VECTORS["schedulers"]} <= set(SCHEDULE_IDS)


@pytest.mark.parametrize(
    "row",
    VECTORS["img2img"],
    ids=lambda row: f"{row['sampler']} {row['scheduler']} {row['steps']} {row['denoising_strength']} {row['mode']}",
)
def test_pictures_as_sources_run_the_webuis_share(row: dict[str, Any]) -> None:
    """A source is noised as far, and the same tail of the same schedule runs, in all three ways to count steps."""
    sampling = sampling_of(row)
    share = share_of(sampling.steps, row["denoising_strength"], exact_steps=row["mode"] != "normal")
    assert (share.steps, share.kept) == (row["schedule_steps"], row["t_enc"])
    course = course_of(sampling, table_of(default_alphas(), sampling), share)
    assert (course.source_scale, course.noise_scale) == (
        pytest.approx(row["init_scale"], rel=1e-5),
        pytest.approx(row["noise_scale"], rel=1e-5),
    )
    if "timesteps" in row:
        assert course.timesteps == row["timesteps"]
    elif "n" in row:
        assert course.span is not None
        ends = pytest.approx((row["sigma_min"], row["sigma_max"]), rel=1e-5)
        assert ((course.span.low, course.span.high), course.span.calls) == (ends, row["n"])
    else:
        assert course.sigmas == pytest.approx(row["sigmas"], rel=1e-5)
