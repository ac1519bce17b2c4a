"""Words to look pictures up by: how a text falls into words, the same for what is kept and for what is asked.

Owns that reading. A word is a run of letters and digits without accents and capitals; scripts that are written without spaces,
and signs such as emoji, count sign by sign. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from inference.api.request import GenerationRequest, Request

LENGTH: Final = 40
"""Characters of a word that count; what is longer is known by its beginning, where it is kept and where it is asked."""
_TAGS: Final = re.compile(r"<[^<>]*>")
"""`<lora:ink:0.8>` and its like: names of files, not words of the picture."""
_LORAS: Final = re.compile(r"<(?:lora|lyco):([^:<>]+)")
_RUNS: Final = re.compile(
    "[぀-ヿ㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]"  # kana and ideographs: each by itself
    "|[^\\W_぀-ヿ㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+"
    "|[\\u2190-\\u2bff\\U0001f000-\\U0001faff]"  # arrows, signs, emoji
)


def words_in(text: str) -> tuple[str, ...]:
    """The words of `text`, each once, in the order in which they come."""
    return tuple(dict.fromkeys(word[:LENGTH] for word in _RUNS.findall(_bare(text))))


def kept_words(words: Iterable[str]) -> str:
    """Words as the column `images.words` holds them: a space before each, so that ` app` is found where one begins so."""
    return "".join(f" {word}" for word in words)


def words_of(request: Request, prompt: str) -> str:
    """What a picture is looked up by: what was painted, or for an enlargement what its job was asked with (`prompt`)."""
    text = request.prompt.positive if isinstance(request, GenerationRequest) else prompt
    return kept_words(words_in(_TAGS.sub(" ", text)))


def loras_in(request: Request) -> tuple[str, ...]:
    """Names of the LoRAs that `request` paints with."""
    text = request.prompt.positive if isinstance(request, GenerationRequest) else ""
    return tuple(dict.fromkeys(name.strip() for name in _LORAS.findall(text) if name.strip()))


def beginnings(person: int, words: Iterable[str]) -> str:
    """An FTS5 expression for what begins with each of `words` among `person`'s pictures.

    `words` must come from `words_in`: they hold no sign that means anything to FTS5, not even a quotation mark.
    """
    return " AND ".join(f'"{person}_{word}" *' for word in words)


def _bare(text: str) -> str:
    """`text` without capitals, accents and other ways of writing the same letter."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(_unmarked(folded))


def _unmarked(text: str) -> Iterator[str]:
    for sign in text:
        if sign == "\0" or "\ud800" <= sign <= "\udfff":
            yield " "  # what SQLite's text cannot hold
        elif unicodedata.category(sign)[0] != "M":
            yield sign
