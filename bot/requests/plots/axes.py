"""The axes of a plot, one table: what each is called, how its values are read, what changing it costs, what a value does.

Owns the rows. Commands, suggestions and legends are made from them. An axis of the webui that Easel has nothing for keeps its
row, so that old parameter texts are understood, and says so (`absent`).
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from bot.errors import RequestRefused, Unknown
from bot.requests.drafts import shown
from bot.requests.naming import unknown
from bot.requests.plots import changes
from bot.requests.plots.changes import Here
from bot.requests.plots.values import Kind, Value, label_of
from inference.api.errors import RequestInvalid
from inference.api.request import GenerationRequest

Change = Callable[[GenerationRequest, Value, Here], GenerationRequest]
"""A request with the value in its place. Raises RequestRefused, or RequestInvalid where a request says what is wrong."""
Choices = Literal[
    "", "samplers", "schedules", "models", "refiners", "vaes", "loras", "upscalers", "styles", "switch", "noise"
]
"""What is suggested for a value."""
Shape = Literal["named", "bare", "file"]
"""How a value is written on the grid: with the axis' name, alone, or as a file's name alone."""


class AxisRow(msgspec.Struct, frozen=True, kw_only=True):
    """`cost` orders the cells; `where` is "txt" or "img" for what only means something without, or with, a source."""

    label: str
    kind: Kind = "float"
    cost: float = 0.0
    where: Literal["", "txt", "img"] = ""
    change: Change | None = None
    choices: Choices = ""
    shape: Shape = "named"
    early: bool = False
    absent: str = ""
    ours: bool = False
    hint: str = ""

    @property
    def id(self) -> str:
        """As the command sends it."""
        return self.label.casefold()


AXES: Final[tuple[AxisRow, ...]] = (
    AxisRow(label="Nothing", kind="str"),
    AxisRow(label="Seed", kind="int", change=changes.seed, hint="1-4, 100"),
    AxisRow(label="Var. seed", kind="int", change=changes.variation_seed, hint="1-4"),
    AxisRow(label="Var. strength", change=changes.variation_strength, hint="0-0.3 [4]"),
    AxisRow(label="Steps", kind="int", change=changes.steps, hint="10-40 (+10)"),
    AxisRow(label="Hires steps", kind="int", where="txt", change=changes.hires_steps, hint="5-15 (+5)"),
    AxisRow(label="CFG Scale", change=changes.cfg_scale, hint="3-9 (+2)"),
    AxisRow(label="Image CFG Scale", where="img", absent="Easel has no models that are edited by instruction."),
    AxisRow(label="Prompt S/R", kind="str", change=changes.search_replace, shape="bare", hint="cat, dog, bird"),
    AxisRow(
        label="Prompt order", kind="str_permutations", change=changes.prompt_order, shape="bare", hint="cat, hat, sun"
    ),
    AxisRow(
        label="Sampler",
        kind="str",
        where="txt",
        change=changes.sampler,
        choices="samplers",
        shape="bare",
    ),
    AxisRow(label="Hires sampler", kind="str", where="txt", change=changes.hires_sampler, choices="samplers"),
    AxisRow(label="Sampler", kind="str", where="img", change=changes.sampler, choices="samplers", shape="bare"),
    AxisRow(
        label="Checkpoint name",
        kind="str",
        cost=1.0,
        change=changes.checkpoint,
        choices="models",
        shape="file",
        early=True,
    ),
    AxisRow(label="Negative Guidance minimum sigma", change=changes.min_sigma_uncond, hint="0-4 (+1)"),
    AxisRow(label="Sigma Churn", change=changes.sampling("s_churn"), hint="0, 10, 20"),
    AxisRow(label="Sigma min", change=changes.sampling("s_tmin"), hint="0, 0.5"),
    AxisRow(label="Sigma max", change=changes.sampling("s_tmax"), hint="0, 5"),
    AxisRow(label="Sigma noise", change=changes.sampling("s_noise"), hint="0.9-1.1 [3]"),
    AxisRow(label="Schedule type", kind="str", change=changes.schedule, choices="schedules"),
    AxisRow(label="Schedule min sigma", change=changes.sampling("sigma_min"), hint="0.03, 0.1"),
    AxisRow(label="Schedule max sigma", change=changes.sampling("sigma_max"), hint="10, 14.6"),
    AxisRow(label="Schedule rho", change=changes.sampling("rho"), hint="5, 7, 9"),
    AxisRow(label="Beta schedule alpha", change=changes.sampling("beta_alpha"), hint="0.4-0.8 [3]"),
    AxisRow(label="Beta schedule beta", change=changes.sampling("beta_beta"), hint="0.4-0.8 [3]"),
    AxisRow(label="Eta", change=changes.sampling("eta"), hint="0-1 [3]"),
    AxisRow(label="Clip skip", kind="int", change=changes.clip_skip, hint="1-3"),
    AxisRow(label="Denoising", change=changes.denoising, hint="0.3-0.9 (+0.2)"),
    AxisRow(label="Initial noise multiplier", change=changes.noise_multiplier, hint="0.9-1.1 [3]"),
    AxisRow(label="Extra noise", change=changes.extra_noise, hint="0-0.2 [3]"),
    AxisRow(label="Hires upscaler", kind="str", where="txt", change=changes.hires_upscaler, choices="upscalers"),
    AxisRow(label="Cond. Image Mask Weight", where="img", change=changes.mask_weight, hint="0-1 [3]"),
    AxisRow(label="VAE", kind="str", cost=0.7, change=changes.vae, choices="vaes"),
    AxisRow(label="Styles", kind="str", change=changes.styles, choices="styles", early=True),
    AxisRow(label="UniPC Order", kind="int", cost=0.5, change=changes.unipc_order, hint="1-3"),
    AxisRow(label="Face restore", kind="str", shape="bare", change=changes.faces, hint="off, repaint, GFPGANv1.4"),
    AxisRow(label="Token merging ratio", change=changes.merging, hint="0-0.6 [3]"),
    AxisRow(label="Token merging ratio high-res", change=changes.hires_merging, hint="0, 0.5"),
    AxisRow(
        label="Always discard next-to-last sigma", kind="str", change=changes.discard_penultimate, choices="switch"
    ),
    AxisRow(label="SGM noise multiplier", kind="str", change=changes.sgm_noise, choices="switch"),
    AxisRow(
        label="Refiner checkpoint",
        kind="str",
        cost=1.0,
        change=changes.refiner,
        choices="refiners",
        shape="file",
        early=True,
    ),
    AxisRow(label="Refiner switch at", change=changes.refiner_switch, hint="0.6-0.9 [4]"),
    AxisRow(label="RNG source", kind="str", change=changes.rng, choices="noise"),
    AxisRow(label="FP8 mode", kind="str", cost=0.9, absent="Easel keeps no weights in eight bits."),
    AxisRow(label="Size", kind="str", change=changes.size, hint="512x512, 512x768"),
    AxisRow(label="LoRA", kind="str", change=changes.lora, choices="loras", ours=True, hint="none, ink, ink:0.5"),
)
"""In the webui's order; ours come last."""
NOTHING: Final = AXES[0]


