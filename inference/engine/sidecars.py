"""What lies beside a weights file and tells of it: the webui's notes, Civitai's, a text, a sample picture; and its own header.

Owns which files count and which of them wins where they contradict each other. What strangers wrote is cut to a length and
never believed: a file that cannot be read is as if it were not there. Refuses to know what the weights are.
"""

import html
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from inference.engine.hashing import Facts, FileMemory

LARGEST = 2 << 20
"""Bytes of notes that are read; Civitai's have tens of thousands."""
NOTES = 600
"""Characters of notes that are kept."""
WORDS, WORD = 24, 200
"""Words (or phrases) that are kept, and characters of each."""
MOSTLY = 90
"""Percent of the training pictures that carry a word which calls a LoRA forth."""
FREQUENCIES = 4 << 20
"""Characters of a header's table of tags that are read."""
PICTURES = tuple(f"{before}.{ending}" for ending in ("png", "jpg", "jpeg", "webp") for before in ("", ".preview"))
"""Endings behind a stem that make a sample picture, the first that is there counts (webui)."""
_MARKUP = re.compile(r"<[^<>]{0,2000}>")
_SPOKEN = re.compile(r"[^.!?\n]{1,200}")
"""A text that is a list of words, not sentences about the file."""

T = TypeVar("T")


class Beside(msgspec.Struct, frozen=True):
    """What was found beside a file. `weight` 0: none said. `preview` is a path, empty for none."""

    triggers: tuple[str, ...] = ()
    negative: str = ""
    weight: float = 0.0
    notes: str = ""
    vae: str = ""
    preview: str = ""


def look_beside(path: Path, names: Collection[str], memory: FileMemory) -> Beside:
    """What is said of `path` by the files of its folder, whose names are `names`. What did not change is not read again."""
    stem = path.stem
    found = [
        _remembered(path.with_name(f"{stem}{ending}"), read, memory)
        for ending, read in _READERS
        if f"{stem}{ending}" in names
    ]
    pictures = (f"{stem}{ending}" for ending in PICTURES)
    preview = next((name for name in pictures if name in names), "")
    return Beside(
        triggers=next((facts.triggers for facts in found if facts.triggers), ()),
        negative=next((facts.negative for facts in found if facts.negative), ""),
        weight=next((facts.weight for facts in found if facts.weight), 0.0),
        notes=next((facts.notes for facts in found if facts.notes), ""),
        vae=next((facts.vae for facts in found if facts.vae), ""),
        preview=str(path.with_name(preview)) if preview else "",
    )


def trained_with(metadata: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that call a LoRA forth, and those it saw most often in training (sd-scripts' `ss_tag_frequency`).

    A phrase of the header (`modelspec.trigger_phrase`) wins; else words that nearly every training picture carries.
    """
    counts = _tag_counts(metadata.get("ss_tag_frequency", ""))
    often = [tag for tag, _ in counts.most_common(WORDS)]
    phrase = words_of(metadata.get("modelspec.trigger_phrase", ""))
    pictures = _picture_count(metadata.get("ss_dataset_dirs", "")) or max(counts.values(), default=0)
    always = (tag for tag in often if 100 * counts[tag] >= MOSTLY * pictures)
    return phrase or _kept(always)[:3], _kept(often)


def words_of(text: str) -> tuple[str, ...]:
    """The words or phrases of a list with commas."""
    return _kept(text.split(","))


def notes_of(text: str) -> str:
    """`text` without markup, on one line, cut to a length."""
    plain = html.unescape(_MARKUP.sub(" ", text[: 20 * NOTES]))
    return _line(plain, limit=NOTES)


def _remembered(path: Path, read: Callable[[bytes], Facts], memory: FileMemory) -> Facts:
    """What `path` says, from memory or by reading it; nothing where that cannot be done."""
    try:
        stat = path.stat()
        facts = memory.recall(path, stat)
        if facts is None:
            facts = read(path.read_bytes()) if stat.st_size <= LARGEST else Facts(0, 0)
            facts.size, facts.changed = stat.st_size, stat.st_mtime_ns
            memory.remember(path, facts)
    except (OSError, ValueError, RecursionError):
        return Facts(0, 0)
    return facts


def _read_user_notes(data: bytes) -> Facts:
    """The webui's own notes, `NAME.json`."""
    said = _table(data)
    weight = said.get("preferred weight")
    vae = _text(said, "vae")
    return Facts(
        0,
        0,
        triggers=words_of(_text(said, "activation text")),
        negative=_line(_text(said, "negative text"), limit=NOTES),
        weight=_weight(weight),
        notes=notes_of(_text(said, "notes") or _text(said, "description")),
        vae="" if vae in ("Automatic", "None") else _line(vae, limit=300),
    )


def _read_civitai(data: bytes) -> Facts:
    """What Civitai's helpers leave, `NAME.civitai.info`."""
    said = _table(data)
    words: Any = said.get("trainedWords")
    spoken = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
    return Facts(
        0,
        0,
        triggers=_kept(part for word in spoken for part in word.split(",")),
        notes=notes_of(_text(said, "description")),
    )


def _read_text(data: bytes) -> Facts:
    """`NAME.txt`: a list of words on one line calls the LoRA forth, anything else describes it."""
    text = data.decode("utf-8-sig", "replace").strip()
    if "\n" not in text and _SPOKEN.fullmatch(text):
        return Facts(0, 0, triggers=words_of(text))
    return Facts(0, 0, notes=notes_of(text))


_READERS: tuple[tuple[str, Callable[[bytes], Facts]], ...] = (
    (".json", _read_user_notes),
    (".civitai.info", _read_civitai),
    (".txt", _read_text),
)
"""What is read beside a file, the first that says something wins."""


def _table(data: bytes) -> Mapping[str, Any]:
    value = json.loads(data)
    return value if isinstance(value, dict) else {}


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _weight(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and math.isfinite(value) and abs(value) <= 10 else 0.0


def _kept(words: Iterable[str]) -> tuple[str, ...]:
    lines = (_line(word, limit=WORD) for word in words)
    return tuple(dict.fromkeys(line for line in lines if line))[:WORDS]


def _line(text: str, *, limit: int) -> str:
    """On one line, without what cannot be seen, no longer than `limit`."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * limit])
    line = " ".join(seen.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _tag_counts(text: str) -> Counter[str]:
    """How often each tag was seen, over all folders of the training set."""
    counts: Counter[str] = Counter()
    for tags in _read(text, _tables).values():
        counts.update(tags)
    return counts


def _picture_count(text: str) -> int:
    """Pictures of the training set, 0 where that is not told."""
    return sum(folder.img_count for folder in _read(text, _folders).values())


class _Folder(msgspec.Struct):
    """A folder of a training set."""

    img_count: int = 0


_tables = msgspec.json.Decoder(dict[str, dict[str, int]])
_folders = msgspec.json.Decoder(dict[str, _Folder])


def _read(text: str, decoder: "msgspec.json.Decoder[dict[str, T]]") -> dict[str, T]:
    """The table in `text`; a header may hold a hundred thousand tags, and this is read at the start. Empty where it lies."""
    if not text or len(text) > FREQUENCIES:
        return {}
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return {}


def is_inside(path: Path, roots: Iterable[Path]) -> bool:
    """Whether a file lies in one of `roots`, links followed; one that is no link does, for it was found there."""
    if not path.is_symlink():
        return True
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(root)) for root in roots)
