"""Which tags of a list may be suggested at all, and which of them to adults only.

Owns the judgement of single tags, by the words of `bot.requests.safety` and a few more that only lists of tags know. A tag
without any suspicious word is passed at once: lists have a hundred thousand.
"""

import re
from itertools import pairwise
from typing import Final

from bot.errors import RequestRefused
from bot.requests.safety import adults_word, check_prompt
from bot.requests.safety_words import ALWAYS, SEXUAL

ADULT: Final = frozenset({
    "ass", "areolae", "bare", "bdsm", "bottomless", "bukkake", "cameltoe", "censored", "cervix", "clitoris", "cleavage", "condom",
    "crotch", "cumming", "deepthroat", "dildo", "doggystyle", "ejaculation", "erection", "explicit", "facial", "fingering",
    "foreskin", "futa", "futanari", "glans", "groping", "guro", "hetero", "irrumatio", "lactation", "masturbating", "mosaic",
    "nipple", "nipples", "nopan", "orgy", "ovum", "paizuri", "pantyshot", "pasties", "penetration", "penises", "piss", "pubic",
    "pussies", "questionable", "rimjob", "scat", "semen", "sideboob", "spanking", "squirting", "tentacles", "testicles",
    "threesome", "underboob", "vaginal", "vibrator", "vore", "yuri", "yaoi", "bestiality", "zoophilia", "smut", "bulge",
    "bondage",
})  # fmt: skip
"""Words of tags that are for adults, besides those of prompts."""
_WORD: Final = re.compile(r"[^\W_]+")
_TERMS: Final = tuple(term.split() for term in ALWAYS | SEXUAL)
_SINGLE: Final = frozenset(form for words in _TERMS for form in (("".join(words), "".join(words) + "s")))
_PAIRS: Final = frozenset((words[0], words[1]) for words in _TERMS if len(words) > 1)
_ODD: Final = re.compile(
    "|".join((
        *sorted(term for term in ALWAYS if term.isascii() and " " not in term),
        "porn", "hentai", "nude", "naked", "sex",
        r"[a-z][0-9@$!|][a-z]",
        r"(?<![a-z0-9])[0-9@$!|][a-z]",
        r"(?<![a-z])[a-z][\W_]+[a-z](?![a-z])",
        r"[^\x00-\x7f]",
    ))
)  # fmt: skip
"""What a harmless word has not inside: words of that kind, signs for letters, rows of single letters, other scripts."""
_BLAMELESS: Final = frozenset(
    {"mosaic floor", "stone mosaic", "tile mosaic", "mosaic art", "mosaic", "facial hair", "facial mark"}
)


def may_be_suggested(name: str) -> bool:
    """Whether a tag may be suggested to anybody: not where it sexualises minors by itself."""
    if not _suspicious(name):
        return True
    try:
        check_prompt(name.replace("_", " "))
    except RequestRefused:
        return False
    return True


def is_for_adults(name: str) -> bool:
    """Whether a tag is one for adults, as far as words tell."""
    plain = name.lower().replace("_", " ")
    if plain in _BLAMELESS:
        return False
    words = set(_WORD.findall(plain))
    if words & ADULT:
        return True
    return _suspicious(name) and adults_word(plain) != ""


def _suspicious(name: str) -> bool:
    """Whether `name` has any word that is looked for, or anything that may hide one; a child's word alone is none."""
    plain = name.lower()
    words = plain.replace("_", " ").split()
    return _ODD.search(plain) is not None or not (_SINGLE.isdisjoint(words) and _PAIRS.isdisjoint(pairwise(words)))
