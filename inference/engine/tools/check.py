"""Every file of the models folders, read whole: what is damaged, dangerous, incomplete, doubled or odd, and what to do about it.

Owns the order of the questions and the advice. What a usable file of a shelf is, discovery knows. One bad file never hides
another.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from inference.api.tools import Check, Checked, Finding
from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import check_whole
from inference.engine.discovery import KINDS, Found, files_in
from inference.engine.hashing import FileMemory
from inference.engine.pickles import read_pickle
from inference.engine.sidecars import is_inside, look_beside
from inference.engine.tools.output import MARK
from inference.engine.tools.scanning import Scan, hashed, scan_pickle, scan_safetensors
from inference.engine.tools.writing import Progress, Tell
from inference.engine.weights import WeightsFile, read_shapes

PICTURES: Final = (".png", ".webp")
PICKLES: Final = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
_AGAIN: Final = "Download it again, or delete it."
_DANGEROUS: Final = "Delete it; whoever made it wanted something of this machine."
_CONVERT: Final = "python run.py models convert"

Say = Callable[[Finding], None]


def check(command: Check, tell: Tell) -> Checked:
    """Read everything, telling what is wrong as it is found."""
    roots = [Path(root) for root in command.roots]
    found, problems = files_in(roots)
    for problem in problems:
        tell(
            Finding(
                problem.path, problem.sentence, "Add that place to extra_models in config.toml, or remove the link."
            )
        )
    for finding in (*_left_over(roots), *_beside_the_shelves(roots, found)):
        tell(finding)
    total = sum(item.stat.st_size for item in found)
    progress = Progress(tell, total=total, stage="reading")
    memory = FileMemory(Path(command.cache))
    seen: dict[str, Path] = {}
    for item in found:
        digest = ""
        try:
            digest = _examined(item, memory, tell, progress)
        except BadFile as error:
            tell(Finding(str(item.path), f"{item.path.name} {error}", _advice(str(error))))
        except OSError as error:
            sentence = f"{item.path.name} cannot be read: {error.strerror or error}."
            tell(Finding(str(item.path), sentence, "Look at the rights of the file, and at the disk."))
        _check_twin(item, digest, seen, tell)
        _check_preview(item, roots, memory, tell)
    return Checked(len(found), total)


def _examined(item: Found, memory: FileMemory, tell: Say, progress: Callable[[int], None]) -> str:
    """Read one file; returns its digest. Raises BadFile, OSError."""
    path = item.path
    item.kind.judge(path)
    if item.kind.shelf == "checkpoints":
        with WeightsFile(path) as file:
            check_whole(file)
    if item.kind.shelf == "loras":
        _check_pairs(path)
    scan = _scanned(path, progress)
    if scan.broken:
        tell(
            Finding(
                str(path),
                f"{path.name} holds numbers that are none (NaN) or infinite, in {len(scan.broken)} weights, such as "
                f"“{scan.broken[0]}”: what it paints may be black.",
                _AGAIN,
            )
        )
    if scan.positions:
        tell(
            Finding(
                str(path),
                f"{path.name} has wrong position ids in its text encoder ({scan.positions[0]}). Easel counts for itself, other "
                "programs read a few words wrongly.",
                f"{_CONVERT} “{path}” --precision fp32 --fix-clip writes a right one.",
                grave=False,
            )
        )
    known = memory.recall(path, item.stat)
    if known is not None and known.sha256 and known.sha256 != scan.sha256:
        tell(
            Finding(
                str(path),
                f"{path.name} is not what it was when it was first read, though its size and time are: its sha256 was "
                f"{known.sha256[:10]} and is {scan.sha256[:10]}.",
                f"The disk may be failing. {_AGAIN}",
            )
        )
    return scan.sha256


def _scanned(path: Path, progress: Callable[[int], None]) -> Scan:
    if path.suffix == ".safetensors":
        return scan_safetensors(path, progress)
    if path.suffix.lower() in PICTURES:
        return Scan(hashed(path, progress))
    return scan_pickle(path, progress)


def _check_pairs(path: Path) -> None:
    """Raise BadFile where a LoRA's layer has one of its two matrices alone."""
    shapes, _ = read_shapes(path)
    for one, other in (("lora_down", "lora_up"), ("lora_up", "lora_down"), ("lora_A", "lora_B"), ("lora_B", "lora_A")):
        for key in shapes:
            if f".{one}." in key and key.replace(f".{one}.", f".{other}.") not in shapes:
                raise BadFile(f"is not complete: “{key}” has no {other} beside it.")


def _check_twin(item: Found, digest: str, seen: dict[str, Path], tell: Say) -> None:
    if not digest:
        return
    first = seen.setdefault(digest, item.path)
    if first is item.path or os.path.realpath(first) == os.path.realpath(item.path):
        return
    sentence = f"{item.path.name} holds the same as {first}, byte for byte."
    tell(Finding(str(item.path), sentence, "Keep one of the two.", grave=False))


def _check_preview(item: Found, roots: Sequence[Path], memory: FileMemory, tell: Say) -> None:
    preview = look_beside(item.path, item.beside, memory).preview
    if preview and not is_inside(Path(preview), roots):
        sentence = f"{Path(preview).name}, the sample picture of {item.path.name}, is a link out of the models folders."
        tell(Finding(preview, sentence, "Put the picture itself there.", grave=False))


def _left_over(roots: Sequence[Path]) -> Iterator[Finding]:
    """Files that a tool had no time to remove: the power went, or the system ended it."""
    for path in _below(roots):
        if path.name.startswith(MARK):
            yield Finding(str(path), f"{path.name} is half of a file, left by a tool that was ended.", "Delete it.")


def _beside_the_shelves(roots: Sequence[Path], found: Sequence[Found]) -> Iterator[Finding]:
    """Pickles that no shelf reads, but which somebody put there: whether opening them would run something."""
    on_shelves = {item.path for item in found}
    for path in _below(roots):
        if path.suffix.lower() in PICKLES and path not in on_shelves and not path.name.startswith("."):
            try:
                read_pickle(path, shapes_only=True)
            except BadFile as error:
                if "is refused" in str(error):
                    yield Finding(str(path), f"{path.name} {error}", _advice(str(error)))
            except OSError:
                continue


def _below(roots: Sequence[Path]) -> Iterator[Path]:
    """Every file in the folders of the shelves."""
    folders = dict.fromkeys(
        base / folder for root in roots for base in (root, root / "models") for kind in KINDS for folder in kind.folders
    )
    seen: set[str] = set()
    for folder in folders:
        for place, _, names in os.walk(folder):
            real = os.path.realpath(place)
            if real not in seen:
                seen.add(real)
                yield from (Path(place, name) for name in sorted(names))


_ADVICE: Final[Mapping[str, str]] = {
    "opening it would run": _DANGEROUS,
    "which no file of weights has": _DANGEROUS,
    "it belongs in": "Move it there.",
    "rename it": "Rename it.",
    "download": _AGAIN,
    "damaged": _AGAIN,
    "cut off": _AGAIN,
    "text file": _AGAIN,
    "not complete": _AGAIN,
    "Easel does not": "Move it out of this folder; Easel has no use for it.",
    "Easel paints with": "Move it out of this folder; Easel has no use for it.",
}
"""What to do, by what is said."""


def _advice(sentence: str) -> str:
    with suppress(StopIteration):
        return next(advice for mark, advice in _ADVICE.items() if mark in sentence)
    return "Move it to where it belongs, or delete it."
