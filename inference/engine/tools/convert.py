"""The converter: a checkpoint written anew in another precision, without what is not needed, with another VAE.

Owns the order of the webui's model converter extension: names and ids are mended, junk and averages left out, each part
converted, copied or deleted, the VAE baked in. Two things it does otherwise: a baked VAE gets its prefix, and numbers that do not
fit are refused instead of made infinite.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from inference.api.tools import Convert, Made
from inference.engine.tools.baking import baked
from inference.engine.tools.configs import copy_config
from inference.engine.tools.entries import Entry, copied, retyped
from inference.engine.tools.parts import Part, is_junk, kept, part_of, pruned, rightly_named
from inference.engine.tools.positions import repaired, whole
from inference.engine.tools.precision import check_range, kind_for
from inference.engine.tools.refusal import ToolRefused, about
from inference.engine.tools.tensors import TensorFile
from inference.engine.tools.writing import Tell, targets_of, write_all

_STALE: Final = ("sshs_", "modelspec.hash")
"""Beginnings of metadata that is about the bytes of the old file."""


def convert(command: Convert, tell: Tell) -> Made:
    """Do what `command` says, and tell how far it is. Raises ToolRefused; then nothing is left of it."""
    path = Path(command.source)
    with ExitStack() as ends:
        source = ends.enter_context(opened(path))
        treatments = _treatments(command)
        notes: list[str] = []
        entries = _mended(source, command, notes.append)
        plan = [entry for entry in entries.values() if kept(treatments, entry.key)]
        if command.bake_vae:
            plan = baked(plan, ends.enter_context(opened(Path(command.bake_vae))))
        plan = [_converted(entry, command, treatments) for entry in plan]
        if not plan:
            raise ToolRefused("Nothing would be left of this checkpoint; leave at least one part of it.")
        metadata = {"format": "pt"} | {k: v for k, v in source.metadata.items() if not k.startswith(_STALE)}
        stem = command.name or default_name(command)
        made = write_all(
            plan,
            metadata=metadata,
            targets=targets_of(path.parent, stem, command.formats, sources=(path,), overwrite=command.overwrite),
            replace=command.overwrite,
            tell=tell,
        )
    return Made(made.paths, made.bytes, (*notes, *copy_config(path, made)))


def opened(path: Path) -> TensorFile:
    """The file at `path`. Raises ToolRefused when it cannot be used."""
    with about(path):
        return TensorFile(path)


def default_name(command: Convert) -> str:
    """The source's stem up to its first dot, and what was done to it (as the extension names files)."""
    stem = Path(command.source).name.split(".")[0] or Path(command.source).stem
    pruning = "" if command.pruning == "no" else f"-{command.pruning}"
    return f"{stem}-{command.precision}{pruning}{'-clip-fix' if command.fix_clip else ''}"


def _treatments(command: Convert) -> Mapping[Part, str]:
    if command.bake_vae and command.vae == "delete":
        raise ToolRefused("A VAE cannot be baked in and deleted at once; choose one of the two.")
    return {"unet": command.unet, "vae": command.vae, "clip": command.clip, "other": command.other}


def _mended(source: TensorFile, command: Convert, note: Callable[[str], None]) -> dict[str, Entry]:
    """Entries by key after everything that is about names and ids: what is in the file is not changed yet."""
    named = {rightly_named(name): copied(rightly_named(name), source, name) for name in source}
    if renamed := sum(name not in named for name in source):
        note(f"{renamed} weights of the text encoder had old names, and have the usual ones now.")
    has_clip = any(key.startswith("cond_stage_model.transformer.") for key in named)
    with about(source.path):
        entries = [whole(entry) for entry in named.values()]
        if command.fix_clip:
            entries = repaired(entries, has_clip=has_clip, told=note)
    if command.drop_junk:
        entries = [entry for entry in entries if not is_junk(entry.key)]
    by_key = {entry.key: entry for entry in entries}
    chosen = list(pruned(by_key, command.pruning))
    if command.pruning == "ema-only" and all(key == value for key, value in chosen):
        note("This checkpoint holds no averaged (EMA) weights; its ordinary ones stay.")
    return {key: replace(by_key[value], key=key) for key, value in chosen}


def _converted(entry: Entry, command: Convert, treatments: Mapping[Part, str]) -> Entry:
    if treatments[part_of(entry.key)] != "convert":
        return entry
    return retyped(entry, kind_for(entry.kind, command.precision), check=check_range)
