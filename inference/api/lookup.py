"""Finding a model by what people write: names, hashes and titles, with the webui's rules (v1.10.1).

Pure functions on an Inventory; bot and engine agree because both ask here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from inference.api.result import Inventory, ModelFile

AUTOMATIC, NONE = "Automatic", "None"
"""What may be said instead of a VAE's name."""
_BRACKETED = re.compile(r"\s*\[[^\]]*\]\s*$")


def file_name(info: ModelFile) -> str:
    """The last part of a model's path, with its ending."""
    return PureWindowsPath(info.path).name if "\\" in info.path else PurePosixPath(info.path).name


def title(info: ModelFile) -> str:
    """How the webui lists a checkpoint: path below its folder with the ending, and the short hash in brackets."""
    ending = PurePosixPath(file_name(info)).suffix
    return f"{info.name}{ending} [{info.hash}]" if info.hash else f"{info.name}{ending}"


def find_checkpoint(inventory: Inventory, text: str) -> ModelFile | None:
    """The checkpoint that `text` means, or None.

    Exact hash, name, stem or title first; then the shortest title that contains `text`; then both again without a
    `[hash]` at the end, and at last without regard to case.
    """
    wanted = text.strip()
    if not wanted:
        return None
    for attempt in dict.fromkeys((wanted, _BRACKETED.sub("", wanted))):
        found = _exact(inventory.checkpoints, attempt) or _containing(inventory.checkpoints, attempt)
        if found is not None:
            return found
    folded = wanted.casefold()
    return next(
        (info for info in inventory.checkpoints if folded in (info.name.casefold(), title(info).casefold())), None
    )


def find_vae(inventory: Inventory, text: str) -> ModelFile | None:
    """The VAE file whose name (with or without ending) or hash is `text`, or None."""
    wanted = text.strip()
    for info in inventory.vaes:
        if wanted and wanted in (info.name, info.hash, info.sha256, _stem(info)):
            return info
    return None


def find_restorer(inventory: Inventory, text: str) -> ModelFile | None:
    """The face restorer of this name in any case, or the first of this kind (GFPGAN, CodeFormer: how texts say it), or None."""
    wanted = text.strip().casefold()
    return next((file for file in inventory.faces if file.name.casefold() == wanted), None) or next(
        (file for file in inventory.faces if file.family == wanted), None
    )


def find_lora(inventory: Inventory, text: str) -> ModelFile | None:
    """The LoRA of this stem, or of this alias if only one file has it; or None. Case counts, folders do not (webui)."""
    return _by_stem_or_alias(inventory.loras, text)


def find_hypernetwork(inventory: Inventory, text: str) -> ModelFile | None:
    """The hypernetwork of this stem, or None."""
    return _by_stem_or_alias(inventory.hypernetworks, text)


def find_by_hash(files: Iterable[ModelFile], digits: str) -> ModelFile | None:
    """The file of which `digits` (at least eight, any case) begin one of the hashes, or are begun by one; or None.

    Texts carry hashes of eight, ten, twelve or all digits, of the whole file or of what is behind its header.
    """
    wanted = digits.strip().lower()
    if len(wanted) < 8:
        return None
    for info in files:
        known = (info.hash, info.sha256, info.old_hash)
        if any(own and (own.startswith(wanted) or wanted.startswith(own)) for own in known):
            return info
    return None


def find_embedding(inventory: Inventory, text: str) -> ModelFile | None:
    """The textual inversion of this name, whatever its case (prompts find it by tokens, which have none), or None."""
    folded = text.strip().casefold()
    return next((info for info in inventory.embeddings if info.name.casefold() == folded), None)


def find_control(inventory: Inventory, text: str) -> ModelFile | None:
    """The ControlNet or T2I adapter of this name, stem or `name [hash]`, whatever its case, or None."""
    wanted = text.strip()
    bare = _BRACKETED.sub("", wanted).casefold()
    exact = next((info for info in inventory.controls if info.name == wanted), None)
    return exact or next((info for info in inventory.controls if info.name.casefold() == bare), None)


_UPSCALER_FILES = {
    "r-esrgan 4x+": "realesrgan_x4plus",
    "r-esrgan 4x+ anime6b": "realesrgan_x4plus_anime_6b",
    "r-esrgan 2x+": "realesrgan_x2plus",
    "r-esrgan general 4xv3": "realesr-general-x4v3",
    "r-esrgan general wdn 4xv3": "realesr-general-wdn-x4v3",
    "r-esrgan animevideo": "realesr-animevideov3",
    "swinir 4x": "swinir_4x",
    "scunet": "scunet_color_real_gan",
    "scunet gan": "scunet_color_real_gan",
    "scunet psnr": "scunet_color_real_psnr",
    "dat x2": "dat_x2",
    "dat x3": "dat_x3",
    "dat x4": "dat_x4",
}
"""The webui's names of the models that it fetches itself, and how their files begin."""


def find_upscaler(inventory: Inventory, text: str) -> ModelFile | None:
    """The upscaler network of this name, stem or webui label, whatever its case, or None."""
    folded = text.strip().casefold()
    files = inventory.upscalers
    exact = next((info for info in files if folded in (info.name.casefold(), file_name(info).casefold())), None)
    begin = _UPSCALER_FILES.get(folded)
    if exact is not None or begin is None:
        return exact
    hits = [info for info in files if re.fullmatch(re.escape(begin) + r"([-.].*)?", info.name.casefold())]
    return hits[0] if hits else None


def choose_vae(inventory: Inventory, checkpoint: ModelFile, wanted: str = AUTOMATIC) -> ModelFile | None:
    """The VAE file to paint with, None for the one inside the checkpoint. Raises LookupError when a named one is unknown.

    A name wins. Automatic: the one that the checkpoint's notes ask for, else the first whose file name starts with the
    checkpoint's stem.
    """
    if wanted == NONE:
        return None
    if wanted not in ("", AUTOMATIC):
        found = find_vae(inventory, wanted)
        if found is None:
            raise LookupError(f"There is no VAE called “{wanted}”; choose Automatic, None or one of the list.")
        return found
    if checkpoint.vae and (noted := find_vae(inventory, checkpoint.vae)):
        return noted
    stem = _stem(checkpoint)
    return next((info for info in inventory.vaes if file_name(info).startswith(stem)), None)


def _exact(files: Sequence[ModelFile], wanted: str) -> ModelFile | None:
    for info in files:
        if wanted in _identifiers(info):
            return info
    return None


def _containing(files: Iterable[ModelFile], wanted: str) -> ModelFile | None:
    hits = [info for info in files if wanted in title(info)]
    return min(hits, key=lambda info: len(title(info)), default=None)


def _identifiers(info: ModelFile) -> Iterator[str]:
    name = title(info).removesuffix(f" [{info.hash}]")
    stem = _stem(info)
    yield from (info.name, name, info.name.replace("/", "_"), stem, file_name(info))
    if info.hash:
        yield from (info.hash, f"{info.name} [{info.hash}]", f"{name} [{info.hash}]", f"{stem} [{info.hash}]")
    yield from (digits for digits in (info.old_hash, info.sha256) if digits)


def _stem(info: ModelFile) -> str:
    return PurePosixPath(file_name(info)).stem


def _by_stem_or_alias(files: Sequence[ModelFile], text: str) -> ModelFile | None:
    for info in files:
        if info.name == text:
            return info
    named = [info for info in files if info.alias == text] if text else []
    return named[0] if len(named) == 1 else None
