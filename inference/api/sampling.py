"""What a request says about noise: the sampler and its knobs, guidance, seeds. Frozen values and their invariants.

Refuses to know how any of it is computed.
"""

import math
from typing import Literal

import msgspec

from inference.api.catalog import SAMPLERS, SCHEDULES
from inference.api.errors import require

SEED_LIMIT = 2**32
"""Seeds are integers in [0, SEED_LIMIT), as in the webui."""
MAX_STEPS = 150
_SAMPLERS = frozenset(row.id for row in SAMPLERS)
_SCHEDULES = frozenset(row.id for row in SCHEDULES)


class UniPC(msgspec.Struct, frozen=True, omit_defaults=True):
    """Settings of the sampler UniPC. `variant` is its B(h), `skip` how its steps are spread.

    `order` is lowered to the number of steps; `lower_order_final` lowers it near the end.
    """

    variant: Literal["bh1", "bh2", "vary_coeff"] = "bh1"
    skip: Literal["time_uniform", "time_quadratic", "logSNR"] = "time_uniform"
    order: int = 3
    lower_order_final: bool = True

    def __post_init__(self) -> None:
        require(1 <= self.order <= 50, f"UniPC's order must be between 1 and 50, not {self.order}.")


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How noise becomes a picture. `sampler` and `schedule` are ids of `inference.api.catalog`.

    `schedule` "automatic" means the sampler's own default. `eta` None means the sampler's default (1 for ancestral
    ones, 0 for DDIM). `sigma_min`, `sigma_max` and `rho` 0 mean the schedule's default; `s_tmax` 0 is no bound.
    `ensd` is the eta noise seed delta. `beta_alpha` and `beta_beta` shape the schedule "beta". `old_karras` begins and ends
    schedules at 10 and 0.1. `sgm_noise` is the webui's SGM noise multiplier, `quantize` its quantization of timesteps,
    `downcast_alphas` its noise table in half precision (before 1.7.0), `zero_terminal_snr` a table that ends without signal.
    """

    sampler: str = "euler_a"
    schedule: str = "automatic"
    steps: int = 20
    eta: float | None = None
    s_churn: float = 0.0
    s_tmin: float = 0.0
    s_tmax: float = 0.0
    s_noise: float = 1.0
    sigma_min: float = 0.0
    sigma_max: float = 0.0
    rho: float = 0.0
    discard_penultimate: bool = False
    ensd: int = 0
    beta_alpha: float = 0.6
    beta_beta: float = 0.6
    old_karras: bool = False
    sgm_noise: bool = False
    quantize: bool = False
    downcast_alphas: bool = False
    zero_terminal_snr: bool = False
    unipc: UniPC = UniPC()

    def __post_init__(self) -> None:
        require(1 <= self.steps <= MAX_STEPS, f"Steps must be between 1 and {MAX_STEPS}, not {self.steps:,}.")
        require(self.sampler in _SAMPLERS, f"There is no sampler “{self.sampler}”; choose one from the list.")
        require(self.schedule in _SCHEDULES, f"There is no schedule “{self.schedule}”; choose one from the list.")
        for name, value, low, high in (
            ("Eta", self.eta or 0.0, 0.0, 1.0),
            ("Sigma churn", self.s_churn, 0.0, 1e6),
            ("Sigma tmin", self.s_tmin, 0.0, 1e6),
            ("Sigma tmax", self.s_tmax, 0.0, math.inf),
            ("Sigma noise", self.s_noise, 0.0, 10.0),
            ("Schedule min sigma", self.sigma_min, 0.0, 1e5),
            ("Schedule max sigma", self.sigma_max, 0.0, 1e5),
            ("Schedule rho", self.rho, 0.0, 100.0),
            ("Beta schedule alpha", self.beta_alpha, 0.01, 100.0),
            ("Beta schedule beta", self.beta_beta, 0.01, 100.0),
        ):
            require(low <= value <= high, f"{name} must be between {low:g} and {high:g}, not {value:g}.")
        for name, value, least in (  # smaller ones make steps that no number of single precision can tell apart
            ("Schedule min sigma", self.sigma_min, 1e-4),
            ("Schedule max sigma", self.sigma_max, 0.5),
            ("Schedule rho", self.rho, 0.5),
        ):
            require(
                value == 0 or value >= least,
                f"{name} must be 0, for the schedule's own, or at least {least:g}, not {value:g}.",
            )
        require(
            not self.sigma_max or self.sigma_min < self.sigma_max,
            f"Schedule min sigma ({self.sigma_min:g}) must be below schedule max sigma ({self.sigma_max:g}).",
        )


class Guidance(msgspec.Struct, frozen=True, omit_defaults=True):
    """How strongly the prompt pulls (classifier-free guidance) and its relatives.

    `skip_early` is the share of the first calls without the negative prompt. `min_sigma_uncond` is the noise below which
    every other call goes without it (negative guidance minimum sigma), every call with `min_sigma_uncond_all`.
    `rescale` brings the spread back that guidance adds (RescaleCFG), fully at 1.
    """

    cfg_scale: float = 7.0
    skip_early: float = 0.0
    min_sigma_uncond: float = 0.0
    rescale: float = 0.0
    min_sigma_uncond_all: bool = False

    def __post_init__(self) -> None:
        require(0.0 <= self.cfg_scale <= 30.0, f"CFG scale must be between 0 and 30, not {self.cfg_scale:g}.")
        require(0.0 <= self.skip_early <= 1.0, f"Skip Early CFG must be between 0 and 1, not {self.skip_early:g}.")
        require(0.0 <= self.rescale <= 1.0, f"CFG rescale must be between 0 and 1, not {self.rescale:g}.")
        require(self.min_sigma_uncond >= 0.0, f"NGMS must not be negative, but it is {self.min_sigma_uncond:g}.")


class Seeds(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the noise comes from. Picture i of a job uses seed + i (the seed stays put when a variation is asked).

    `source` "gpu" is the webui's default, CUDA's Philox stream, computed on any machine; "cpu" is torch's own.
    """

    seed: int
    variation_seed: int = 0
    variation_strength: float = 0.0
    resize_from: tuple[int, int] | None = None
    source: Literal["gpu", "cpu"] = "gpu"

    def __post_init__(self) -> None:
        for seed in (self.seed, self.variation_seed):
            require(
                0 <= seed < SEED_LIMIT, f"A seed must be a whole number from 0 to {SEED_LIMIT - 1:,}, not {seed:,}."
            )
        require(0.0 <= self.variation_strength <= 1.0, "Variation strength must be between 0 and 1.")
