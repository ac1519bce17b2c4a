"""Which part of a checkpoint a weight belongs to, which are left out, and how some were misnamed: rules of names alone.

Owns the rules of the webui's model converter extension, by which other people's checkpoints are made. Refuses to read tensors.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from inference.api.tools import Pruning

Part = Literal["unet", "vae", "clip", "other"]
_PARTS: Final[tuple[tuple[str, Part], ...]] = (
    ("model.diffusion_model", "unet"),
    ("first_stage_model", "vae"),
    ("cond_stage_model", "clip"),
    ("conditioner.embedders", "clip"),
)
_NOVELAI: Final = tuple(
    (f"cond_stage_model.transformer.{part}.", f"cond_stage_model.transformer.text_model.{part}.")
    for part in ("embeddings", "encoder", "final_layer_norm")
)
"""Text encoders of NovelAI's and old files lack a level in their names."""
_JUNK: Final = ("embedding_manager.embedder.", "lora_te_text_model", "control_model.")
"""What trainers and other programs leave in."""
EMA: Final = "model_ema."
_COUNTERS: Final = ("model_ema.num_updates", "model_ema.decay")
POSITIONS: Final = "cond_stage_model.transformer.text_model.embeddings.position_ids"
"""The numbers of the places in a window, 0 to 76, of SD1's text encoder."""


def part_of(key: str) -> Part:
    """The part of a checkpoint that the weight `key` belongs to."""
    for prefix, part in _PARTS:
        if key.startswith(prefix):
            return part
    return "other"


def rightly_named(key: str) -> str:
    """`key` with the level that NovelAI's names lack."""
    for wrong, right in _NOVELAI:
        if key.startswith(wrong):
            return right + key.removeprefix(wrong)
    return key


def is_junk(key: str) -> bool:
    """Whether `key` has no place in a checkpoint."""
    return key.startswith(_JUNK)


def is_positions(key: str) -> bool:
    """Whether `key` holds numbers of places, whichever text encoder's."""
    return key.endswith(".position_ids")


def pruned(keys: Iterable[str], pruning: Pruning) -> Iterator[tuple[str, str]]:
    """Keys that stay, each with the key whose value it gets.

    Averaged weights lie under `model_ema.` and the key without its first six characters and without dots.
    """
    known = list(keys)
    present = frozenset(known)
    for key in known:
        averaged = EMA + key[6:].replace(".", "")
        match pruning:
            case "no":
                yield key, key
            case "no-ema":
                if EMA not in key:
                    yield key, key
            case "ema-only":
                if averaged in present:
                    yield key, averaged
                elif not key.startswith(EMA) or key in _COUNTERS:
                    yield key, key


def kept(treatments: Mapping[Part, str], key: str) -> bool:
    """Whether the part of `key` is not left out."""
    return treatments[part_of(key)] != "delete"
