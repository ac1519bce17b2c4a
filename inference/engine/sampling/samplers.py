"""The table of samplers: id of the catalogue -> generator, by what they walk down."""

from collections.abc import Callable, Sequence

from torch import Tensor

from inference.engine.noise_table import ModelTable
from inference.engine.sampling.dpm_solver import dpm_adaptive, dpm_fast
from inference.engine.sampling.dpmpp import (
    dpmpp_2m,
    dpmpp_2m_sde,
    dpmpp_2m_sde_heun,
    dpmpp_2s_a,
    dpmpp_3m_sde,
    dpmpp_sde,
)
from inference.engine.sampling.euler import ddpm, euler, euler_a, lcm
from inference.engine.sampling.knobs import Knobs, Noise, SigmaSampler, SpanSampler
from inference.engine.sampling.multistep import deis, ipndm, ipndm_v, lms
from inference.engine.sampling.timesteps import ddim, ddim_cfgpp, plms
from inference.engine.sampling.two_calls import dpm2, dpm2_a, heun, heunpp2, restart
from inference.engine.sampling.unipc import unipc
from inference.engine.work import Sampling

SAMPLERS: dict[str, SigmaSampler] = {
    "dpmpp_2m": dpmpp_2m,
    "dpmpp_sde": dpmpp_sde,
    "dpmpp_2m_sde": dpmpp_2m_sde,
    "dpmpp_2m_sde_heun": dpmpp_2m_sde_heun,
    "dpmpp_2s_a": dpmpp_2s_a,
    "dpmpp_3m_sde": dpmpp_3m_sde,
    "euler_a": euler_a,
    "euler": euler,
    "lms": lms,
    "heun": heun,
    "dpm2": dpm2,
    "dpm2_a": dpm2_a,
    "restart": restart,
    "lcm": lcm,
    "ddpm": ddpm,
    "heunpp2": heunpp2,
    "ipndm": ipndm,
    "ipndm_v": ipndm_v,
    "deis": deis,
}
"""Samplers that walk down a list of sigmas."""
SPAN_SAMPLERS: dict[str, SpanSampler] = {
    "dpm_fast": dpm_fast,
    "dpm_adaptive": dpm_adaptive,
}
"""Samplers that find their own way between two sigmas, high and low, in so many calls or as many as they need."""
TIMESTEP_SAMPLERS: dict[str, Callable[[Tensor, Sequence[int], Knobs, Noise, ModelTable], Sampling]] = {
    "ddim": ddim,
    "ddim_cfgpp": ddim_cfgpp,
    "plms": plms,
    "unipc": unipc,
}
"""Samplers that walk down a list of timesteps."""
BROWNIAN = frozenset({"dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"})
"""Samplers whose noise is a Brownian path: the same picture, only finer, with more steps."""
NOISE_SCALED = BROWNIAN | {"euler", "heun", "dpm2", "dpm2_a", "dpmpp_2s_a", "dpm_fast", "heunpp2"}
"""Samplers whose noise the webui lets people scale (s_noise)."""
