"""The catalogue promises what the engine keeps: the tables of both have the same keys."""

from inference.api.catalog import LATENT_UPSCALERS, SAMPLERS, SCHEDULES, UPSCALERS
from inference.api.preprocessors import PREPROCESSORS
from inference.engine import hires, sampling
from inference.engine.annotators.annotate import NETWORK_TRACERS, TRACERS
from inference.engine.annotators.networks import KINDS
from inference.engine.upscale import RESAMPLERS


def test_every_sampler_can_run_and_can_be_chosen() -> None:
    """Each row of the catalogue has one generator in one table of the engine, and each generator a row."""
    tables = [sampling.SAMPLERS, sampling.SPAN_SAMPLERS, sampling.TIMESTEP_SAMPLERS]
    assert sum(map(len, tables)) == len(SAMPLERS)
    assert {row.id for row in SAMPLERS} == {key for table in tables for key in table}


def test_every_schedule_can_run_and_can_be_chosen() -> None:
    """So with schedules; "automatic" stands for another row."""
    assert {row.id for row in SCHEDULES} - {"automatic"} == set(sampling.SCHEDULES)
    assert {row.schedule for row in SAMPLERS} <= set(sampling.SCHEDULES)


def test_every_upscaler_can_run_and_can_be_chosen() -> None:
    """So with the upscalers that are not files."""
    assert {row.id for row in UPSCALERS} == set(RESAMPLERS)
    assert {row.id for row in LATENT_UPSCALERS} == set(hires.LATENT_UPSCALERS)


def test_every_preprocessor_can_run_and_can_be_chosen() -> None:
    """So with preprocessors, those with networks in a table of their own; each network has a loader."""
    assert {row.id for row in PREPROCESSORS if not row.networks} == set(TRACERS)
    assert {row.id for row in PREPROCESSORS if row.networks} == set(NETWORK_TRACERS)
    assert {kind for row in PREPROCESSORS for kind in row.networks} <= set(KINDS)
    names = [name for row in PREPROCESSORS for name in {row.id, *row.modules}]
    assert len(set(names)) == len(names)


def test_ids_and_labels_are_unique() -> None:
    """An id or a label names one row; ids are plain enough for any command or file."""
    for table in (SAMPLERS, SCHEDULES, LATENT_UPSCALERS, UPSCALERS, PREPROCESSORS):
        for column in ([row.id for row in table], [row.label.lower() for row in table]):
            assert len(set(column)) == len(column)
        assert all(row.id.replace("_", "").isalnum() and row.id == row.id.lower() for row in table)
