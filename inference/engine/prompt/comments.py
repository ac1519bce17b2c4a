"""Comments in a prompt: from # to the end of the line, taken out before anything else is read (webui v1.10.1's default)."""

import re

_LINE = re.compile(r"(?:^|\n)#[^\n]*(?:\n|$)")
_REST = re.compile(r"#[^\n]*(?:\n|$)")


def strip_comments(text: str) -> str:
    """`text` without its comments; each leaves a line break behind."""
    if "#" not in text:
        return text
    return _REST.sub("\n", _LINE.sub("\n", text))
