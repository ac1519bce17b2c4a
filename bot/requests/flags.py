r"""Flags of other bots in a prompt: `a red apple --ar 3:2 --seed 5 --no hat --steps 30 --cfg 7`.

Owns the table of flags, how they are read (an em dash is two hyphens: phones make it one) and what is told of them. A flag is
`--` and a letter behind white space or at the beginning; `\--` writes the hyphens themselves. What an option of the command
says wins over a flag. Refuses to know what a value means: `resolve` does, as for the options. Pure, and linear.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple

import msgspec

from bot.errors import RequestRefused
from bot.requests.drafts import ImagineDraft, read_size, shown
from bot.requests.mending import BEST

Kind = Literal["text", "words", "whole", "number", "size", "side", "switch", "attached", "foreign"]


class FlagRow(NamedTuple):
    """A flag. `names` without hyphens, the first is ours; `field` is the draft's; `example` its value in a sentence.

    "words" take everything up to the next flag, other kinds one word; "switch" and some "foreign" ones none, "attached" ones one
    that stands behind a =. `foreign` flags
    belong to other bots and change nothing here; `help` says so.
    """

    names: tuple[str, ...]
    kind: Kind
    field: str
    example: str
    help: str


FLAGS: Final = (
    FlagRow(("ar", "aspect"), "text", "aspect", "3:2", "proportions of the picture"),
    FlagRow(("size",), "size", "size", "512x768", "width and height in pixels"),
    FlagRow(("width", "w"), "side", "size", "512", "width in pixels"),
    FlagRow(("height", "h"), "side", "size", "768", "height in pixels"),
    FlagRow(("seed", "sameseed"), "text", "seed", "5", "a number, or a saved seed's name"),
    FlagRow(("no", "negative", "neg"), "words", "negative", "hat, blurry", "what to keep out of the picture"),
    FlagRow(("steps",), "whole", "steps", "30", "how long to paint"),
    FlagRow(("cfg", "scale", "guidance"), "number", "cfg", "7", "how strongly the words pull"),
    FlagRow(("count", "n", "num"), "whole", "count", "4", "how many pictures"),
    FlagRow(("sampler",), "words", "sampler", "euler_a", "how noise becomes a picture"),
    FlagRow(("model", "ckpt", "checkpoint"), "words", "model", "easel-painter", "checkpoint to paint with"),
    FlagRow(("lora",), "words", "lora", "ink:0.8", "LoRAs, with strengths"),
    FlagRow(("style",), "words", "style", "ink", "one of your styles, or the server's"),
    FlagRow(("strength", "denoise"), "number", "strength", "0.6", "how far to leave the first picture"),
    FlagRow(("faces",), "attached", "faces", "repaint,0.4", "mended faces; also --faces=repaint,0.4"),
    FlagRow(("tile",), "switch", "tiling", "", "edges that join with themselves"),
    FlagRow(("merge", "tome"), "number", "merging", "0.5", "share of tokens that merge: faster, a little less exact"),
    FlagRow(("repeat", "r"), "whole", "repeat", "3", "the same job so many times"),
    FlagRow(("all", "combinatorial"), "switch", "combine", "", "every combination of the choices, instead of one by chance"),
    FlagRow(("niji", "v", "version", "stylize", "s", "chaos", "c", "quality", "q", "weird", "iw", "sref", "cref", "sw", "cw",
             "stop", "p", "profile", "exp", "personalize"), "foreign", "", "", "Midjourney's"),
    FlagRow(("raw", "fast", "relax", "turbo", "draft", "hd", "video", "uplight", "upbeta", "upanime", "test", "testp",
             "creative", "public", "stealth", "beta"), "foreign", "", "", "Midjourney's"),
)  # fmt: skip
_ALIKE: Final = {"size": ("size", "aspect"), "aspect": ("aspect", "size")}
"""Options that say the same in other words."""
_ROWS: Final = {name: row for row in FLAGS for name in row.names}
_VALUED: Final = frozenset(FLAGS[-2].names)
"""Midjourney's flags that take a value, when a number or an address follows."""
_FOREIGN_VALUES: Final = frozenset({("style", "raw"), ("style", "cute"), ("style", "expressive"), ("style", "scenic")})
_FLAG: Final = re.compile(r"(?<!\S)(?:--|[—–―])(?=([A-Za-z][\w-]{0,39}))\1(?:=|(?!\S))")
_ESCAPED: Final = re.compile(r"(?<!\S)\\(?=--|[—–])")
_VALUE: Final = re.compile(r"\s*(\"[^\"]*\"|\S+)")
_FOREIGN_VALUE: Final = re.compile(r"\s*(?:[0-9][0-9.]*(?:::?[0-9.]+)?|https?://\S+)(?!\S)")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")


class Understood(msgspec.Struct, frozen=True):
    """A draft with what its flags say, how often it is to be painted, whether every combination is, and what to tell of it.

    `notes` are phrases: "size 3:2", "left out --niji (Midjourney's)".
    """

    draft: ImagineDraft
    repeat: int = 1
    combine: bool = False
    notes: tuple[str, ...] = ()


