"""Which kind of control a file holds, told by the names and shapes of its weights.

Owns the table of kinds and the judgement of families. Refuses to read tensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inference.engine.bad_file import BadFile

Shapes = Mapping[str, tuple[int, ...]]
Layout = Literal["ldm", "diffusers"]
PREFIX = "control_model."
DIFFERENCE = "difference"
ADAPTER_PREFIX = "adapter."
_FAMILIES = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
_XL_HINT = (256, 768)
"""Input channels of an SDXL adapter: one or three, in squares of 16 × 16 pixels."""
_PLAIN_HINT = (64, 192)


@dataclass(frozen=True, slots=True)
class ControlFile:
    """What a file of control is. `prefix` stands before each of its keys; `layout` says how they go on.

    `difference`: its encoder holds differences from the checkpoint that it was trained on (Stable Diffusion 1.5). `family` is
    an id of FAMILIES, "unknown" where its widths are unusual ones.
    """

    kind: Literal["controlnet", "adapter"]
    layout: Layout
    prefix: str
    family: str
    difference: bool = False


def identify_control(shapes: Shapes) -> ControlFile:
    """What the file with these weights is. Raises BadFile where it is no control, or one that Easel does not paint with."""
    for mark, sentence in _REFUSED:
        if any(mark in key for key in shapes):
            raise BadFile(sentence)
    for prefix in (PREFIX, ""):
        if f"{prefix}input_hint_block.0.weight" in shapes:
            family = _family(shapes, f"{prefix}input_blocks.", f"{prefix}label_emb.0.0.weight")
            return ControlFile("controlnet", "ldm", prefix, family, DIFFERENCE in shapes)
        if f"{prefix}controlnet_cond_embedding.conv_in.weight" in shapes:
            family = _family(shapes, f"{prefix}down_blocks.", f"{prefix}add_embedding.linear_1.weight")
            return ControlFile("controlnet", "diffusers", prefix, family, DIFFERENCE in shapes)
    for prefix in (ADAPTER_PREFIX, ""):
        if f"{prefix}conv_in.weight" in shapes and f"{prefix}body.0.block1.weight" in shapes:
            return ControlFile("adapter", "ldm", prefix, _adapter_family(shapes[f"{prefix}conv_in.weight"]))
        if f"{prefix}body.0.in_conv.weight" in shapes or f"{prefix}body.0.resnets.0.block1.weight" in shapes:
            layout: Layout = "diffusers" if f"{prefix}body.0.resnets.0.block1.weight" in shapes else "ldm"
            first = shapes.get(f"{prefix}conv_in.weight") or shapes.get(f"{prefix}body.0.in_conv.weight", ())
            return ControlFile("adapter", layout, prefix, _adapter_family(first))
    raise BadFile("is no ControlNet and no T2I adapter: none of its weights has the name of one.")


_REFUSED = (
    ("lora_controlnet", "is a control-LoRA, which Easel does not paint with; take the whole ControlNet in its place."),
    (
        "style_embedding",
        "is a T2I style adapter, which needs a vision model; Easel paints with the other T2I adapters.",
    ),
    ("image_proj.", "is an IP-Adapter, which Easel does not paint with; take a ControlNet or T2I adapter."),
    (
        "task_embedding",
        "is a ControlNet of several kinds in one (union), which Easel does not paint with; take a single one.",
    ),
    ("down_blocks.0.motion_modules", "is a ControlNet for videos; take one for pictures."),
)
"""Names that only files of other kinds have, and what is said of those."""


def _family(shapes: Shapes, blocks: str, label: str) -> str:
    """By the width of the words it attends to; where that is an unusual one, SDXL still shows by its further conditions."""
    widths = {shape[1] for key, shape in shapes.items() if key.startswith(blocks) and key.endswith("attn2.to_k.weight")}
    known = [_FAMILIES[width] for width in widths if width in _FAMILIES]
    return known[0] if known else "sdxl" if label in shapes else "unknown"


def _adapter_family(first: tuple[int, ...]) -> str:
    """By the size of the squares in which it reads a picture; its widths are the same for SD 1 and SDXL."""
    channels = first[1] if len(first) == 4 else 0
    if channels in _XL_HINT:
        return "sdxl"
    return "sd1" if channels in _PLAIN_HINT else "unknown"
