"""What lies in the models folders: files found, judged by their headers, named as the webui names them.

Owns the folder layout of the webui. A bad file becomes a Problem with a sentence, never an error; nothing is loaded.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from inference.api.result import Inventory, ModelFile, Problem
from inference.engine.annotators.networks import identify as identify_annotator
from inference.engine.annotators.networks import is_folder
from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import native_size, read_config, usual_guidance
from inference.engine.control.files import identify_control
from inference.engine.embeddings import load_embedding
from inference.engine.faces.restorers import identify_face_restorer
from inference.engine.families import FAMILIES, identify, lora_family
from inference.engine.hashing import Digests, Facts, FileMemory, digest
from inference.engine.sidecars import Beside, is_inside, look_beside, notes_of, trained_with
from inference.engine.upscalers.loading import kind_of
from inference.engine.weights import read_shapes

HASH_AT_ONCE = 16 << 30
"""Bytes hashed at one look. What is beyond keeps an empty hash until the next look, so that a start never takes minutes."""
JUDGED = 3
"""Which judgement this is; one more whenever a header is asked for something that it was not asked for before."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One shelf: its folders below a root, the endings that count, and the test that a file must pass."""

    shelf: str
    folders: tuple[str, ...]
    endings: tuple[str, ...]
    judge: Callable[[Path], Facts]


@dataclass(frozen=True, slots=True)
class Found:
    """A file on a shelf: `relative` is its path below the shelf's folder, `beside` the names of all files in its folder."""

    kind: Kind
    path: Path
    relative: Path
    stat: os.stat_result
    beside: frozenset[str] = frozenset()


def discover(roots: Sequence[Path], cache: Path) -> Inventory:
    """Look through `roots`, each a models folder or a webui folder with one in it. `cache` is a folder for what is remembered.

    Missing folders are fine. Files are looked at again only when their size or time of change differ.
    """
    memory = FileMemory(cache)
    found, known_problems = files_in(roots)
    problems = list(known_problems)
    facts = [_known(item, memory) for item in found]
    _hash_missing(found, facts, memory)
    shelves: dict[str, list[ModelFile]] = {}
    for item, known in zip(found, facts, strict=True):
        described = _described(item, known, _told(item, roots, memory))
        if isinstance(described, Problem):
            problems.append(described)
        else:
            shelves.setdefault(item.kind.shelf, []).append(described)
    memory.save()
    ordered = {shelf: tuple(sorted(files, key=lambda info: natural(info.name))) for shelf, files in shelves.items()}
    return Inventory(**ordered, problems=tuple(sorted(problems, key=lambda problem: natural(problem.path))))


def files_in(roots: Sequence[Path]) -> tuple[tuple[Found, ...], tuple[Problem, ...]]:
    """Every file on a shelf below `roots`, not looked into yet, and what stood in the way of finding more."""
    problems: list[Problem] = []
    return tuple(dict.fromkeys(_search(roots, problems))), tuple(problems)


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts `text` without regard to case and with numbers by value: v2 before v10."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _search(roots: Sequence[Path], problems: list[Problem]) -> Iterator[Found]:
    allowed = [Path(os.path.realpath(root)) for root in roots]
    for root in roots:
        for kind in KINDS:
            walked: list[Path] = []
            for base in (root, root / "models"):
                for folder in (base / name for name in kind.folders):
                    # where case does not count, two spellings may be one folder
                    if folder.is_dir() and not any(folder.samefile(other) for other in walked):
                        walked.append(folder)
                        yield from _walk(folder, kind, allowed, problems)