class _Said(NamedTuple):
    """One flag as it was written: its name there, its row, and its value."""

    name: str
    row: FlagRow
    value: str


def has_flags(text: str) -> bool:
    """Whether `text` has anything that looks like a flag, or an escaped one."""
    return _FLAG.search(text) is not None or _ESCAPED.search(text) is not None


def understand(draft: ImagineDraft) -> Understood:
    """`draft` with the flags of its prompt taken out and followed. Raises RequestRefused for one that cannot be."""
    if not has_flags(draft.prompt):
        return Understood(draft)
    kept, said = _taken_apart(draft.prompt)
    changes: dict[str, Any] = {}
    notes: list[str] = []
    for flag in said:
        field = flag.row.field
        if flag.row.kind == "foreign" or (field, flag.value.casefold()) in _FOREIGN_VALUES:
            notes.append(f"left out {_written(flag)} (Midjourney's)")
        elif any(getattr(draft, said, None) not in {None, False} for said in _ALIKE.get(field, (field,))):
            notes.append(f"left out {_written(flag)} (the option says it already)")
        else:
            changes[field] = _value(flag, changes.get(field))
            notes.append(_written(flag).removeprefix("--"))
    repeat, combine = changes.pop("repeat", 1), changes.pop("combine", False)
    changes |= _completed(changes)
    return Understood(msgspec.structs.replace(draft, prompt=kept, **changes), repeat, combine, tuple(notes))


def _taken_apart(text: str) -> tuple[str, list[_Said]]:
    """The prompt without its flags, and the flags. Raises RequestRefused for unknown ones."""
    kept: list[str] = []
    said: list[_Said] = []
    at = 0
    flags = list(_FLAG.finditer(text))
    if not flags:
        return _ESCAPED.sub("", text), said
    ends = [*(found.start() for found in flags[1:]), len(text)][: len(flags)]
    for found, end in zip(flags, ends, strict=True):
        kept.append(text[at : found.start()])
        row = _ROWS.get(found[1].casefold())
        if row is None:
            raise _strange(found[1])
        value, at = _value_behind(text, found, row=row, end=end)
        said.append(_Said(found[1].casefold(), row, value))
    kept.append(text[at:])
    return _ESCAPED.sub("", " ".join(piece.strip() for piece in kept if piece.strip())), said


def _value_behind(text: str, flag: re.Match[str], *, row: FlagRow, end: int) -> tuple[str, int]:
    """The value that stands behind a flag, and where it ends."""
    start = flag.end()
    if row.kind == "switch":
        return "", start
    if row.kind == "attached" and not flag[0].endswith("="):
        return "", start
    if row.kind == "words":
        return text[start:end].strip().strip('"').strip(), end
    if row.kind == "foreign":
        found = _FOREIGN_VALUE.match(text, start, end) if flag[1].casefold() in _VALUED else None
    else:
        found = _VALUE.match(text, start, end)
    return (found[0].strip().strip('",'), found.end()) if found is not None else ("", start)


def _value(flag: _Said, before: Any) -> Any:
    """What a flag's value is in the draft. Raises RequestRefused."""
    row, value = flag.row, flag.value
    if row.kind == "switch":
        return True
    if row.kind == "attached":
        return value or BEST
    if not value:
        raise RequestRefused(f"--{flag.name} needs a value, such as --{flag.name} {row.example}.")
    match row.kind:
        case "whole" if _WHOLE.fullmatch(value):
            return _repeat(int(value)) if row.field == "repeat" else int(value)
        case "number" if _NUMBER.fullmatch(value):
            return float(value)
        case "size":
            return read_size(value)
        case "side" if _WHOLE.fullmatch(value):
            width, height = before or (0, 0)
            return (int(value), height) if row.names[0] == "width" else (width, int(value))
        case "text":
            return value
        case "words":
            return f"{before}, {value}" if before and row.field in {"negative", "lora"} else value
        case _:
            raise RequestRefused(
                f"--{flag.name} takes a number, such as --{flag.name} {row.example}, not “{shown(value)}”."
            )


def _repeat(times: int) -> int:
    if not 1 <= times <= REPEATS:
        raise RequestRefused(f"--repeat takes a number from 1 to {REPEATS}, not {times:,}.")
    return times


REPEATS: Final = 40
"""How often one prompt may be asked for at once."""


def _completed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A size of which only one side was said is a square."""
    size = changes.get("size")
    if size is None:
        return {}
    return {"size": (size[0] or size[1], size[1] or size[0])}


def _written(flag: _Said) -> str:
    return f"--{flag.name} {shown(flag.value)}".strip()


def _strange(name: str) -> RequestRefused:
    near = get_close_matches(name.casefold(), [row.names[0] for row in FLAGS if row.kind != "foreign"], n=1)
    told = f"did you mean --{near[0]}?" if near else f"there are {', '.join(_known())}."
    return RequestRefused(
        f"“--{shown(name)}” is no flag that Easel knows; {told} Write \\--{shown(name)} to paint the words."
    )


def _known() -> Iterator[str]:
    return (f"--{row.names[0]}" for row in FLAGS if row.kind != "foreign")
