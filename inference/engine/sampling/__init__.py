"""How noise becomes a latent: samplers, schedules, and `sample`, which runs what a request asks for."""

from inference.engine.sampling.run import model_calls, sample
from inference.engine.sampling.samplers import SAMPLERS, TIMESTEP_SAMPLERS
from inference.engine.sampling.schedules import SCHEDULES, ModelTable

__all__ = ["SAMPLERS", "SCHEDULES", "TIMESTEP_SAMPLERS", "ModelTable", "model_calls", "sample"]
