"""The one thing that Easel never paints, whoever asks and wherever: prompts that sexualise minors.

Owns how disguises are seen through (look-alike letters, digits for letters, spaced and stretched letters, invisible signs,
the prompt language's own brackets) and the rule: a word for a child and a word for sex in one prompt, or one of the words
that mean both. Everything else is a server's own policy and none of this module's business. It reads words, not pictures: a
prompt that hides its meaning altogether gets by.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from bot.errors import RequestRefused
from bot.requests.safety_words import AGES, ALWAYS, HARMLESS, MINORS, SEXUAL, TENS

REFUSAL: Final = "Easel never paints anything that sexualises minors; ask for something else."

_LOOKALIKES: Final = str.maketrans(
    "авеёкмнорстухіјѕԁɡһԛԝѵ" + "αβεηικμνορτυχω" + "ɑıłøđ",
    "abeekmhopctyxijsdghqwv" + "abenikmvoptuxw" + "ailod",
)
"""Cyrillic, Greek and other letters by what they look like in lower case."""
_LEET: Final = (
    str.maketrans("0134578@$!€+", "oieastbasiet"),
    str.maketrans("0134578@$!€+", "oleastbaslet"),
)
"""Digits and signs by the letters they stand for; a 1 may be i or l."""
_TOKEN: Final = re.compile(r"\S+")
_SYNTAX: Final = re.compile(r"<\w{1,20}:[^<>]{0,300}>|:\s{0,3}[+-]?[0-9.]{1,9}\s{0,3}(?=[)\]])|[()\[\]{}\\|*_~`^]")
"""The prompt language's signs, and what Discord makes bold with: they may stand inside a word without parting it."""
_WORD: Final = re.compile(r"[^\W_]+")
_STRETCHED: Final = re.compile(r"([^\W\d_])\1{2,}")
_NUMBER: Final = "|".join(("1[0-7]|0?[0-9]", *AGES))
_AGE: Final = re.compile(
    "".join(rf"(?<!\b{word} )(?<!\b{word} and )" for word in TENS)
    + rf"\b(?:{_NUMBER}) ?(?:(?:years?|yrs?|y) ?(?:olds?|o)|yo)\b"
    rf"|\b(?:aged?|age of) (?:{_NUMBER})\b"
    r"|(?<![0-9])(?:1[0-7]|[0-9]) ?(?:歳|才|岁|歲|살)"
)
_KANA: Final = "ァ-ヺー"


def check_prompt(text: str) -> None:
    """Return when `text` may be painted. Raises RequestRefused when it sexualises minors, in time linear in its length."""
    minor = sexual = False
    for reading in _readings(text):
        words = _spelled(_without(reading.split(), _HARMLESS))
        minor = minor or _MINORS.found_in(words) or _AGE.search(" ".join(words)) is not None
        sexual = sexual or _SEXUAL.found_in(words)
        if (minor and sexual) or _ALWAYS.found_in(words):
            raise RequestRefused(REFUSAL)


def _readings(text: str) -> Iterator[str]:
    """Every way in which `text` may be meant: lower case words with single spaces."""
    plain = _folded(text)
    apart, together = _SYNTAX.sub(" ", plain), _SYNTAX.sub("", plain)
    meant = dict.fromkeys((apart, together))
    meant |= dict.fromkeys(_TOKEN.sub(_unleeted(table), each) for each in tuple(meant) for table in _LEET)
    meant |= dict.fromkeys(each.translate(_LOOKALIKES) for each in tuple(meant) if not each.isascii())
    meant = dict.fromkeys(" ".join(_WORD.findall(each)) for each in meant)
    for one_or_two in (r"\1", r"\1\1"):
        meant |= dict.fromkeys(_STRETCHED.sub(one_or_two, each) for each in tuple(meant))
    yield from meant


def _folded(text: str) -> str:
    """Compatibility forms, accents, apostrophes and invisible signs taken away; lower case."""
    apart = unicodedata.normalize("NFKD", text)
    kept = "".join(sign for sign in apart if unicodedata.category(sign) not in ("Mn", "Me", "Cf"))
    return unicodedata.normalize("NFKC", kept).casefold().replace("'", "").replace("’", "")


def _unleeted(table: Mapping[int, int]) -> Callable[[re.Match[str]], str]:
    """Reads digits and signs as letters, in words that have letters too: numbers stay numbers."""

    def read(found: re.Match[str]) -> str:
        word = found[0].rstrip("!+.,")
        return word.translate(table) if any(sign.isalpha() for sign in word) else found[0]

    return read


def _spelled(words: Sequence[str]) -> list[str]:
    """`words`, and behind them what rows of single letters spell: "l o l i" is one word too."""
    found = list(words)
    for single, row in groupby(words, key=lambda word: len(word) == 1):
        letters = "".join(row) if single else ""
        if len(letters) >= 3:
            found += [term for term in _SPELLABLE if term in letters]
    return found


def _without(words: Sequence[str], phrases: "_Terms") -> list[str]:
    """`words` without those that belong to one of `phrases`."""
    kept: list[str] = []
    at = 0
    while at < len(words):
        length = phrases.length_at(words, at)
        if not length:
            kept.append(words[at])
        at += length or 1
    return kept


class _Terms:
    """A list of words and phrases, folded as texts are; those of scripts that part no words are looked for anywhere."""

    def __init__(self, terms: Collection[str]) -> None:
        folded = {_folded(term) for term in terms}
        unparted = sorted(term for term in folded if _unparts(term))
        self.phrases = folded.difference(unparted)
        self._longest = max(len(phrase.split()) for phrase in self.phrases)
        # Katakana words may hold another by chance (イエロー, yellow, holds エロ): they must stand alone.
        alone = (
            rf"(?<![{_KANA}]){term}(?![{_KANA}])" if re.fullmatch(f"[{_KANA}]+", term) else term for term in unparted
        )
        self._anywhere = re.compile("|".join(alone)) if unparted else None

    def length_at(self, words: Sequence[str], at: int) -> int:
        """How many words from `at` on are one of the phrases, the longest; 0 for none."""
        for length in range(min(self._longest, len(words) - at), 0, -1):
            if " ".join(words[at : at + length]) in self.phrases:
                return length
        return 0

    def found_in(self, words: Sequence[str]) -> bool:
        """Whether any of the terms stands in `words`."""
        if any(self.length_at(words, at) for at in range(len(words))):
            return True
        return self._anywhere is not None and self._anywhere.search(" ".join(words)) is not None


def _unparts(term: str) -> bool:
    return any("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for sign in term)


_ALWAYS, _MINORS, _SEXUAL, _HARMLESS = (_Terms(terms) for terms in (ALWAYS, MINORS, SEXUAL, HARMLESS))
_SPELLABLE: Final = tuple(
    term for terms in (_ALWAYS, _MINORS, _SEXUAL) for term in sorted(terms.phrases) if len(term) > 2 and " " not in term
)
