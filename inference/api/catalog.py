"""The tables from which commands, autocomplete, help and documents are made: samplers, schedules, upscalers, shapes.

Owns the rows (data). The engine holds id -> function tables with the same keys; a contract test compares them.
"""

import msgspec


class SamplerRow(msgspec.Struct, frozen=True):
    """A sampler as people choose it. `schedule` is its default ("uniform" is what the webui calls Automatic there).

    `order` is how many model calls prompts count for a step (1 or 2). `discards` says that its schedule is built for one
    step more and loses the last sigma but one; `uses_ensd` that the eta noise seed delta changes its pictures. Those that
    walk in timesteps have schedules of their own and ignore the chosen one.
    """

    id: str
    label: str
    schedule: str = "uniform"
    order: int = 1
    discards: bool = False
    uses_ensd: bool = False
    help: str = ""


class ChoiceRow(msgspec.Struct, frozen=True):
    """A row of any simpler table."""

    id: str
    label: str
    help: str = ""


class AspectRow(msgspec.Struct, frozen=True):
    """A shape of picture: width and height in parts."""

    id: str
    label: str
    width: int
    height: int


SAMPLERS: tuple[SamplerRow, ...] = (
    SamplerRow("dpmpp_2m", "DPM++ 2M", schedule="karras", help="Second order from memory: sharp in 20 to 30 steps."),
    SamplerRow(
        "dpmpp_sde", "DPM++ SDE", schedule="karras", order=2, help="Two calls and fresh noise a step: detailed."
    ),
    SamplerRow(
        "dpmpp_2m_sde", "DPM++ 2M SDE", schedule="exponential", help="DPM++ 2M with fresh noise: richer texture."
    ),
    SamplerRow("dpmpp_2m_sde_heun", "DPM++ 2M SDE Heun", schedule="exponential", help="The same, corrected otherwise."),
    SamplerRow(
        "dpmpp_2s_a",
        "DPM++ 2S a",
        schedule="karras",
        order=2,
        uses_ensd=True,
        help="Two calls a step, ancestral noise.",
    ),
    SamplerRow(
        "dpmpp_3m_sde",
        "DPM++ 3M SDE",
        schedule="exponential",
        discards=True,
        help="Third order; wants 30 steps or more.",
    ),
    SamplerRow("euler_a", "Euler a", uses_ensd=True, help="Lively and quick; adds fresh noise each step."),
    SamplerRow("euler", "Euler", help="The plain first-order method."),
    SamplerRow("lms", "LMS", help="Fourth order from memory; smooth, can ring with few steps."),
    SamplerRow("heun", "Heun", order=2, help="Second order with two calls a step: careful and slow."),
    SamplerRow("dpm2", "DPM2", schedule="karras", order=2, discards=True, help="Second order by the midpoint."),
    SamplerRow(
        "dpm2_a", "DPM2 a", schedule="karras", order=2, discards=True, uses_ensd=True, help="The same with fresh noise."
    ),
    SamplerRow("dpm_fast", "DPM fast", uses_ensd=True, help="Third order with as many calls as steps."),
    SamplerRow("dpm_adaptive", "DPM adaptive", uses_ensd=True, help="Chooses its own steps until the error is small."),
    SamplerRow("restart", "Restart", schedule="karras", order=2, help="Goes back up once or twice to mend mistakes."),
    SamplerRow("ddim", "DDIM", help="The original deterministic sampler."),
    SamplerRow("ddim_cfgpp", "DDIM CFG++", help="DDIM with guidance that keeps to the pictures a model knows."),
    SamplerRow("plms", "PLMS", help="Fourth order from memory, from the early days."),
    SamplerRow("unipc", "UniPC", help="Predicts and corrects; good from 10 steps."),
    SamplerRow("lcm", "LCM", help="For LCM models and LoRAs: 4 to 8 steps at a CFG scale of 1 to 2."),
    SamplerRow("ddpm", "DDPM", help="The original ancestral sampler; wants many steps."),
    SamplerRow("heunpp2", "HeunPP2", order=1, help="Heun with a look two steps ahead: three calls a step."),
    SamplerRow("ipndm", "IPNDM", help="Fourth order from memory, for few steps."),
    SamplerRow("ipndm_v", "IPNDM_V", help="The same for steps of unequal length."),
    SamplerRow("deis", "DEIS", help="Third order from memory, exact for straight noise."),
)
"""The webui's samplers in its order, then Forge's."""

SCHEDULES: tuple[ChoiceRow, ...] = (
    ChoiceRow("automatic", "Automatic", "Whatever suits the sampler."),
    ChoiceRow("uniform", "Uniform", "Even steps in time."),
    ChoiceRow("karras", "Karras", "More steps where details form."),
    ChoiceRow("exponential", "Exponential", "Even steps in the logarithm of noise."),
    ChoiceRow("polyexponential", "Polyexponential", "The same, bent by rho."),
    ChoiceRow(
        "sgm_uniform", "SGM Uniform", "Even steps in time without the very last; for Turbo and Lightning models."
    ),
    ChoiceRow("kl_optimal", "KL Optimal", "Even steps in angle; ends with a little noise left."),
    ChoiceRow("align_your_steps", "Align Your Steps", "Found by optimisation for 10 steps."),
    ChoiceRow("simple", "Simple", "Every so many trained steps."),
    ChoiceRow("normal", "Normal", "Even steps in time, as ComfyUI counts them."),
    ChoiceRow("ddim", "DDIM", "DDIM's steps; may be one more than asked."),
    ChoiceRow("beta", "Beta", "More steps at both ends."),
    ChoiceRow("turbo", "Turbo", "Forge's steps for SDXL Turbo."),
    ChoiceRow("align_your_steps_gits", "Align Your Steps GITS", "Found by geometry for few steps."),
    ChoiceRow("align_your_steps_11", "Align Your Steps 11", "The published table for 10 steps."),
    ChoiceRow("align_your_steps_32", "Align Your Steps 32", "The published table for 31 steps."),
)
"""The webui's schedules in its order, then Forge's."""

LATENT_UPSCALERS: tuple[ChoiceRow, ...] = (
    ChoiceRow("latent", "Latent", "Stretches the latent; the second pass invents the detail."),
    ChoiceRow("latent_antialiased", "Latent (antialiased)"),
    ChoiceRow("latent_bicubic", "Latent (bicubic)", "Stretches the latent along curves."),
    ChoiceRow("latent_bicubic_antialiased", "Latent (bicubic antialiased)"),
    ChoiceRow("latent_nearest", "Latent (nearest)", "Repeats latent pixels; grainier."),
    ChoiceRow("latent_nearest_exact", "Latent (nearest-exact)"),
)
"""Upscalers that hires fix alone can use: they work on latents, not on pictures."""

UPSCALERS: tuple[ChoiceRow, ...] = (
    ChoiceRow("none", "None", "Only resizes to the wanted size; adds no detail."),
    ChoiceRow("lanczos", "Lanczos", "Sharp resampling; adds no detail."),
    ChoiceRow("nearest", "Nearest", "Keeps hard pixels."),
)

ASPECTS: tuple[AspectRow, ...] = (
    AspectRow("1:1", "Square 1:1", 1, 1),
    AspectRow("3:2", "Landscape 3:2", 3, 2),
    AspectRow("2:3", "Portrait 2:3", 2, 3),
    AspectRow("4:3", "Landscape 4:3", 4, 3),
    AspectRow("3:4", "Portrait 3:4", 3, 4),
    AspectRow("16:9", "Wide 16:9", 16, 9),
    AspectRow("9:16", "Tall 9:16", 9, 16),
)