def _walk(folder: Path, kind: Kind, allowed: Sequence[Path], problems: list[Problem]) -> Iterator[Found]:
    """Files of `kind` below `folder`, hidden ones left out; links are followed while they stay inside a root."""
    visited: set[str] = set()
    aside = kind.shelf == "controls"
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in visited or not _inside(Path(real), allowed):
            if real not in visited:
                problems.append(Problem(place, f"{Path(place).name} {_OUTSIDE}"))
            folders.clear()
            continue
        visited.add(real)
        shown = [name for name in folders if not name.startswith(".") and not (aside and name == ANNOTATORS)]
        folders[:] = sorted(shown, key=lambda name: (Path(place, name).is_symlink(), natural(name)))
        beside = frozenset(names)
        for name in sorted(names):
            path = Path(place, name)
            if not _counts(name, kind):
                continue
            try:
                stat = path.stat()
            except OSError as error:
                problems.append(Problem(str(path), f"{name} cannot be read: {error.strerror or error}."))
                continue
            if path.is_symlink() and not _inside(Path(os.path.realpath(path)), allowed):
                problems.append(Problem(str(path), f"{name} {_OUTSIDE}"))
                continue
            yield Found(_shelf_of(name, kind), path, path.relative_to(folder), stat, beside)


_OUTSIDE = "is a link to a place outside the models folders; add that folder to the roots in config.toml to use it."


def _inside(path: Path, allowed: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in allowed)


def _counts(name: str, kind: Kind) -> bool:
    lowered = name.lower()
    if name.startswith(".") or not lowered.endswith(kind.endings):
        return False
    if kind.shelf == "faces" and lowered.startswith(BESIDE_FACES):
        return False
    return not (kind.shelf == "embeddings" and lowered.endswith(".preview.png"))


def _shelf_of(name: str, kind: Kind) -> Kind:
    """`*.vae.*` beside checkpoints are VAEs."""
    aside = kind.shelf == "checkpoints" and re.search(r"\.vae\.[a-z]+$", name.lower())
    return next(other for other in KINDS if other.shelf == "vaes") if aside else kind


def _known(item: Found, memory: FileMemory) -> Facts:
    """Facts about a file, from memory or by looking into it."""
    before = memory.recall(item.path, item.stat)
    if before is not None and before.judged == JUDGED:
        return before
    try:
        facts = item.kind.judge(item.path)
    except BadFile as error:
        facts = Facts(0, 0, problem=f"{item.path.name} {error}")
    except OSError as error:
        return Facts(item.stat.st_size, 0, problem=f"{item.path.name} cannot be read: {error.strerror or error}.")
    facts.size, facts.changed, facts.judged = item.stat.st_size, item.stat.st_mtime_ns, JUDGED
    if before is not None:
        facts.sha256, facts.payload, facts.old = before.sha256, before.payload, before.old
    memory.remember(item.path, facts)
    return facts


def _hash_missing(found: Sequence[Found], facts: Sequence[Facts], memory: FileMemory) -> None:
    """Hash good files that were not hashed yet, the smallest first, up to `HASH_AT_ONCE` bytes."""
    pairs = [(item, known) for item, known in zip(found, facts, strict=True) if not known.problem and not known.sha256]
    wanted: list[tuple[Found, Facts]] = []
    total = 0
    for item, known in sorted(pairs, key=lambda pair: pair[1].size):
        total += known.size
        if total <= HASH_AT_ONCE:
            wanted.append((item, known))
    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for (item, known), result in zip(wanted, pool.map(lambda pair: _digest(pair[0].path), wanted), strict=True):
            if result is not None:
                known.sha256, known.payload, known.old = result.sha256, result.payload, result.old
                memory.remember(item.path, known)


def _digest(path: Path) -> Digests | None:
    try:
        return digest(path)
    except OSError:
        return None


def _told(item: Found, roots: Sequence[Path], memory: FileMemory) -> Beside:
    """What is said beside a checkpoint or LoRA."""
    if item.kind.shelf not in ("checkpoints", "loras"):
        return Beside()
    told = look_beside(item.path, item.beside, memory)
    away = told.preview and not is_inside(Path(told.preview), roots)
    return msgspec.structs.replace(told, preview="") if away else told


