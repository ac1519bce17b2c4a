"""The config that belongs to a checkpoint, copied beside what was made of it: a width that is unusual, or what it predicts.

A new checkpoint without it may be unreadable, so it goes along wherever there is one. One that is there already stays.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from inference.api.tools import Made

ENDINGS: Final = (".json", ".yaml")
_OF_ITS_FILE: Final = ("sha256", "sd version")
"""What the webui's notes say of one file alone."""


def copy_config(source: Path, made: Made) -> Sequence[str]:
    """Copy what lies beside `source` beside the files that were made; returns sentences about it."""
    notes: list[str] = []
    for target in dict.fromkeys(Path(path).with_suffix("") for path in made.paths):
        for ending in ENDINGS:
            beside, copy = source.with_suffix(ending), Path(f"{target}{ending}")
            if not beside.is_file() or beside == copy:
                continue
            if copy.exists():
                notes.append(f"{copy.name} was there already, and stays as it is.")
                continue
            try:
                _copy(beside, copy)
            except OSError as error:
                notes.append(
                    f"{beside.name} could not be copied to {copy.name}: {error.strerror or error}; copy it by hand."
                )
            else:
                notes.append(f"{beside.name} was copied to {copy.name}.")
    return notes


def _copy(beside: Path, copy: Path) -> None:
    text = beside.read_text(encoding="utf-8", errors="surrogateescape")
    try:
        value = json.loads(text) if beside.suffix == ".json" else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and any(name in value for name in _OF_ITS_FILE):
        kept = {name: item for name, item in value.items() if name not in _OF_ITS_FILE}
        text = json.dumps(kept, indent=1, ensure_ascii=False)
    try:
        with copy.open("x", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
    except OSError:
        if copy.exists() and not copy.stat().st_size:
            copy.unlink()
        raise
    shutil.copystat(beside, copy)
