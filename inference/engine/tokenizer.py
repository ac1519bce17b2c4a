"""CLIP's byte-pair tokenizer with the vocabulary that ships with the project.

Owns text -> token ids, without start and end tokens. Refuses to know of chunks, weights or prompts.
"""

import functools
import html
from pathlib import Path

from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Engine
from tokenizers.models import BPE

START = 49406
END = 49407
VOCABULARY = Path(__file__).parent / "data" / "clip_tokenizer"

_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


class Tokenizer:
    """Text to ids, as OpenAI's CLIP does it. Stateless after construction; safe to share."""

    def __init__(self, folder: Path = VOCABULARY) -> None:
        model = BPE.from_file(
            str(folder / "vocab.json"),
            str(folder / "merges.txt"),
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
            unk_token="<|endoftext|>",  # noqa: S106 - the name of a token of the vocabulary
        )
        engine = Engine(model)
        engine.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        engine.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        self._engine = engine

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, without start and end. Any text has ids; white space alone has none."""
        return self._engine.encode(clean(text), add_special_tokens=False).ids


def clean(text: str) -> str:
    """`text` as CLIP's training saw it: the part of ftfy.fix_text that prompts meet.

    HTML entities are resolved, curly quotes straightened, ligatures and full-width letters made plain.
    """
    if text.isascii() and "&" not in text:
        return text
    plain = html.unescape(html.unescape(text)).translate(_QUOTES)
    return "".join(map(_plain, plain))


def _plain(letter: str) -> str:
    if letter == "\N{IDEOGRAPHIC SPACE}":
        return " "
    if "！" <= letter <= "～":
        return chr(ord(letter) - 0xFEE0)
    return _LIGATURES.get(letter, letter)


@functools.cache
def tokenizer() -> Tokenizer:
    """The one tokenizer of this process (loading takes a tenth of a second)."""
    return Tokenizer()