def _described(item: Found, facts: Facts, told: Beside) -> ModelFile | Problem:
    if facts.problem:
        return Problem(str(item.path), facts.problem)
    common: dict[str, Any] = {
        "path": str(item.path),
        "family": facts.family or "unknown",
        "sha256": facts.sha256,
        "bytes": facts.size,
        "preview": told.preview,
        "notes": told.notes or facts.notes,
    }
    match item.kind.shelf:
        case "checkpoints":
            return _checkpoint(item, facts, told, common)
        case "vaes":
            return ModelFile(name=item.path.name, hash=facts.sha256[:10], **common)
        case "loras":
            return _lora(item, facts, told, common)
        case "controls":
            return ModelFile(name=_control_name(item.path), hash=facts.old, **common)
        case "embeddings":
            return ModelFile(name=facts.alias or item.path.stem, hash=facts.sha256[:12], **common)
        case _:
            return ModelFile(name=_plain_name(item, facts), hash=facts.sha256[:10], **common)


def _plain_name(item: Found, facts: Facts) -> str:
    """The stem; where a kind always has the same, what people call it: LDSR, or a folder of transformers."""
    if item.kind.shelf == "annotators" and is_folder(item.path):
        return item.path.parent.name
    return "LDSR" if facts.family == "ldsr" and item.path.stem == "model" else item.path.stem


def _checkpoint(item: Found, facts: Facts, told: Beside, common: Mapping[str, Any]) -> ModelFile | Problem:
    family = FAMILIES[facts.family]
    try:
        config = read_config(item.path, family)
        native = native_size(config, family)
    except (BadFile, KeyError, TypeError, ValueError) as error:
        sentence = str(error) if isinstance(error, BadFile) else "has a config beside it that makes no model."
        return Problem(str(item.path), f"{item.path.name} {sentence}")
    return ModelFile(
        name=item.relative.with_suffix("").as_posix(),
        hash=facts.sha256[:10],
        native=native,
        old_hash=facts.old,
        cfg_scale=usual_guidance(config),
        vae=told.vae,
        triggers=told.triggers,
        **common,
    )


def _lora(item: Found, facts: Facts, told: Beside, common: Mapping[str, Any]) -> ModelFile:
    return ModelFile(
        name=item.path.stem,
        hash=(facts.own_hash or facts.payload)[:12],
        alias=facts.alias,
        triggers=told.triggers or facts.triggers,
        negative=told.negative,
        weight=told.weight,
        tags=facts.tags,
        **common,
    )


def _judge_checkpoint(path: Path) -> Facts:
    shapes, _ = read_shapes(path)
    return Facts(0, 0, family=identify(shapes).id)


_VAE_MARK = ("decoder.conv_in.weight", "first_stage_model.decoder.conv_in.weight")
_SDXL_VAES = re.compile(r"(?i)sdxl|[-_. ]xl[-_. ]")


def _judge_vae(path: Path) -> Facts:
    """A VAE's weights do not tell its family, so the name must (an SDXL one has the same shapes as an SD1 one)."""
    shapes, _ = read_shapes(path)
    mark = next((name for name in _VAE_MARK if name in shapes), None)
    if mark is None:
        raise BadFile("is no VAE: it has no decoder in the layout of Stable Diffusion.")
    if len(shapes[mark]) != 4 or shapes[mark][1] != 4:
        raise BadFile("is a VAE for another kind of model: its latents do not have four channels.")
    return Facts(0, 0, family="sdxl" if _SDXL_VAES.search(path.stem) else "unknown")


_LORA_MARKS = ("lora_", "lokr_", "hada_", "oft_", ".a1.", ".diff", ".dora_scale", ".w_norm", "bundle_emb", ".on_input")


