"""Network tags in a prompt, `<lora:name:te:unet>`: taken out of the text, handed on as values."""

import re
from dataclasses import dataclass

_TAG = re.compile(r"<(\w+):([^>]+)>")


@dataclass(frozen=True, slots=True)
class NetworkTag:
    """One tag: its `kind` ("lora"), its `name`, and the arguments as written."""

    kind: str
    name: str
    positional: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()


def strip_networks(text: str) -> tuple[str, tuple[NetworkTag, ...]]:
    """`text` without its tags, punctuation around them left as it is, and the tags in order."""
    end = text.rfind(">") + 1  # none is looked for where none can end, so that any text takes linear time
    tags = [_tag(match[1], match[2].split(":")) for match in _TAG.finditer(text, 0, end)]
    return _TAG.sub("", text[:end]) + text[end:], tuple(tags)


def _tag(kind: str, items: list[str]) -> NetworkTag:
    pairs = [tuple(item.split("=")) for item in items if item.count("=") == 1]  # with two it is named by none (webui)
    plain = [item for item in items if item.count("=") != 1]
    return NetworkTag(kind, plain[0] if plain else "", tuple(plain[1:]), tuple((key, value) for key, value in pairs))
