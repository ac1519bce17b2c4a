"""People's words inside Discord's markdown: shown as they were written, and never a ping, a link or a heading.

Owns escaping, shortening and Discord's timestamps. Pure.
"""

import re
from typing import Final

ZERO_WIDTH: Final = "\u200b"
_MARKUP: Final = re.compile(r"([\\*_~`|>#\[\]()<:@-])")
_BREAKS: Final = re.compile(r"\s+")
_SCHEME: Final = re.compile(r"\b(https?|discord):", re.IGNORECASE)
_MENTION: Final = re.compile(r"@(everyone|here)", re.IGNORECASE)
_CODE_FENCE: Final = "`"


def plain(text: str, *, limit: int = 300) -> str:
    """`text` on one line, cut at `limit` characters before escaping, with nothing that Discord would act upon.

    Links do not unfurl, `@everyone` and `<@…>` do not ping (allowed mentions are off as well), markdown shows as typed.
    """
    line = shorten(_BREAKS.sub(" ", text).strip(), limit=limit)
    line = _SCHEME.sub(rf"\1{ZERO_WIDTH}:", line)
    line = _MENTION.sub(rf"@{ZERO_WIDTH}\1", line)
    return _MARKUP.sub(r"\\\1", line)


def code(text: str, *, limit: int = 300) -> str:
    """`text` as inline code; backticks inside become primes, since they cannot be escaped there."""
    line = shorten(_BREAKS.sub(" ", text).strip(), limit=limit).replace(_CODE_FENCE, "ˋ")
    return f"`{line or ' '}`"


def shorten(text: str, *, limit: int) -> str:
    """`text` with at most `limit` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 star`, `1,200 stars`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ago(when: float) -> str:
    """A moment (seconds since 1970) that each reader sees relative to now, in their own language."""
    return f"<t:{int(when)}:R>"


def mention(person: int) -> str:
    """A person by name; it pings only where allowed mentions say so."""
    return f"<@{person}>"
