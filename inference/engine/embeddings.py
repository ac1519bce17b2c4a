"""Textual inversion: files that hold learned token vectors, in every form that is in use.

Owns the forms (webui v1.10.1, modules/textual_inversion; diffusers; SDXL pairs; picture cards). Refuses to know how
vectors get into a prompt (`text`, `prompt`).
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inference.engine.bad_file import BadFile
from inference.engine.pickles import Bag, read_pickle
from inference.engine.weights import WeightsFile

MAX_VECTORS = 75
"""An embedding is never split over windows, so one longer than a window could never be used."""
CARDS = {".png", ".webp"}
BUNDLE = "bundle_emb."
"""How the keys of learned words begin that lie inside a LoRA's file: `bundle_emb.NAME.string_to_param.*`."""
MAX_CARD_PIXELS = 8_000_000
MAX_CARD_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Embedding:
    """A learned word: `vectors` holds (k, C) fp32 for each text tower, in the towers' order."""

    name: str
    vectors: tuple[Tensor, ...]

    @property
    def length(self) -> int:
        """Tokens it takes up in a window."""
        return len(self.vectors[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels per tower: (768,) SD1, (1024,) SD2, (768, 1280) SDXL."""
        return tuple(vectors.shape[1] for vectors in self.vectors)


def load_embedding(path: Path) -> Embedding:
    """Read a textual inversion. Raises BadFile when the file is damaged, dangerous or of an unknown form."""
    if path.suffix.lower() in CARDS:
        name, table = _read_card(path)
    elif path.suffix == ".safetensors":
        with WeightsFile(path) as file:
            name, table = path.stem, {key: file.read(key) for key in file}
    else:
        name, table = path.stem, read_pickle(path)
    return _embedding(name or path.stem, table)


def _embedding(name: str, table: Any) -> Embedding:
    vectors = tuple(map(_checked, vectors_of(table)))
    if len({len(part) for part in vectors}) != 1:
        raise BadFile("holds a different number of vectors for SDXL's two text encoders.")
    return Embedding(name, vectors)


def load_bundled(path: Path) -> tuple[Embedding, ...]:
    """The learned words inside a LoRA's file; none where it has none. Raises BadFile, OSError."""
    tables: dict[str, dict[str, Any]] = {}
    with WeightsFile(path) as file:
        for key in file:
            if key.startswith(BUNDLE):
                name, _, part = key.removeprefix(BUNDLE).partition(".")
                inner = tables.setdefault(name, {})
                if part.startswith("string_to_param."):
                    inner["string_to_param"] = {part.removeprefix("string_to_param."): file.read(key)}
                else:
                    inner[part] = file.read(key)
    return tuple(_embedding(name, table) for name, table in tables.items())


def vectors_of(table: Any) -> Sequence[Tensor]:
    """The vectors in an unpickled embedding, one tensor per text tower. Raises BadFile for an unknown form."""
    if isinstance(table, Tensor):
        return (table,)
    if not isinstance(table, Mapping):
        raise BadFile("is no textual inversion: it holds no table.")
    if "string_to_param" in table:
        return (_single(_entries(table["string_to_param"])),)
    if "clip_l" in table and "clip_g" in table:
        return (table["clip_l"], table["clip_g"])
    if "emb_params" in table:
        return (table["emb_params"],)
    return (_single(_entries(table)),)


def _entries(value: Any) -> dict[str, Tensor]:
    """Tensors by name, whether in a plain table or in what is left of an old ParameterDict."""
    if isinstance(value, Bag):
        state = value.state if isinstance(value.state, Mapping) else {}
        value = state.get("_parameters") or state
    if not isinstance(value, Mapping):
        return {}
    return {str(key): item for key, item in value.items() if isinstance(item, Tensor)}


def _single(entries: Mapping[str, Tensor]) -> Tensor:
    if len(entries) != 1:
        raise BadFile(f"is no textual inversion: it should hold one tensor of vectors and holds {len(entries)}.")
    return next(iter(entries.values()))


def _checked(vectors: Any) -> Tensor:
    """(k, C) fp32 on the CPU. Raises BadFile unless it is 1 to 75 finite vectors."""
    if not isinstance(vectors, Tensor) or not vectors.is_floating_point() or vectors.ndim not in (1, 2):
        raise BadFile("is no textual inversion: its vectors are not a table of numbers.")
    if vectors.layout != torch.strided or vectors.is_meta:
        raise BadFile("is no textual inversion: its vectors are not written out.")
    table = vectors.detach().float()
    table = table.unsqueeze(0) if table.ndim == 1 else table
    if not 1 <= len(table) <= MAX_VECTORS:
        raise BadFile(f"holds {len(table)} vectors; a window has room for 1 to {MAX_VECTORS}.")
    if not bool(torch.isfinite(table).all()):
        raise BadFile("holds numbers that are not finite (NaN).")
    return table.clone()


def _read_card(path: Path) -> tuple[str, Any]:
    """Name and table of a picture card: in the PNG text `sd-ti-embedding`, or hidden in the low bits of the pixels."""
    try:
        with Image.open(path) as picture:
            text = getattr(picture, "text", {}).get("sd-ti-embedding")
            data = base64.b64decode(text) if text else _hidden(picture)
        value = json.loads(data, object_hook=_tensor_hook)
    except (OSError, ValueError, TypeError, RuntimeError, zlib.error, Image.DecompressionBombError) as error:
        raise BadFile("is a picture without a textual inversion in it.") from error
    name = value.get("name") if isinstance(value, dict) else None
    return (name if isinstance(name, str) else ""), value


def _tensor_hook(fields: dict[str, Any]) -> Any:
    return torch.tensor(fields["TORCHTENSOR"], dtype=torch.float32) if "TORCHTENSOR" in fields else fields


def _hidden(picture: Image.Image) -> bytes:
    """JSON hidden in a card's pixels (webui's cards): deflated, split in nibbles, xored with a fixed stream.

    Two black columns part the picture from a block on its left, which holds the low nibbles, and one on its right,
    which holds the high ones, each in the low four bits of R, G, B, row by row. A black rim around it all is cut off.
    """
    if picture.width * picture.height > MAX_CARD_PIXELS:
        raise ValueError("too large for a card")
    pixels = _without_rim(np.asarray(picture.convert("RGB"))) & 0x0F
    black = np.flatnonzero(pixels.sum(axis=(0, 2)) == 0)
    if len(black) < 2:
        raise ValueError("no black columns")
    low, high = _unmasked(pixels[:, : black[0]]), _unmasked(pixels[:, black[-1] + 1 :])
    size = min(len(low), len(high))
    return zlib.decompressobj().decompress(((high[:size] << 4) | low[:size]).tobytes(), MAX_CARD_BYTES)


def _without_rim(pixels: np.ndarray) -> np.ndarray:
    lit = np.min(pixels, axis=2) > 0
    columns, rows = np.flatnonzero(np.any(lit, axis=0)), np.flatnonzero(np.any(lit, axis=-1))
    if not len(columns):
        raise ValueError("a black picture")
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _unmasked(block: np.ndarray) -> np.ndarray:
    """The nibbles of `block` without the cards' fixed stream: Numerical Recipes' generator from 0, modulo 255, low bits."""
    stream = np.empty(block.size, dtype=np.uint8)
    state = 0
    for position in range(block.size):
        state = (1664525 * state + 1013904223) % 2**32
        stream[position] = state % 255 & 0x0F
    return (block.reshape(-1) ^ stream).astype(np.uint8)
