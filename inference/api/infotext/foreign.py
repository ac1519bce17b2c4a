"""Texts that are not quite the webui's: Civitai's JSON among the parameters, NovelAI's JSON in a picture.

Owns what these programs write. What they say becomes the webui's text, or a table of resources.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

COMFY = (
    "This picture carries a ComfyUI workflow, not a parameter text; Easel cannot read workflows. "
    "Copy its prompt, seed and settings by hand."
)
_JSON_KEYS = re.compile(r"(?:,\s*)?\b(Civitai resources|Civitai metadata|Hashes):\s*(?=[\[{])")
_DIGITS = re.compile(r"[0-9a-fA-F]{8,64}")


class Resource(msgspec.Struct, frozen=True):
    """A file that a text names: `kind` is checkpoint, vae, lora, embed or another word; `hash` and `weight` may be missing."""

    kind: str
    name: str = ""
    hash: str = ""
    weight: float | None = None
    version: str = ""


def take_json(text: str) -> tuple[str, tuple[Resource, ...]]:
    """`text` without the JSON that Civitai and its webui extension put between the parameters, and what that JSON names."""
    found: list[Resource] = []
    kept: list[str] = []
    at = 0
    decoder = json.JSONDecoder()
    for match in _JSON_KEYS.finditer(text):
        if match.start() < at:
            continue
        try:
            value, end = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        kept.append(text[at : match.start()])
        at = end
        found += _READERS[match[1]](value)
    return "".join((*kept, text[at:])), tuple(found)


class _Row(msgspec.Struct, rename="camel"):
    """A resource in Civitai's JSON."""

    type: str = ""
    model_name: str = ""
    name: str = ""
    hash: str = ""
    weight: float | None = None
    model_version_name: str = ""


def _resources(value: Any) -> list[Resource]:
    try:
        rows = msgspec.convert(value, list[_Row])
    except msgspec.ValidationError:
        return []
    return [
        Resource(
            kind=_kind(row.type),
            name=row.model_name or row.name,
            hash=_digits(row.hash),
            weight=row.weight,
            version=row.model_version_name,
        )
        for row in rows
    ]


def _hashes(value: Any) -> list[Resource]:
    """`{"model": hash, "vae": hash, "lora:name": hash, "embed:name": hash}`."""
    try:
        table = msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError:
        return []
    named = ((*key.partition(":"), _digits(digits)) for key, digits in table.items())
    return [Resource(_kind(kind), name, digits) for kind, _, name, digits in named if digits]


def _nothing(_: Any) -> list[Resource]:
    return []


_READERS = {"Civitai resources": _resources, "Civitai metadata": _nothing, "Hashes": _hashes}
_KINDS = {
    "model": "checkpoint",
    "ckpt": "checkpoint",
    "lycoris": "lora",
    "locon": "lora",
    "dora": "lora",
    "embedding": "embed",
    "textualinversion": "embed",
    "ti": "embed",
}


def _kind(word: str) -> str:
    folded = word.casefold()
    return _KINDS.get(folded, folded)


def _digits(text: str) -> str:
    return text.lower() if _DIGITS.fullmatch(text) else ""


class _NovelAI(msgspec.Struct):
    """What Easel can use of NovelAI's JSON."""

    steps: float | None = None
    sampler: str = "k_euler_ancestral"
    scale: float | None = None
    seed: int | None = None
    uc: str = ""


def from_novelai(chunks: Mapping[str, str], size: tuple[int, int]) -> str:
    """NovelAI's description and JSON as the webui's text; empty where the JSON is damaged. Its seeds count with ENSD 31337."""
    try:
        said = msgspec.json.decode(chunks.get("Comment", ""), type=_NovelAI)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return ""
    pairs = {
        "Steps": None if said.steps is None else int(said.steps),
        "Sampler": said.sampler,
        "CFG scale": said.scale,
        "Seed": said.seed,
        "Size": f"{size[0]}x{size[1]}" if all(size) else None,
        "Clip skip": 2,
        "ENSD": 31337,
    }
    told = ", ".join(f"{key}: {value}" for key, value in pairs.items() if value is not None)
    negative = [f"Negative prompt: {said.uc}"] if said.uc else []
    return "\n".join((chunks.get("Description", ""), *negative, told))
