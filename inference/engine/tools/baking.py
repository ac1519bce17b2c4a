"""A VAE of its own put into a checkpoint: found under whichever names it has, written under a checkpoint's.

Owns the names (`first_stage_model.` in front; diffusers' own are translated). Refuses VAEs of other shapes.
"""

import re
from collections.abc import Sequence
from typing import Final

from torch import Tensor

from inference.engine.layout import VAE_PREFIX, vae_sources
from inference.engine.tools.entries import Entry, copied
from inference.engine.tools.refusal import ToolRefused
from inference.engine.tools.tensors import TensorFile

_LEFT_OUT: Final = ("loss", "model_ema.")
_UP: Final = re.compile(r"decoder\.up_blocks\.(\d+)\.")
_MARK: Final = f"{VAE_PREFIX}decoder.conv_in.weight"


def baked(entries: Sequence[Entry], vae: TensorFile) -> list[Entry]:
    """`entries` of a checkpoint with the VAE of `vae` in place of their own. Raises ToolRefused where it does not fit."""
    new = {entry.key: entry for entry in _entries_of(vae)}
    if _MARK not in new:
        raise ToolRefused(f"{vae.path.name} is no VAE: it has no decoder in the layout of Stable Diffusion.")
    old = {entry.key: entry for entry in entries if entry.key.startswith(VAE_PREFIX)}
    missing = sorted(set(old) - set(new))
    if missing:
        raise ToolRefused(
            f"{vae.path.name} lacks {len(missing)} weights of the checkpoint's VAE, such as “{missing[0]}”; it is of another "
            "kind or only a part of one."
        )
    for key, entry in old.items():
        if new[key].shape != entry.shape:
            raise ToolRefused(
                f"{vae.path.name} does not fit this checkpoint: “{key}” has the shape {new[key].shape} there, {entry.shape} here."
            )
    return [*(entry for entry in entries if entry.key not in old), *new.values()]


def _entries_of(vae: TensorFile) -> list[Entry]:
    names = [name for name in vae if not name.startswith(_LEFT_OUT)]
    if any(name.startswith(VAE_PREFIX) for name in names):
        return [copied(name, vae, name) for name in names if name.startswith(VAE_PREFIX)]
    blocks = [int(found[1]) for name in names if (found := _UP.match(name))]
    if not blocks:
        return [copied(VAE_PREFIX + name, vae, name) for name in names]
    sources = vae_sources(names, {"block_out_channels": [0] * (max(blocks) + 1)})
    return [_placed(sources[name].key, vae, name) for name in names]


def _placed(key: str, vae: TensorFile, name: str) -> Entry:
    """A weight of diffusers' under a checkpoint's key, where attention is made of 1×1 convolutions."""
    entry = copied(key, vae, name)
    if ".mid.attn_1." not in key or len(entry.shape) != 2:
        return entry

    def make() -> Tensor:
        return vae.read(name)[:, :, None, None]

    return Entry(key, entry.kind, (*entry.shape, 1, 1), make)
