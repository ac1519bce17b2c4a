"""Styles: named pieces of prompt, as the webui (v1.10.1) keeps them in `styles.csv`: read, written, found in a prompt.

Pure; refuses to know where the table lies.
"""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

PLACE = "{prompt}"
"""Where a style wraps the prompt; a style without it is appended."""


class Style(msgspec.Struct, frozen=True):
    """A row of the table."""

    name: str
    prompt: str = ""
    negative: str = ""


def read_styles(text: str) -> tuple[Style, ...]:
    """The rows of a `styles.csv` (header `name,prompt,negative_prompt`, or the old `name,text`).

    Names with # in front are left out. The last of equal names counts, in the first one's place.
    """
    found: dict[str, Style] = {}
    for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), skipinitialspace=True):
        name = row.get("name") or ""
        if not name or name.startswith("#"):
            continue
        prompt = row["prompt"] if "prompt" in row else row.get("text")
        found[name] = Style(name, prompt or "", row.get("negative_prompt") or "")
    return tuple(found.values())


def write_styles(styles: Iterable[Style]) -> str:
    """A `styles.csv` with these rows, as the webui writes it; encode it as `utf-8-sig`."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(("name", "prompt", "negative_prompt"))
    writer.writerows((style.name, style.prompt, style.negative) for style in styles)
    return file.getvalue()


def take_styles(prompt: str, negative: str, styles: Sequence[Style]) -> tuple[tuple[str, ...], str, str]:
    """Names of the styles that are in `prompt` and `negative`, in the order they were applied, and both without them.

    A style is in them when both its texts are; each is found at most once.
    """
    left, names = list(styles), list[str]()
    while True:
        for style in left:
            taken = _without_style(prompt, negative, style)
            if taken is not None:
                prompt, negative = taken
                names.insert(0, style.name)
                left.remove(style)
                break
        else:
            return tuple(names), prompt, negative


def _without_style(prompt: str, negative: str, style: Style) -> tuple[str, str] | None:
    if not style.prompt and not style.negative:
        return None
    first, second = _without(prompt, style.prompt), _without(negative, style.negative)
    return None if first is None or second is None else (first, second)


def _without(text: str, style: str) -> str | None:
    """`text` without a style's text, or None when it is not in it."""
    text, style = text.strip(), style.strip()
    if PLACE in style:
        left, _, right = style.partition(PLACE)
        fits = text.startswith(left) and text.endswith(right)
        return text[len(left) : max(len(text) - len(right), len(left))] if fits else None
    if not text.endswith(style):
        return None
    return text[: len(text) - len(style)].removesuffix(", ")
