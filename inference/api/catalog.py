"""The tables from which commands, autocomplete, help and documents are made: samplers, schedules, upscalers, shapes.

Owns the rows (data). The engine holds id -> function tables with the same keys; a contract test compares them.
"""

import msgspec


class SamplerRow(msgspec.Struct, frozen=True):
    """A sampler as people choose it. `schedule` is its default. `order` is model calls per step (1 or 2)."""

    id: str
    label: str
    schedule: str = "uniform"
    order: int = 1
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
    SamplerRow("euler_a", "Euler a", help="Lively and quick; adds fresh noise each step."),
    SamplerRow("euler", "Euler", help="The plain first-order method."),
    SamplerRow("dpmpp_2m", "DPM++ 2M", schedule="karras", help="Second order from memory: sharp in 20 to 30 steps."),
    SamplerRow("ddim", "DDIM", schedule="ddim", help="The original deterministic sampler."),
)

SCHEDULES: tuple[ChoiceRow, ...] = (
    ChoiceRow("automatic", "Automatic", "Whatever suits the sampler."),
    ChoiceRow("uniform", "Uniform", "Even steps in time."),
    ChoiceRow("karras", "Karras", "More steps where details form."),
)

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
