"""The families of Stable Diffusion that can be painted with, and how a file is told to belong to one.

Owns the table and the test by weight names (webui v1.10.1 and generative-models use the same names). Refuses to read
files: it is handed names and shapes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inference.engine.bad_file import BadFile
from inference.engine.tokenizer import END

DATA = Path(__file__).parent / "data"
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Tower:
    """A text encoder: its section in the config, where its weights lie, in which layout, and what fills its windows.

    `padding` follows the first end token of a window: the end token itself for CLIP-L, 0 for open_clip.
    """

    section: str
    prefix: str
    layout: Literal["clip", "open_clip"]
    padding: int
    projected: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """What is the same for every checkpoint of a kind.

    `native` is the side in pixels it was trained for, `vae_scale` what a latent is multiplied with after encoding.
    `normed`: hidden states pass the final layer norm; `skip` fixes the hidden state counted from the end, None lets the
    request choose. `xl`: its latents, noise levels and empty negatives are SDXL's. `scores` are the aesthetic scores that a
    refiner is told, of what is wanted and of what is not; others are told the size of the picture they go for.
    """

    id: str
    label: str
    native: int
    vae_scale: float
    towers: tuple[Tower, ...]
    normed: bool
    skip: int | None
    xl: bool = False
    scores: tuple[float, float] | None = None

    def config(self) -> dict[str, Any]:
        """The family's own configuration: sections unet, vae, and one for each tower."""
        return json.loads((DATA / f"{self.id}.json").read_text(encoding="utf-8"))


FAMILIES: dict[str, Family] = {
    "sd1": Family(
        id="sd1",
        label="Stable Diffusion 1",
        native=512,
        vae_scale=0.18215,
        towers=(Tower("text_encoder", "cond_stage_model.transformer.", "clip", END),),
        normed=True,
        skip=None,
    ),
    "sd2": Family(
        id="sd2",
        label="Stable Diffusion 2",
        native=512,
        vae_scale=0.18215,
        towers=(Tower("text_encoder", "cond_stage_model.model.", "open_clip", 0),),
        normed=True,
        skip=2,
    ),
    "sdxl": Family(
        id="sdxl",
        label="Stable Diffusion XL",
        native=1024,
        vae_scale=0.13025,
        towers=(
            Tower("text_encoder", "conditioner.embedders.0.transformer.", "clip", END),
            Tower("text_encoder_2", "conditioner.embedders.1.model.", "open_clip", 0, projected=True),
        ),
        normed=False,
        skip=2,
        xl=True,
    ),
    "sdxl_refiner": Family(
        id="sdxl_refiner",
        label="Stable Diffusion XL refiner",
        native=1024,
        vae_scale=0.13025,
        towers=(Tower("text_encoder_2", "conditioner.embedders.0.model.", "open_clip", 0, projected=True),),
        normed=False,
        skip=2,
        xl=True,
        scores=(6.0, 2.5),
    ),
}

_INPUT = "model.diffusion_model.input_blocks.0.0.weight"
INPAINTING = 9
"""Input channels of a checkpoint made for inpainting: the latent, the mask, and the latent of what the mask leaves."""
_OTHER_INPUTS = {
    5: "a depth checkpoint (five input channels)",
    8: "an instruct-pix2pix checkpoint (eight input channels)",
}


def input_channels(shapes: Shapes) -> int:
    """Channels that the UNet sees; 0 where there is no UNet."""
    shape = shapes.get(_INPUT, ())
    return shape[1] if len(shape) == 4 else 0


def identify(shapes: Shapes) -> Family:
    """The family of a checkpoint with these weights.

    Raises BadFile when it is no Stable Diffusion checkpoint, or one that Easel does not paint with (pix2pix, depth,
    or only a part of a model).
    """
    if _INPUT not in shapes:
        raise BadFile(_what_else(shapes))
    channels = input_channels(shapes)
    if channels in _OTHER_INPUTS:
        raise BadFile(f"is {_OTHER_INPUTS[channels]}, which Easel does not paint with.")
    return base_family(shapes)


def base_family(shapes: Shapes) -> Family:
    """The family of a checkpoint, whatever else its UNet is told. Raises BadFile when it is no whole checkpoint."""
    if _INPUT not in shapes:
        raise BadFile(_what_else(shapes))
    if any(key.startswith("conditioner.embedders.1.") for key in shapes):
        return FAMILIES["sdxl"]
    if any(key.startswith("conditioner.embedders.0.model.") for key in shapes):
        return FAMILIES["sdxl_refiner"]
    if any(key.startswith("cond_stage_model.model.") for key in shapes):
        return FAMILIES["sd2"]
    if any(key.startswith("cond_stage_model.transformer.") for key in shapes):
        return FAMILIES["sd1"]
    raise BadFile("holds a UNet but no text encoder; a whole checkpoint is needed.")


_OTHER_KINDS = (
    ("double_blocks.", "is a Flux model; Easel paints with Stable Diffusion 1, 2 and XL."),
    ("model.diffusion_model.joint_blocks.", "is a Stable Diffusion 3 model; Easel paints with 1, 2 and XL."),
    ("control_model.", "is a ControlNet; it belongs in models/ControlNet."),
    ("lora_", "is a LoRA; it belongs in models/Lora."),
    ("decoder.conv_in.", "is a VAE alone; it belongs in models/VAE."),
)


def _what_else(shapes: Shapes) -> str:
    for mark, sentence in _OTHER_KINDS:
        if any(key.startswith(mark) or f".{mark}" in key for key in shapes):
            return sentence
    return "is no Stable Diffusion checkpoint: it has no UNet in the single-file layout."


def share_latents(one: str, other: str) -> bool:
    """Whether checkpoints of two families (by id) can go on with each other's latents; of unknown ones that is not known."""
    known = [FAMILIES[name].xl for name in (one, other) if name in FAMILIES]
    return len(known) < 2 or known[0] == known[1]


def lora_family(metadata: Mapping[str, str], shapes: Shapes) -> str:
    """Family id of a LoRA, or "unknown": by its names and context width, then by what its metadata says (webui)."""
    if any(key.startswith(("lora_te1_", "lora_te2_", "text_encoder_2.")) for key in shapes):
        return "sdxl"
    widths = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
    for key, shape in shapes.items():
        if "attn2" in key and ("to_k" in key or "to_v" in key) and len(shape) >= 2:
            if ("lora_down" in key or "lora_A" in key) and shape[1] in widths:
                return widths[shape[1]]
            if key.endswith(("hada_w1_b",)) and shape[1] in widths:
                return widths[shape[1]]
    base = metadata.get("ss_base_model_version", "")
    if base.startswith("sdxl_"):
        return "sdxl"
    if metadata.get("ss_v2") == "True":
        return "sd2"
    return "sd1" if base.startswith("sd_v1") else "unknown"
