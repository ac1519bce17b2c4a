"""What options that several commands have say of themselves, so that one thing is called the same wherever it is asked for.

Owns the words. A command with a word of its own for one of them says that instead.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_HELP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "negative": "What to keep out of the picture",
        "style": "Your styles, or the server's; several in order: ink, moody",
        "aspect": "Shape of the picture",
        "count": "How many pictures, 1 to 4",
        "model": "Checkpoint to paint with",
        "lora": "LoRAs, with strengths: ink:0.8, fur",
        "seed": "A number, the name of a saved seed, or random",
        "steps": "How long to paint",
        "cfg": "How strongly the words pull, 0 to 30",
        "sampler": "How noise becomes a picture",
        "init_image": "A picture to begin from",
        "strength": "How far to leave that picture, 0 to 1",
        "private": "Answer by direct message",
    }
)


def said(*options: str) -> dict[str, str]:
    """The words of these `options`, for `app_commands.describe`."""
    return {option: _HELP[option] for option in options}
