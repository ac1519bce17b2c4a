"""What the painter found and the server settled, for tests of requests."""

from collections.abc import Mapping
from typing import Any

from bot.requests.drafts import ImagineDraft
from bot.requests.resolve import resolve
from bot.settings import GenerationSettings, LimitSettings
from inference.api.request import GenerationRequest
from inference.api.result import Inventory, ModelFile
from storage.values import Style

INVENTORY = Inventory(
    checkpoints=(
        ModelFile("easel-painter", "m/Stable-diffusion/easel-painter.safetensors", "0123456789", "sd1", native=128),
        ModelFile("real/vision", "m/Stable-diffusion/real/vision.safetensors", "abcdef0123", "sd1", native=512),
        ModelFile("grand", "m/Stable-diffusion/grand.safetensors", "9876543210", "sdxl", native=1024),
    ),
    loras=(
        ModelFile("ink", "m/Lora/ink.safetensors", "aaaaaaaaaaaa", "sd1", weight=0.7),
        ModelFile("Fur", "m/Lora/Fur.safetensors", "bbbbbbbbbbbb", "unknown"),
        ModelFile("wide", "m/Lora/wide.safetensors", "cccccccccccc", "sdxl"),
        ModelFile("a=b", "m/Lora/a=b.safetensors", "dddddddddddd", "sd1"),
    ),
    upscalers=(ModelFile("realesr", "m/RealESRGAN/realesr.safetensors", "", "unknown"),),
)
DEFAULTS = GenerationSettings(negative="blurry")
LIMITS = LimitSettings()
SEED = 4_000_000_000


def style(name: str, *, prompt: str = "", negative: str = "") -> Style:
    """A saved style."""
    return Style(id=1, owner=1, guild=None, name=name, prompt=prompt, negative=negative, version=1, created=0.0)


STYLES: Mapping[str, Style] = {
    "Ink": style("Ink", prompt="ink drawing of {prompt}, paper", negative="colour"),
    "soft": style("soft", prompt="soft light, pastel"),
}
SEEDS: Mapping[str, int] = {"Lucky": 7, "edge": 2**32 - 1}
AROUND: dict[str, Any] = {
    "inventory": INVENTORY,
    "defaults": DEFAULTS,
    "limits": LIMITS,
    "styles": STYLES,
    "seeds": SEEDS,
    "random_seed": lambda: SEED,
}
"""All that `resolve` and `edited` look at."""


def asked(**said: Any) -> GenerationRequest:
    """The request that a draft with these words means."""
    return resolve(ImagineDraft(**({"prompt": "a cat"} | said)), **AROUND)
