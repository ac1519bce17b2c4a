"""Which file a person means who types a path or a name: one that is there, or one in the models folders.

Owns the search in the folders, without opening anything: the engine's tools look into what was found.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.requests.naming import unknown
from bot.settings import Settings

CHECKPOINTS: Final = ("Stable-diffusion",)
VAES: Final = ("VAE", "Stable-diffusion")
ENDINGS: Final = (".safetensors", ".ckpt", ".pt")


def file_named(text: str, settings: Settings, *, folders: Sequence[str], kind: str) -> Path:
    """The file that `text` means: a path, or a name below one of `folders` with or without its ending. Raises Unknown."""
    typed = Path(text).expanduser()
    if typed.is_file():
        return typed.resolve()
    known = dict(_files(settings, folders))
    wanted = text.replace("\\", "/").strip("/")
    for name, path in known.items():
        if wanted in (name, path.name, path.stem, name.removesuffix(path.suffix)):
            return path
    raise unknown(kind, text, (name.removesuffix(path.suffix) for name, path in known.items()))


def _files(settings: Settings, folders: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Files of weights by their path below their folder, in natural enough order."""
    for root in settings.model_folders:
        for base in (root, root / "models"):
            for folder in folders:
                for place, inner, names in os.walk(base / folder):
                    inner.sort()
                    for name in sorted(names):
                        if name.lower().endswith(ENDINGS) and not name.startswith("."):
                            path = Path(place, name)
                            yield path.relative_to(base / folder).as_posix(), path
