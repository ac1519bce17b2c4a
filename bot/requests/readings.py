"""Every way in which a text may be meant: the normaliser before anything is looked for in what people write.

Owns the disguises that are seen through: look-alike and decorated letters, digits and signs for letters, spaced, stretched and
parted letters, invisible signs, the prompt language's own brackets, emoji that stand for words. Refuses to know what is
looked for. A reading is a row of lower-case words; there are at most a few dozen, and all take time in proportion to the
text's length.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

Words = Sequence[str]

_LOOKALIKES: Final = str.maketrans(
    "авеёкмнорстухіјѕԁɡһԛԝѵьгп" + "αβεηικμνορτυχωγ" + "ɑıłøđƙɗ" + "օոսհցզրɩ" + "©®¢£¥§",
    "abeekmhopctyxijsdghqwvbrn" + "abenikmvoptuxwy" + "ailodkd" + "onuhgqpi" + "crclys",
)
"""Cyrillic, Greek, Armenian and other letters by what they look like in lower case."""
_DRAWN: Final = str.maketrans(
    {0x1F1E6 + number: chr(97 + number) for number in range(26)}
    | {0x1F150 + number: chr(97 + number) for number in range(26)}
    | {0x1F170 + number: chr(97 + number) for number in range(26)}
    | dict(zip(map(ord, "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ"), "abcdefghijklmnopqrstuvwyz", strict=True))
    | {ord(sign): " child " for sign in "👶🧒👦👧"}
    | {ord("🔞"): " nsfw "}
)
"""Letters of flags, in black circles and squares, small capitals; and emoji by the word that they stand for."""
_LEET: Final = (
    str.maketrans("013456879@$!€+", "oieasgbtgasiet"),
    str.maketrans("013456879@$!€+", "oleasbbtqaslet"),
)
"""Digits and signs by the letters they stand for; a 1 may be i or l, a 6 g or b."""
_SYNTAX: Final = re.compile(r"<\w{1,20}:|:\s{0,3}[+-]?[0-9.]{1,9}\s{0,3}(?=[)\]>])|[()\[\]{}<>\\*_~`^|]")
"""The prompt language's signs, and what Discord makes bold with: they may stand inside a word without parting it."""
_PIPE: Final = re.compile(r"\|(?=\w)")
_WORD: Final = re.compile(r"[^\W_]+")
_TOKEN: Final = re.compile(r"\S+")
_INSIDE: Final = re.compile(r"(?<=[^\W\d_])[\W_](?=[^\W\d_])")
_STRETCHED: Final = re.compile(r"([^\W\d_])\1{2,}")
KANA: Final = "ァ-ヺー"


def readings(text: str) -> Iterator[Words]:
    """Rows of words, the plainest first, each once."""
    plain = folded(text)
    # "ch|ld": the one sign that stands for a letter and is the prompt language's too must be read before that is taken out
    piped = [plain, *(_PIPE.sub(letter, plain) for letter in ("i", "l"))] if "|" in plain else [plain]
    meant = dict.fromkeys(_SYNTAX.sub(gap, each) for each in piped for gap in (" ", ""))
    meant |= dict.fromkeys(_TOKEN.sub(_unleeted(table), each) for each in tuple(meant) for table in _LEET)
    meant |= dict.fromkeys(each.translate(_LOOKALIKES) for each in tuple(meant) if not each.isascii())
    meant |= dict.fromkeys(_TOKEN.sub(_joined, each) for each in tuple(meant))
    meant = dict.fromkeys(" ".join(_WORD.findall(each)) for each in meant)
    for one_or_two in (r"\1", r"\1\1"):
        meant |= dict.fromkeys(_STRETCHED.sub(one_or_two, each) for each in tuple(meant))
    for each in meant:
        yield each.split()


def folded(text: str) -> str:
    """Compatibility forms, accents, apostrophes and invisible signs taken away, digits of all scripts alike; lower case."""
    apart = unicodedata.normalize("NFKD", text.translate(_DRAWN))
    kept = "".join(_digit(sign) for sign in apart if unicodedata.category(sign) not in ("Mn", "Me", "Cf"))
    return unicodedata.normalize("NFKC", kept).casefold().replace("'", "").replace("’", "")


def rows_of_letters(words: Words) -> Iterator[str]:
    """What rows of three and more single letters spell: "l o l i" is one word too."""
    for single, row in groupby(words, key=lambda word: len(word) == 1):
        letters = "".join(row) if single else ""
        if len(letters) >= 3:
            yield letters


def unparted(term: str) -> bool:
    """Whether `term` is of a script that parts no words, so that it is looked for anywhere."""
    return any("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for sign in term)


class Terms:
    """A list of words and phrases, folded as texts are; those of scripts that part no words are looked for anywhere."""

    def __init__(self, terms: Collection[str]) -> None:
        known = {folded(term) for term in terms}
        anywhere = sorted(term for term in known if unparted(term))
        self.phrases = known.difference(anywhere)
        lengths: dict[str, set[int]] = {}
        for phrase in self.phrases:
            first, *rest = phrase.split()
            lengths.setdefault(first, set()).add(1 + len(rest))
        self._lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        # Katakana words may hold another by chance (イエロー, yellow, holds エロ): they must stand alone.
        alone = (rf"(?<![{KANA}]){term}(?![{KANA}])" if re.fullmatch(f"[{KANA}]+", term) else term for term in anywhere)
        self._anywhere = re.compile("|".join(alone)) if anywhere else None

    def length_at(self, words: Words, at: int) -> int:
        """How many words from `at` on are one of the phrases, the longest; 0 for none."""
        for length in self._lengths.get(words[at], ()):
            if " ".join(words[at : at + length]) in self.phrases:
                return length
        return 0

    def found_in(self, words: Words) -> bool:
        """Whether any of the terms stands in `words`."""
        return bool(self.first_in(words))

    def first_in(self, words: Words) -> str:
        """The first of the terms that stands in `words`, or nothing."""
        for at in range(len(words)):
            length = self.length_at(words, at)
            if length:
                return " ".join(words[at : at + length])
        text = " ".join(words)
        found = None if self._anywhere is None or text.isascii() else self._anywhere.search(text)
        return "" if found is None else found[0]

    def without(self, words: Words) -> list[str]:
        """`words` without those that belong to one of the terms."""
        kept: list[str] = []
        at = 0
        while at < len(words):
            length = self.length_at(words, at)
            if not length:
                kept.append(words[at])
            at += length or 1
        return kept


def _unleeted(table: Mapping[int, int]) -> Callable[[re.Match[str]], str]:
    """Reads digits and signs as letters, in words that have letters too: numbers stay numbers."""

    def read(found: re.Match[str]) -> str:
        word = found[0].rstrip("!+.,")
        return word.translate(table) if any(sign.isalpha() for sign in word) else found[0]

    return read


def _joined(found: re.Match[str]) -> str:
    """A word whose letters are parted by single signs ("lo-li", "n.u.d.e") as if they were not."""
    return _INSIDE.sub("", found[0])


def _digit(sign: str) -> str:
    return str(unicodedata.digit(sign)) if sign.isdigit() and not sign.isascii() else sign
