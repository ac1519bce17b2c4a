"""The LoRAs that a prompt wears, as a list that people can change: taken out of the text, and put back.

Owns the way from tags (`<lora:ink:0.8>`) to a list (`ink:0.8, fur:1`) and back, where a list may name styles too. What the
list does not touch keeps its tag to the letter, so that a form that was sent as it was opened changes nothing.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from bot.errors import RequestRefused, Unknown
from bot.requests.drafts import shown
from bot.requests.naming import lora_named, unknown
from bot.requests.resolve import lora_tags
from inference.api.result import Inventory, ModelFile
from storage.values import Style

_TAG: Final = re.compile(r"[ \t]*<lora:(?=\s*[^:,<>\s])(?P<name>[^:,<>]+)(?::(?P<weight>[+-]?[0-9]*\.?[0-9]+))?>")
"""A tag that a list can say; what has more to it (weights for the text encoder alone, say), or no name, stays in the text."""
_STYLE: Final = re.compile(r"style:\s*(?P<name>.+)", re.IGNORECASE)


class Clothes(msgspec.Struct, frozen=True):
    """A prompt's `text` without the tags that a list can say, that list, and the tags by the list's items."""

    text: str
    worn: str
    tags: Mapping[str, str]


def undressed(prompt: str) -> Clothes:
    """What a form shows of `prompt`."""
    tags = {_item(found): found[0].strip() for found in _TAG.finditer(prompt)}
    return Clothes(_TAG.sub("", prompt).strip() if tags else prompt, ", ".join(tags), tags)


def styles_in(old: str, worn: str, *, inventory: Inventory, styles: Mapping[str, Style]) -> tuple[str, ...]:
    """The styles that the list `worn` names, in order, where a form began with `undressed(old)`.

    An item is a LoRA (`ink`, `ink:0.8`) or, where there is none of the name, a style; `style:ink` is always one. Raises
    Unknown for what is neither, RequestRefused for a style with a strength.
    """
    tags = undressed(old).tags
    found = (_style_in(item, inventory=inventory, styles=styles) for item in _items(worn) if item not in tags)
    return tuple(style for style in found if style is not None)


def dressed(
    old: str, *, text: str, worn: str, model: ModelFile, inventory: Inventory, styles: Mapping[str, Style]
) -> str:
    """The prompt that `text` and the LoRAs of the list `worn` mean, where a form began with `undressed(old)`.

    Raises what `styles_in` raises, and RequestRefused for a strength that is none or a LoRA that does not fit `model`.
    """
    before, items = undressed(old), _items(worn)
    same_text = not text.strip() or _lines(text) == _lines(before.text)
    if same_text and items == list(before.tags):
        return old
    tags: dict[str, None] = {}
    for item in items:
        if item in before.tags:
            tags[before.tags[item]] = None
        elif _style_in(item, inventory=inventory, styles=styles) is None:
            tags[lora_tags(item, model=model, inventory=inventory)] = None
    kept = before.text if same_text else text.strip()
    return " ".join(part for part in (kept, *tags) if part)


def parted(worn: str, *, inventory: Inventory, styles: Mapping[str, Style]) -> tuple[str, str]:
    """The LoRAs of the list `worn` as a list of their own, and its styles as one. Raises Unknown, RequestRefused."""
    loras: list[str] = []
    wanted: list[str] = []
    for item in _items(worn):
        style = _style_in(item, inventory=inventory, styles=styles)
        (loras if style is None else wanted).append(item if style is None else style)
    return ", ".join(loras), ", ".join(wanted)


def _items(worn: str) -> list[str]:
    return [" ".join(item.split()) for item in worn.split(",") if item.strip()]


def _style_in(item: str, *, inventory: Inventory, styles: Mapping[str, Style]) -> str | None:
    """The style that `item` names, None where it is a LoRA. Raises Unknown, RequestRefused."""
    said = _STYLE.fullmatch(item)
    if said is not None:
        return said["name"]
    name, colon, _ = item.partition(":")
    try:
        lora_named(name.strip(), inventory)
    except Unknown as error:
        found = next((each for each in styles if each.casefold() == name.strip().casefold()), None)
        if found is None:
            loras = [info.name for info in inventory.loras]
            raise unknown("LoRA or style", name, [*loras, *styles]) from error
        if colon:
            raise RequestRefused(
                f"“{shown(found)}” is a style, and styles have no strength; write its name alone."
            ) from error
        return found
    return None


def _item(found: re.Match[str]) -> str:
    name = " ".join(found["name"].split())
    return f"{name}:{found['weight']}" if found["weight"] else name


def _lines(text: str) -> list[str]:
    """The text without what a client's text box may change: line ends, and blanks around the whole."""
    return text.strip().splitlines()
