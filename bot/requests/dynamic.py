r"""Prompts with choices in them: `{a|b}`, `{2$$a|b|c}`, `__animal__`; drawn by the picture's seed, or every combination.

The language is the `dynamicprompts` library's, and so is every draw: picture i is drawn with its own seed, the negative
prompt with the same one, and a variation keeps its words (as the webui's extension of that name does it). Owns what is a
template at all (a text that is none passes as it is, byte for byte), what the library is shown of it, and a sentence for
what it cannot read. The library is imported when it is first needed. Everything here blocks; it runs in a thread.
"""

import re
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Final

from bot.errors import LimitReached, RequestRefused
from bot.requests.braces import check_depth, groups_of
from bot.requests.drafts import shown

if TYPE_CHECKING:
    from bot.requests.wildcards import Wildcards

MOST_CHOICES, MOST_PARTS = 60, 400
"""Groups and wildcards in one template, and parts of groups: the library needs a few milliseconds for each group."""
LONGEST: Final = 10_000
"""Characters of a template."""
_WILDCARD: Final = re.compile(r"__(?=[^\s_])(?:(?!__)[^\n#])+?(?<=\S)__")
_NAME: Final = re.compile(r"\$\{\s*[A-Za-z_-]")
_PAIR: Final = "__"
_HIDDEN: Final = {ord(sign): chr(0xF0000 + ord(sign)) for sign in "%${}|#_"}
_SHOWN: Final = {ord(instead): chr(sign) for sign, instead in _HIDDEN.items()}


def is_template(text: str) -> bool:
    """Whether anything in `text` is to be chosen: a pair of braces, or a wildcard between double underscores."""
    return ("{" in text and bool(groups_of(text))) or (_PAIR in text and _WILDCARD.search(text) is not None)


def wildcards_in(text: str) -> tuple[str, ...]:
    """Names of the wildcards that `text` names outright, without the sign of a way to choose and without variables."""
    if _PAIR not in text:
        return ()
    names = (found[0].strip("_").lstrip("~!@").partition("(")[0] for found in _WILDCARD.finditer(text))
    return tuple(dict.fromkeys(name for name in names if not set(name) & set("{}$*?")))


def draw(positive: str, negative: str, *, seeds: Sequence[int], wildcards: "Wildcards") -> tuple[tuple[str, str], ...]:
    """The texts of each picture: prompt and negative prompt drawn with its seed. Raises RequestRefused, LimitReached."""
    drawn = [
        wildcards.drawn(_checked(text), seeds=seeds) if is_template(text) else (text,) * len(seeds)
        for text in (positive, negative)
    ]
    return tuple((first.translate(_SHOWN), second.translate(_SHOWN)) for first, second in zip(*drawn, strict=True))


def combine(
    positive: str, negative: str, *, seed: int, limit: int, wildcards: "Wildcards"
) -> tuple[tuple[str, str], ...]:
    """Every combination of prompts and negative prompts, the negative changing fastest (the extension's order).

    What is random even so (`{~a|b}`) is drawn from `seed`. Raises RequestRefused; LimitReached for more than `limit`.
    """
    sides: list[tuple[str, ...]] = []
    for text in (positive, negative):
        found = (text,)
        if is_template(text):
            found = wildcards.combined(_checked(text), seed=seed, limit=limit + 1)
        sides.append(found)
    if len(sides[0]) * len(sides[1]) > limit:
        raise LimitReached(
            f"There are more than {limit} combinations, the most at once; take some choices out, or leave out --all."
        )
    return tuple((first.translate(_SHOWN), second.translate(_SHOWN)) for first, second in product(*sides))


def guarded(text: str) -> str:
    """`text` with the signs hidden that the library would stumble over where they are only signs: 50%, $5, a__b, a lone {."""
    if not any(sign in text for sign in ("%", "$", "{", _PAIR)):
        return text
    groups = groups_of(text)
    opening = {group.start: group for group in groups}
    bounds = _bounds_in(text)
    kept = {at for found in _WILDCARD.finditer(text) for at in (*_two(found.start()), *_two(found.end() - 2))}
    signs = list(text)
    for at, sign in enumerate(text):
        following = opening.get(at + 1)
        lone = (
            (sign == "{" and at not in opening)
            or (sign == "%" and (following is None or not following.bounds))
            or (sign == "$" and at not in bounds and (following is None or not _NAME.match(text, at)))
            or (sign == "_" and at not in kept and _PAIR in text[max(0, at - 1) : at + 2])
        )
        if lone:
            signs[at] = sign.translate(_HIDDEN)
    return "".join(signs)


def hidden(text: str) -> str:
    """`text` so that the library sees no sign of its own in it."""
    return text.translate(_HIDDEN)


def unreadable(text: str, at: int) -> RequestRefused:
    """What to say where the library cannot read `text` at a place."""
    rest = text[max(0, at) :].translate(_SHOWN)
    where = f"at “{shown(rest, limit=30)}”" if rest.strip() else "to its end"
    return RequestRefused(
        f"The choices of this prompt cannot be read {where}. Right are {{a|b}}, {{2$$a|b|c}}, {{0.5::a|b}} and __name__."
    )


def _two(at: int) -> tuple[int, int]:
    return at, at + 1


def _bounds_in(text: str) -> frozenset[int]:
    """Places of the `$` of `$$` inside of groups."""
    found = list[int]()
    ends = {group.start: group.end for group in groups_of(text)}
    last = -1
    for start in sorted(ends):  # outermost stretches only
        if start > last:
            last = ends[start]
            found += [at for pair in re.finditer(r"\$\$", text[start:last]) for at in _two(start + pair.start())]
    return frozenset(found)


def _checked(text: str) -> str:
    """`text` as the library may see it. Raises RequestRefused, LimitReached for one that would take it too long."""
    if len(text) > LONGEST:
        raise RequestRefused(f"A prompt may have at most {LONGEST:,} characters; this one has {len(text):,}.")
    groups = groups_of(text)
    check_depth(groups)
    choices = len(groups) + sum(1 for _ in _WILDCARD.finditer(text))
    parts = sum(group.pipes + 1 for group in groups)
    if choices > MOST_CHOICES or parts > MOST_PARTS:
        raise LimitReached(
            f"A prompt may have at most {MOST_CHOICES} choices with {MOST_PARTS} parts; this one has {choices:,} with "
            f"{parts:,}. Long lists belong into a wildcard's file."
        )
    return guarded(text)
