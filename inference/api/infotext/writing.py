"""The text itself, in the webui's order and quoting (AUTOMATIC1111 v1.10.1).

Owns which fact stands where and when it is left out. Refuses to know where the facts come from (`facts`).
"""

from collections.abc import Mapping

import msgspec

from inference.api.infotext.quoting import Value, quote

VERSION = "v1.10.1"
"""The webui release whose arithmetic Easel follows; readers choose their compatibility rules by it."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one picture, in the webui's words. None or the neutral default leaves a key out.

    `extra` holds further keys in the order in which they are to appear; a key that has a fixed place keeps it.
    """

    prompt: str
    negative: str = ""
    steps: int
    sampler: str
    schedule: str | None = None
    cfg_scale: Value
    image_cfg_scale: Value = None
    seed: int
    face_restoration: str | None = None
    width: int
    height: int
    model_hash: str | None = None
    model: str | None = None
    vae_hash: str | None = None
    vae: str | None = None
    variation_seed: int = 0
    variation_strength: float = 0
    resize_from: tuple[int, int] = (0, 0)
    denoising_strength: Value = None
    clip_skip: int = 1
    ensd: int = 0
    rng: str = "GPU"
    tiling: bool = False
    extra: Mapping[str, Value] = {}
    version: str | None = VERSION
    user: str | None = None


def write_infotext(facts: Facts) -> str:
    """The whole text: prompt, negative prompt if there is one, and the parameters on the last line."""
    pairs = ", ".join(
        key if key == value else f"{key}: {quote(value)}" for key, value in _fields(facts).items() if value is not None
    )
    negative = f"\nNegative prompt: {facts.negative}" if facts.negative else ""
    return f"{facts.prompt}{negative}\n{pairs}".strip()


def _fields(facts: Facts) -> dict[str, Value]:
    """Keys in the webui's order; None where a key is to be left out."""
    varied = facts.variation_strength != 0
    from_width, from_height = facts.resize_from
    fields: dict[str, Value] = {
        "Steps": facts.steps,
        "Sampler": facts.sampler,
        "Schedule type": facts.schedule,
        "CFG scale": facts.cfg_scale,
        "Image CFG scale": facts.image_cfg_scale,
        "Seed": facts.seed,
        "Face restoration": facts.face_restoration,
        "Size": f"{facts.width}x{facts.height}",
        "Model hash": facts.model_hash,
        "Model": facts.model,
        "FP8 weight": None,
        "Cache FP16 weight for LoRA": None,
        "VAE hash": facts.vae_hash,
        "VAE": facts.vae,
        "Variation seed": facts.variation_seed if varied else None,
        "Variation seed strength": facts.variation_strength if varied else None,
        "Seed resize from": f"{from_width}x{from_height}" if from_width > 0 and from_height > 0 else None,
        "Denoising strength": facts.denoising_strength,
        "Conditional mask weight": None,
        "Clip skip": facts.clip_skip if facts.clip_skip > 1 else None,
        "ENSD": facts.ensd or None,
        "Token merging ratio": None,
        "Token merging ratio hr": None,
        "Init image hash": None,
        "RNG": facts.rng if facts.rng != "GPU" else None,
        "Tiling": True if facts.tiling else None,
    }
    fields.update(facts.extra)
    fields["Version"] = facts.version
    fields["User"] = facts.user
    return fields
