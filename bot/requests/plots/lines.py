"""Prompts from a file: one a line, or the webui's command lines (`--prompt "a cat" --steps 30`).

Owns the reading of a line, in time proportional to it, and which seed each line gets. A line that is no command is a prompt
as it stands, as in the webui. Refuses to know what exists.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from bot.errors import LimitReached
from inference.api.infotext.names import find_sampler

MAX_LINES: Final = 1_000
Position = Literal["start", "end"]
Reader = Callable[[str], Any]


def _truth(text: str) -> bool:
    return text == "true"


def _sampler(text: str) -> str | None:
    row = find_sampler(text)
    return None if row is None else row.label


_TAGS: Final[Mapping[str, Reader]] = {
    "sd_model": str,
    "outpath_samples": str,
    "outpath_grids": str,
    "prompt_for_display": str,
    "prompt": str,
    "negative_prompt": str,
    "styles": str,
    "seed": int,
    "subseed_strength": float,
    "subseed": int,
    "seed_resize_from_h": int,
    "seed_resize_from_w": int,
    "sampler_index": int,
    "sampler_name": _sampler,
    "batch_size": int,
    "n_iter": int,
    "steps": int,
    "cfg_scale": float,
    "width": int,
    "height": int,
    "restore_faces": _truth,
    "tiling": _truth,
    "do_not_save_samples": _truth,
    "do_not_save_grid": _truth,
}
_WORDS: Final = frozenset({"prompt", "negative_prompt"})
"""These take all words up to the next option."""


class Line(msgspec.Struct, frozen=True):
    """What one line asks for: its arguments by the webui's names; `job` has the texts joined with those of the command."""

    args: Mapping[str, Any]
    prompt: str
    negative: str
    seed: int


class NotACommand(ValueError):
    """A line that is no command line; the message says why."""


def read_line(line: str) -> dict[str, Any]:
    """The arguments of a command line. Raises NotACommand, also for a number that is none and a quote that stays open."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise NotACommand(str(error)) from error
    args: dict[str, Any] = {}
    position = 0
    while position < len(words):
        option = words[position]
        if not option.startswith("--"):
            raise NotACommand(f'must start with "--": {option}')
        name = option[2:]
        if name not in _TAGS:
            raise NotACommand(f"unknown commandline option: {option}")
        if position + 1 >= len(words):
            raise NotACommand(f"missing argument for command line option {option}")
        if name in _WORDS:
            end = next((at for at in range(position + 2, len(words)) if words[at].startswith("--")), len(words))
            args[name] = " ".join(words[position + 1 : end])
        else:
            end = position + 2
            try:
                args[name] = _TAGS[name](words[position + 1])
            except ValueError as error:
                raise NotACommand(str(error)) from error
        position = end
    return args


def read_lines(
    text: str,
    *,
    prompt: str,
    negative: str,
    seed: int,
    pictures: int,
    advance: bool = False,
    position: Position = "start",
) -> tuple[Line, ...]:
    """The lines of `text` that are not blank. `prompt` and `negative` are added to each line's own: behind, with `position`
    "start", or before. Raises LimitReached for too many.

    A line without a seed takes `seed`, with `advance` one further by `pictures` (of a line) for each line before it.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > MAX_LINES:
        raise LimitReached(f"A file may have at most {MAX_LINES:,} prompts; this one has {len(lines):,}.")
    read: list[Line] = []
    for index, line in enumerate(lines):
        args = _args(line)
        own_seed = args.get("seed", seed + (index * pictures if advance else 0))
        read.append(
            Line(
                args,
                prompt=_joined(str(args.get("prompt", "")), prompt, position) if "prompt" in args else prompt,
                negative=_joined(str(args["negative_prompt"]), negative, position)
                if "negative_prompt" in args
                else negative,
                seed=own_seed,
            )
        )
    return tuple(read)


def _args(line: str) -> dict[str, Any]:
    if "--" in line:
        try:
            return read_line(line)
        except NotACommand:
            pass
    return {"prompt": line}


def _joined(own: str, given: str, position: Position) -> str:
    if not given:
        return own
    return f"{own} {given}" if position == "start" else f"{given} {own}"
