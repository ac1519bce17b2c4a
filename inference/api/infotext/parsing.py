"""From a text to the webui's table of parameters (v1.10.1), in time linear in the text's length.

Owns what belongs to the prompts and what is a parameter. Any text has an answer.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from inference.api.infotext.defaults import Parameters, complete
from inference.api.infotext.quoting import unquote
from inference.api.infotext.versions import V1_8_0_HIRES_STYLES, parse_version
from inference.api.request import SEED_LIMIT
from inference.api.styles import Style, take_styles

NEGATIVE = "Negative prompt:"
LEAST = 3
"""The last line is one of parameters when it has so many."""
_PAIR = re.compile(r'[ \-/]*+(\w[\w \-/]++):\s*+("(?:\\.|[^\\"])++"(?=,|$)|[^,]*+)|[\w \-/]++')
"""A parameter, or a run of letters that cannot begin one (skipped whole: each letter is looked at a fixed number of times)."""
_SIZE = re.compile(r"(\d+)x(\d+)$")

StylesMode = Literal["Ignore", "Apply", "Discard", "Apply if any"]


def parse_parameters(
    text: str, *, styles: Sequence[Style] = (), mode: StylesMode = "Apply if any", skip: Iterable[str] = ()
) -> Parameters:
    """What `text` says, by the webui's keys, with the values that missing keys stand for.

    Sizes are split into `KEY-1` and `KEY-2`. `styles` that are found in the prompts are taken out as `mode` says, and named
    under "Styles array". Keys in `skip` are left out.
    """
    lines, pairs = split(text)
    prompt, negative = _prompts(lines)
    found: Parameters = {}
    for key, value in pairs:
        if not value:
            continue
        plain = unquote(value)
        if size := _SIZE.match(plain):
            found[f"{key}-1"], found[f"{key}-2"] = size[1], size[2]
        else:
            found[key] = plain
    if mode != "Ignore":
        prompt, negative = _take_styles(found, prompt, negative, styles, mode)
    found["Prompt"], found["Negative prompt"] = prompt, negative
    complete(found)
    for key in skip:
        found.pop(key, None)
    return found


def seed_in(text: str) -> int:
    """The seed that `text` names, which an enlarged picture keeps; 0 where it names none that could be one."""
    said = str(parse_parameters(text).get("Seed", ""))
    return int(said) if said.isdecimal() and len(said) < 20 and int(said) < SEED_LIMIT else 0


def pairs_in(line: str) -> dict[str, str]:
    """Keys and values of one `line` of parameters, however few, unquoted."""
    return {match[1]: unquote(match[2]) for match in _PAIR.finditer(line) if match[1] is not None and match[2]}


def split(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines of the prompts, and the keys and values of the last line if it is one of parameters, as written there."""
    *lines, last = text.strip().split("\n")
    pairs = [(match[1], match[2]) for match in _PAIR.finditer(last) if match[1] is not None]
    return (lines, pairs) if len(pairs) >= LEAST else ([*lines, last], [])


def _prompts(lines: Iterable[str]) -> tuple[str, str]:
    """Prompt and negative prompt; empty lines before a text are no part of it."""
    sides: tuple[list[str], list[str]] = ([], [])
    side = 0
    for line in map(str.strip, lines):
        kept = line
        if line.startswith(NEGATIVE):
            side, kept = 1, line.removeprefix(NEGATIVE).strip()
        if kept or any(sides[side]):
            sides[side].append(kept)
    return "\n".join(sides[0]), "\n".join(sides[1])


def _take_styles(
    found: Parameters, prompt: str, negative: str, styles: Sequence[Style], mode: StylesMode
) -> tuple[str, str]:
    names, bare, bare_negative = take_styles(prompt, negative, styles)
    version = parse_version(found.get("Version"))
    hires = "Hires prompt" in found or "Hires negative prompt" in found
    if hires and (version is None or version > V1_8_0_HIRES_STYLES):
        second = take_styles(
            str(found.get("Hires prompt", prompt)), str(found.get("Hires negative prompt", negative)), styles
        )
        if second[0] != names:
            return prompt, negative
        found["Hires prompt"] = "" if second[1] == bare else second[1]
        found["Hires negative prompt"] = "" if second[2] == bare_negative else second[2]
    if mode == "Apply" or (mode == "Apply if any" and names):
        found["Styles array"] = list(names)
    return bare, bare_negative
