"""What a parameter text means where it says nothing, and where an old webui wrote it (v1.10.1's rules)."""

import math

from inference.api.attention import uses_emphasis
from inference.api.infotext.versions import V1_6_0, V1_7_0_TABLE, V1_8_0, parse_version

Parameters = dict[str, str | int | bool | list[str]]
"""Values by the webui's keys: text as it was written, numbers and booleans where a rule put them."""

MISSING: Parameters = {
    "Clip skip": "1",
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}
"""What is meant where a key is missing."""

OLD_AREA = 512 * 512
MAX_DIGITS = 9
"""A size with more digits than this is nonsense."""


def complete(found: Parameters) -> None:
    """Add to `found`, which holds the prompts already, what its missing keys and its version mean."""
    if hypernetwork := found.get("Hypernet"):
        found["Prompt"] = f"{found['Prompt']}<hypernet:{hypernetwork}:{found.get('Hypernet strength', '1.0')}>"
    if "Hires resize-1" not in found:
        found["Hires resize-1"], found["Hires resize-2"] = 0, 0
    _restore_first_pass(found)
    for key, value in MISSING.items():
        found.setdefault(key, value)
    if found["FP8 weight"] != MISSING["FP8 weight"]:
        found.setdefault("Cache FP16 weight for LoRA", False)
    if "Emphasis" not in found and (
        uses_emphasis(str(found["Prompt"])) or uses_emphasis(str(found["Negative prompt"]))
    ):
        found["Emphasis"] = "Original"
    _apply_version(found)


def first_pass_size(width: int, height: int) -> tuple[int, int]:
    """Size of the first pass where old texts say 0x0: the area of 512², each side rounded up to a multiple of 64."""
    scale = math.sqrt(OLD_AREA / (width * height))
    return math.ceil(scale * width / 64) * 64, math.ceil(scale * height / 64) * 64


def _restore_first_pass(found: Parameters) -> None:
    """Old hires fix named the final size, and the first pass beside it: turn that round."""
    if "First pass size-1" not in found:
        return
    first = _side(found["First pass size-1"]), _side(found["First pass size-2"])
    final = _side(found.get("Size-1", 512)), _side(found.get("Size-2", 512))
    if not all(final):
        return
    found["Size-1"], found["Size-2"] = first if all(first) else first_pass_size(*final)
    found["Hires resize-1"], found["Hires resize-2"] = final


def _side(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else 0


def _apply_version(found: Parameters) -> None:
    version = parse_version(found.get("Version"))
    if version is None:
        return
    if version < V1_6_0 and "[" in str(found["Prompt"]):
        found["Old prompt editing timelines"] = True
    if version < V1_6_0 and found.get("Sampler") in ("DDIM", "PLMS"):
        found["Pad conds v0"] = True
    if version < V1_7_0_TABLE:
        found["Downcast alphas_cumprod"] = True
    if version < V1_8_0 and found.get("Refiner"):
        found["Refiner switch by sampling steps"] = True
