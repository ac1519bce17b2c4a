"""The one thing that Easel never paints, whoever asks and wherever: prompts that sexualise minors.

Owns the rule: a word for a child and a word for sex in one prompt, or one of the words that mean both. How disguises are seen
through is `readings`. Everything else is a server's own policy and none of this module's business. It reads words, not
pictures: a prompt that hides its meaning altogether gets by.
"""

import re
from itertools import pairwise
from typing import Final

from bot.errors import RequestRefused
from bot.requests.readings import Terms, Words, folded, readings, rows_of_letters
from bot.requests.safety_words import (
    AGES,
    ALWAYS,
    GROWN,
    HARMLESS,
    MINORS,
    ORDINALS,
    SEXUAL,
    SPLIT,
    SUGGESTIVE,
    TENS,
)
from inference.api.enlarging import UpscaleRequest
from inference.api.request import GenerationRequest, Request

REFUSAL: Final = "Easel never paints anything that sexualises minors; ask for something else."

_NUMBER: Final = "|".join(("1[0-7]|0?[0-9]", *AGES))
_AGE: Final = re.compile(
    rf"\b(?P<said>{_NUMBER}) ?(?:(?:(?:years?|yrs?|y) ?(?:olds?|o|young|of age)|yo)"
    r"|(?:ans|anos|anni|jahre|jahrige[rsn]?|летн\w*|лет|года?))\b"
    rf"|\b(?:aged?|age of|age is) (?:{_NUMBER})\b"
    r"|\b(?:under|below|not yet|not even|younger than|almost|nearly|barely) (?:18|eighteen)\b"
    r"|\byounger than (?:1[0-7]|[0-9])\b"
    rf"|\b(?:(?:[1-9]|1[0-2])(?:st|nd|rd|th)|{'|'.join(ORDINALS)}) (?:grade|graders?|birthday)\b"
    r"|\byoung (?:(?!wom[ae]n\b|m[ae]n\b|lad(?:y|ies)\b|adults?\b|couple\b|mother\b|wife\b)\w+ ){0,2}(?:girls?|boys?)\b"
    r"|(?<![0-9])(?:1[0-7]|[0-9]) ?(?:歳|才|岁|歲|살)"
)
"""Ages below eighteen, and what is said instead of them."""
REACH: Final = 16
"""Letters before a number in words that are looked at for its tens."""
LONGEST: Final = 40
"""Letters of a word in which two are looked for that were written as one."""


def check_prompt(text: str, *, negative: str = "") -> None:
    """Return when `text` may be painted. Raises RequestRefused when it sexualises minors, in time linear in its length.

    `negative` is what shall not be in the picture: it may name children, and may not shut out adults from a sexual one.
    """
    minor = sexual = False
    for words in _understood(text):
        minor = minor or _MINORS.found_in(words) or _is_young(" ".join(words))
        sexual = sexual or _SEXUAL.found_in(words)
        if (minor and sexual) or _ALWAYS.found_in(words) or any(_compound(word) for word in words):
            raise RequestRefused(REFUSAL)
    if sexual and negative and any(_GROWN.found_in(words) for words in _understood(negative)):
        raise RequestRefused(REFUSAL)


def check_request(request: Request, *, before: str = "") -> None:
    """The same for all that a resolved request says, however it came about; `before` are the words of what it begins from."""
    check_prompt("\n".join((before, *texts_of(request))), negative=negative_of(request))


def texts_of(request: Request) -> tuple[str, ...]:
    """What `request` wants to be seen: its prompt, that of its second pass and those of its single pictures, or the words that
    an enlargement carries on."""
    if isinstance(request, GenerationRequest):
        own = () if request.drawn is None else tuple(dict.fromkeys(positive for positive, _ in request.drawn.texts))
        return (request.prompt.positive, request.hires.prompt if request.hires else "", *own)
    return (_SETTINGS.split(request.infotext, maxsplit=1)[0],) if isinstance(request, UpscaleRequest) else ()


def negative_of(request: Request) -> str:
    """What `request` wants not to be seen."""
    if not isinstance(request, GenerationRequest):
        return ""
    own = () if request.drawn is None else tuple(dict.fromkeys(negative for _, negative in request.drawn.texts))
    return "\n".join((request.prompt.negative, request.hires.negative if request.hires else "", *own))


def adults_word(text: str) -> str:
    """The word by which `text` asks for what only adults should see, as far as words tell; empty for none."""
    return next((word for words in _understood(text) if (word := _ADULT.first_in(words))), "")


_SETTINGS: Final = re.compile(r"^(?:Negative prompt|Steps): ", re.MULTILINE)
"""Where the prompt ends in the webui's parameter text."""


def _is_young(text: str) -> bool:
    """Whether an age below eighteen is said; the seven of a twenty-seven is none."""
    return any(
        found["said"] is None
        or not text[max(0, found.start() - REACH) : found.start()].removesuffix(" and ").rstrip().endswith(TENS)
        for found in _AGE.finditer(text)
    )


def _understood(text: str) -> list[Words]:
    """The readings of `text` without harmless phrases, and with what is spelled or split in them as words."""
    return [_spelled(_HARMLESS.without(words)) for words in readings(text)]


def _spelled(words: Words) -> Words:
    """`words`, and behind them what rows of single letters spell and what was written as two."""
    found = list(words)
    for letters in rows_of_letters(words):
        found += [term for term in _SPELLABLE if term in letters]
    found += [whole for pair in pairwise(words) if (whole := SPLIT.get(pair))]
    return found


def _compound(word: str) -> bool:
    """Whether `word` is one for a child and one for sex, written together."""
    if not 6 <= len(word) <= LONGEST:
        return False
    parts = ((word[:at], word[at:]) for at in range(3, len(word) - 2))
    return any((a in _CHILD and b in _SEX) or (a in _SEX and b in _CHILD) for a, b in parts)


def _with_joined(terms: frozenset[str]) -> frozenset[str]:
    """`terms`, the plurals and possessives of single words, and phrases written as one word."""
    latin = [folded(term) for term in terms if term.isascii()]
    plural = {f"{term}s" for term in latin if " " not in term}
    return terms | plural | {term.replace(" ", "") for term in latin if " " in term}


_ALWAYS, _MINORS = (Terms(_with_joined(terms)) for terms in (ALWAYS, MINORS))
_SEXUAL, _HARMLESS, _GROWN, _ADULT = (Terms(terms) for terms in (SEXUAL, HARMLESS, GROWN, SEXUAL - SUGGESTIVE))
_CHILD: Final = frozenset(term for term in _MINORS.phrases if " " not in term and len(term) > 2)
_SEX: Final = frozenset(term for term in _SEXUAL.phrases if " " not in term and len(term) > 2)
_SPELLABLE: Final = tuple(
    term for terms in (_ALWAYS, _MINORS, _SEXUAL) for term in sorted(terms.phrases) if len(term) > 2 and " " not in term
)
