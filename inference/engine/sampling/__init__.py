"""How noise becomes a latent: samplers, schedules, and `sample`, which runs what a request asks for."""

from inference.engine.noise_table import ModelTable, table_of
from inference.engine.sampling.course import schedule_of
from inference.engine.sampling.run import guided_calls, model_calls, sample
from inference.engine.sampling.samplers import SAMPLERS, SPAN_SAMPLERS, TIMESTEP_SAMPLERS
from inference.engine.sampling.schedules import SCHEDULES

__all__ = [
    "SAMPLERS",
    "SCHEDULES",
    "SPAN_SAMPLERS",
    "TIMESTEP_SAMPLERS",
    "ModelTable",
    "guided_calls",
    "model_calls",
    "sample",
    "schedule_of",
    "table_of",
]