def axis_named(text: str | None, *, img: bool) -> AxisRow:
    """The axis of this label; None is Nothing. `img` says whether there is a source. Raises RequestRefused."""
    wanted = (text or "Nothing").strip().casefold()
    found = [row for row in AXES if row.id == wanted]
    if not found:
        raise unknown("axis", text or "", (row.label for row in offered(img=img)))
    row = next((row for row in found if row.where in {"", "img" if img else "txt"}), None)
    if row is None:
        need = "begins from no picture" if found[0].where == "txt" else "begins from a picture (init_image)"
        raise RequestRefused(f"The axis “{found[0].label}” is for what {need}.")
    if row.absent:
        raise RequestRefused(f"There is no axis “{row.label}” here: {row.absent}")
    return row


def offered(*, img: bool | None = None) -> tuple[AxisRow, ...]:
    """The axes that can be chosen; with or without a source, or (None) either."""
    wheres = {"", "txt", "img"} if img is None else {"", "img" if img else "txt"}
    rows = {row.label: row for row in AXES if not row.absent and row.where in wheres}
    return tuple(rows.values())


def written(row: AxisRow, value: Value) -> str:
    """`value` on the grid."""
    text = label_of(value)
    if row.shape == "file":
        return text.replace("\\", "/").rpartition("/")[2]
    return text if row.shape == "bare" else f"{row.label}: {text}"


def apply(row: AxisRow, value: Value, request: GenerationRequest, here: Here) -> GenerationRequest:
    """`request` with `value` on the axis. Raises RequestRefused, and RequestInvalid for a number out of bounds."""
    try:
        return request if row.change is None else row.change(request, value, here)
    except (Unknown, RequestInvalid):
        raise
    except (TypeError, ValueError) as error:
        raise RequestRefused(f"“{shown(str(value))}” is no value for the axis “{row.label}”.") from error