def _judge_lora(path: Path) -> Facts:
    shapes, metadata = read_shapes(path)
    if not any(mark in key for key in shapes for mark in _LORA_MARKS):
        raise BadFile("is no LoRA: none of its weights has the name of one.")
    triggers, tags = trained_with(metadata)
    return Facts(
        0,
        0,
        family=lora_family(metadata, shapes),
        alias=metadata.get("ss_output_name", "").strip(),
        triggers=triggers,
        tags=tags,
        notes=notes_of(metadata.get("modelspec.description", "")),
        own_hash=metadata.get("sshs_model_hash", "")[:12],
    )


_WIDTHS: dict[tuple[int, ...], str] = {(768,): "sd1", (1024,): "sd2", (768, 1280): "sdxl", (1280,): "sdxl_refiner"}


def _judge_embedding(path: Path) -> Facts:
    embedding = load_embedding(path)
    return Facts(0, 0, family=_WIDTHS.get(embedding.widths, "unknown"), alias=embedding.name)


def _judge_control(path: Path) -> Facts:
    shapes, _ = read_shapes(path)
    return Facts(0, 0, family=identify_control(shapes).family)


def _control_name(path: Path) -> str:
    """The stem; of the hub's folders, where every file has the same, the folder's name."""
    return path.parent.name if path.stem.startswith("diffusion_pytorch_model") else path.stem


def _judge_upscaler(path: Path) -> Facts:
    """The architecture is the family, so that its cost is known before anything is loaded."""
    shapes, _ = read_shapes(path)
    return Facts(0, 0, family=kind_of(shapes))


def _judge_any(path: Path) -> Facts:
    """Good as long as it is a readable file of weights."""
    if path.suffix == ".safetensors":
        read_shapes(path)
    return Facts(0, 0)


UPSCALER_FOLDERS = (
    "ESRGAN",
    "RealESRGAN",
    "BSRGAN",
    "SwinIR",
    "ScuNET",
    "DAT",
    "HAT",
    "SPAN",
    "GRL",
    "LDSR",
    "upscale_models",
)
"""The webui's, of its extensions, and ComfyUI's; any of them may hold any kind."""
WEIGHTS = (".safetensors", ".ckpt", ".pt")
BESIDE_FACES = ("detection_", "parsing_", "alignment_")
"""Begin the names of files that the webui's own face programs put beside theirs; Easel has a detector of its own."""
ANNOTATORS = "annotator"
"""The folder among ControlNets that holds the networks of preprocessors, which are another shelf."""
KINDS: tuple[Kind, ...] = (
    Kind("checkpoints", ("Stable-diffusion",), (".safetensors", ".ckpt", ".vae.pt"), _judge_checkpoint),
    Kind("vaes", ("VAE",), WEIGHTS, _judge_vae),
    Kind("loras", ("Lora", "LyCORIS"), WEIGHTS, _judge_lora),
    Kind("embeddings", ("embeddings",), (".safetensors", ".pt", ".bin", ".png", ".webp"), _judge_embedding),
    Kind("upscalers", UPSCALER_FOLDERS, (".safetensors", ".pth", ".pt", ".ckpt"), _judge_upscaler),
    Kind("hypernetworks", ("hypernetworks",), (".pt", ".safetensors"), _judge_any),
    Kind(
        "controls",
        ("ControlNet", "controlnet", "T2IAdapter", "t2i_adapter", "extensions/sd-webui-controlnet/models"),
        (".safetensors", ".pth", ".pt", ".ckpt", ".bin"),
        _judge_control,
    ),
    Kind(
        "annotators",
        (
            "annotators",
            "ControlNetPreprocessor",
            "ControlNet/annotator",
            "extensions/sd-webui-controlnet/annotator/downloads",
        ),
        (".safetensors", ".pth", ".pt"),
        identify_annotator,
    ),
    Kind(
        "faces",
        ("GFPGAN", "Codeformer", "CodeFormer", "faces"),
        (".safetensors", ".pth", ".pt"),
        identify_face_restorer,
    ),
)
"""Every shelf, with the webui's own folder names."""
