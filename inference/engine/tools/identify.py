"""What a file is, told by its content: the shelf that it belongs to, or why it belongs to none.

Owns the order in which shelves are asked; whether a file is usable there is discovery's judgement. Refuses to believe names.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from inference.api.tools import Identified, Identify
from inference.engine.bad_file import BadFile
from inference.engine.discovery import KINDS, Kind
from inference.engine.families import FAMILIES
from inference.engine.pickles import read_pickle
from inference.engine.tools.refusal import ToolRefused, about
from inference.engine.tools.writing import Tell
from inference.engine.weights import read_shapes

_SHELVES: Final = {kind.shelf: kind for kind in KINDS}
LABELS: Final[Mapping[str, str]] = {
    "checkpoints": "a checkpoint",
    "vaes": "a VAE",
    "loras": "a LoRA",
    "embeddings": "an embedding",
    "upscalers": "an upscaler",
    "hypernetworks": "a hypernetwork",
    "controls": "a ControlNet or T2I adapter",
    "annotators": "a network for making maps",
    "faces": "a network for faces",
}
Names = frozenset[str]
_MARKS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("controls", lambda key: key.startswith(("control_model.", "input_hint_block.", "controlnet_cond_embedding."))),
    ("checkpoints", lambda key: key.startswith(("model.diffusion_model.", "double_blocks.", "joint_blocks."))),
    (
        "loras",
        lambda key: key.startswith(("lora_", "lycoris_")) or ".lora_" in key or ".hada_" in key or ".lokr_" in key,
    ),
    ("vaes", lambda key: key.removeprefix("first_stage_model.") == "decoder.conv_in.weight"),
)
"""Names that only files of one shelf have, in the order in which they decide."""
_BY_TRIAL: Final = ("embeddings", "controls", "faces", "upscalers")
"""Shelves whose judges tell their own files from others' where no name does."""


def identify(command: Identify, tell: Tell) -> Identified:
    """What the file at `path` is, or whether it is what it is said to be. Raises ToolRefused."""
    del tell
    path = Path(command.path)
    if command.shelf:
        _kind(command.shelf)
    with about(path):
        if path.suffix == ".safetensors":
            names: Names = frozenset(read_shapes(path)[0])
        else:
            names = _names_in(path)
        marked = next((shelf for shelf, is_one in _MARKS if any(map(is_one, names))), "")
    wanted = command.shelf or marked
    if command.shelf and marked and marked != command.shelf:
        raise ToolRefused(
            f"{path.name} is {LABELS[marked]}, not {LABELS[command.shelf]}; it belongs in models/{_SHELVES[marked].folders[0]}."
        )
    if wanted:
        return _judged(path, _kind(wanted))
    return _tried(path)


def _kind(shelf: str) -> Kind:
    if shelf not in _SHELVES:
        raise ToolRefused(f"There is no shelf “{shelf}”; there are {', '.join(_SHELVES)}.")
    return _SHELVES[shelf]


def _judged(path: Path, kind: Kind) -> Identified:
    """The file on that shelf. Raises ToolRefused where it cannot be used there."""
    if not path.name.lower().endswith(kind.endings):
        raise ToolRefused(f"{path.name} has an ending that is not read there: {', '.join(kind.endings)} are.")
    with about(path):
        facts = kind.judge(path)
    return Identified(kind.shelf, kind.folders[0], _label(kind.shelf, facts.family), facts.family or "unknown")


def _tried(path: Path) -> Identified:
    for shelf in _BY_TRIAL:
        kind = _SHELVES.get(shelf)
        if kind is None or not path.name.lower().endswith(kind.endings):
            continue
        try:
            facts = kind.judge(path)
        except (BadFile, OSError):
            continue
        if not facts.family:  # an upscaler of a kind that is not known here: anything passes there
            continue
        return Identified(kind.shelf, kind.folders[0], _label(kind.shelf, facts.family), facts.family or "unknown")
    raise ToolRefused(
        f"{path.name} is a file of weights, but of no kind that Easel knows by its content. Say its kind."
    )


def _label(shelf: str, family: str) -> str:
    known = FAMILIES.get(family)
    return f"{LABELS[shelf]} for {known.label}" if known else LABELS[shelf]


def _names_in(path: Path) -> Names:
    """Names of the tensors of a pickle; an embedding has none at the top. Raises BadFile."""
    value = read_pickle(path, shapes_only=True)
    while isinstance(value, Mapping) and isinstance(value.get("state_dict"), Mapping):
        value = value["state_dict"]
    return frozenset(key for key in value if isinstance(key, str)) if isinstance(value, Mapping) else frozenset()
