"""The merger: one checkpoint out of two or three, as the webui makes it (v1.10.1), with its recipe in the metadata.

Owns what is checked before anything is read, the names of what is made, and the recipe. The arithmetic is `mixing`'s.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from inference.api.tools import Made, Merge, Method
from inference.engine.families import base_family
from inference.engine.hashing import old_hash
from inference.engine.tools.baking import baked
from inference.engine.tools.configs import copy_config
from inference.engine.tools.convert import opened
from inference.engine.tools.discarding import discarded
from inference.engine.tools.mixing import Mixer, Side
from inference.engine.tools.refusal import ToolRefused, about
from inference.engine.tools.tensors import PIECE
from inference.engine.tools.writing import Progress, Tell, targets_of, write_all

_WEBUI: Final[Mapping[Method, str]] = {
    "weighted-sum": "Weighted sum",
    "add-difference": "Add difference",
    "none": "No interpolation",
}
"""The methods as recipes name them."""


def merge(command: Merge, tell: Tell) -> Made:
    """Do what `command` says, and tell how far it is. Raises ToolRefused; then nothing is left of it."""
    _check(command)
    with ExitStack() as ends:
        sides = {
            letter: Side.of(letter, ends.enter_context(opened(Path(path))))
            for letter, path in (("A", command.a), ("B", command.b), ("C", command.c))
            if path
        }
        _check_families(list(sides.values()))
        mixer = Mixer(command, sides["A"], sides.get("B"), sides.get("C"))
        plan = mixer.entries()
        target = mixer.target()
        if command.bake_vae:
            plan = baked(plan, ends.enter_context(opened(Path(command.bake_vae))))
        plan = discarded(plan, command.discard)
        if not plan:
            raise ToolRefused("The pattern of what is left out finds every weight; nothing would be left.")
        paths = {letter: side.file.path for letter, side in sides.items()}
        stem = command.name or default_name(command, target=target)
        folder = paths["A"].parent
        sources = tuple(paths.values())
        targets = targets_of(folder, stem, (command.format,), sources=sources, overwrite=command.overwrite)
        metadata = _recipe(command, sides, target=target, tell=tell)
        made = write_all(plan, metadata=metadata, targets=targets, replace=command.overwrite, tell=tell)
    notes = copy_config(paths[command.config], made) if command.config != "none" else ()
    return Made(made.paths, made.bytes, tuple(notes))


def default_name(command: Merge, *, target: str = "") -> str:
    """The webui's name of a merge: `0.7(A) + 0.3(B)`, `A + 0.5(B - C)`, with `.inpainting` behind where it is one."""
    a, b, c = (Path(path).stem for path in (command.a, command.b, command.c))
    much = round(command.multiplier, 2)
    names: Mapping[Method, str] = {
        "weighted-sum": f"{round(1 - command.multiplier, 2)}({a}) + {much}({b})",
        "add-difference": f"{a} + {much}({b} - {c})",
        "none": a,
    }
    return names[command.method] + (f".{target}" if target else "")


def _check(command: Merge) -> None:
    """Raise ToolRefused unless what is asked makes sense."""
    if not math.isfinite(command.multiplier) or not 0 <= command.multiplier <= 1:
        raise ToolRefused(f"The multiplier goes from 0 (A alone) to 1; {command.multiplier:g} is outside.")
    wanted = {"weighted-sum": "AB", "add-difference": "ABC", "none": "A"}[command.method]
    given = {"A": command.a, "B": command.b, "C": command.c}
    for letter, path in given.items():
        if letter in wanted and not path:
            raise ToolRefused(f"The method {command.method} takes {len(wanted)} checkpoints; {letter} is missing.")
        if letter not in wanted and path:
            raise ToolRefused(f"The method {command.method} has no use for a checkpoint {letter}; leave it out.")
    if command.config != "none" and not given[command.config]:
        raise ToolRefused(f"There is no checkpoint {command.config} whose config could be copied.")


def _check_families(sides: Sequence[Side]) -> None:
    """Raise ToolRefused unless all are whole checkpoints of one family."""
    families = []
    for side in sides:
        with about(side.file.path):
            families.append(base_family({key: side.shape(key) for key in side.names}))
    for side, family in zip(sides[1:], families[1:], strict=True):
        if family.id != families[0].id:
            raise ToolRefused(
                f"{sides[0].file.path.name} is of the family {families[0].label}, {side.file.path.name} of {family.label}: "
                "only checkpoints of one family can be merged."
            )


def _recipe(command: Merge, sides: Mapping[str, Side], *, target: str, tell: Tell) -> dict[str, str]:
    """The metadata of a merge, as the webui writes and reads it."""
    paths = [side.file.path for side in sides.values()]
    progress = Progress(tell, total=sum(path.stat().st_size for path in paths), stage="hashing")
    hashes = {letter: _sha256(side.file.path, progress) for letter, side in sides.items()}
    recipe = {
        "type": "webui",
        "primary_model_hash": hashes["A"],
        "secondary_model_hash": hashes.get("B"),
        "tertiary_model_hash": hashes.get("C"),
        "interp_method": _WEBUI[command.method],
        "multiplier": command.multiplier,
        "save_as_half": command.half,
        "custom_name": command.name,
        "config_source": {"A": 0, "B": 1, "C": 2, "none": 3}[command.config],
        "bake_in_vae": Path(command.bake_vae).name if command.bake_vae else "None",
        "discard_weights": command.discard,
        "is_inpainting": target == "inpainting",
        "is_instruct_pix2pix": target == "instruct-pix2pix",
    }
    models: dict[str, Any] = {}
    for letter, side in sides.items():
        file = side.file
        models[hashes[letter]] = {
            "name": file.path.name,
            "legacy_hash": old_hash(file.path),
            "sd_merge_recipe": _json(file.metadata.get("sd_merge_recipe")),
        }
        earlier = _json(file.metadata.get("sd_merge_models"))
        models |= earlier if isinstance(earlier, dict) else {}
    return {"format": "pt", "sd_merge_recipe": json.dumps(recipe), "sd_merge_models": json.dumps(models)}


def _json(text: str | None) -> Any:
    """What an earlier merge wrote; None where there is none, or nonsense."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _sha256(path: Path, progress: Progress) -> str:
    whole = hashlib.sha256()
    with about(path), path.open("rb") as file:
        while block := file.read(PIECE):
            whole.update(block)
            progress(len(block))
    return whole.hexdigest()
