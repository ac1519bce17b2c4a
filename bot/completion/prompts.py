"""The end of a prompt and what it may become: `<lora:`, `__wildcard`, `--flag`, or the last words of a tag. Pure.

Owns what counts as the word under the cursor (Discord tells the text so far and no more, so it is the last one) and how a
chosen thing is written into the prompt. Refuses to know where names come from and how long a choice may be.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bot.completion.index import TagIndex
from inference.api.result import ModelFile

WORDS: Final = 4
"""Words of a tag that are looked at, back from the end."""
_NETWORK: Final = re.compile(r"<(?:(lora|lyco|l|hypernet|h|embedding|e):)?([^<>\n:]{0,80})\Z", re.IGNORECASE)
_WILDCARD: Final = re.compile(r"__([^\s_{}|,<>](?:(?!__)[^\n{}|,<>]){0,80})?\Z")
_FLAG: Final = re.compile(r"(?:^|(?<=\s))(?:--|[—–])([a-z][a-z-]{0,20})?\Z", re.IGNORECASE)
_PARTED: Final = re.compile(r"[,\n|{}()\[\]<>;]|\.\s|:")
_LITERAL: Final = re.compile(r"(?<!\\)[()\[\]]")
_KINDS: Final = {
    "lora": "lora",
    "lyco": "lora",
    "l": "lora",
    "hypernet": "hypernet",
    "h": "hypernet",
    "embedding": "",
    "e": "",
}
_TRIGGERS: Final = 4
"""Trigger words of a LoRA that are put behind its tag."""


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to complete with. `flags` are names without hyphens; `adults`: whether tags for adults may be suggested."""

    tags: TagIndex | None = None
    wildcards: Sequence[str] = ()
    loras: Sequence[ModelFile] = ()
    hypernetworks: Sequence[ModelFile] = ()
    embeddings: Sequence[ModelFile] = ()
    flags: Sequence[str] = ()
    adults: bool = False


def completed(typed: str, shelf: Shelf, *, limit: int = 25) -> tuple[str, ...]:
    """Whole prompts that `typed` may become, the likeliest first; the first is `typed` itself, so that it is at hand too.

    Empty where nothing fits.
    """
    found: dict[str, None] = {}
    for text in _candidates(typed, shelf, limit=limit):
        if text != typed:
            found[text] = None
        if len(found) == limit - 1:
            break
    return (typed, *found) if found else ()


def _candidates(typed: str, shelf: Shelf, *, limit: int) -> Iterator[str]:
    if network := _NETWORK.search(typed, max(0, typed.rfind("<"))):
        yield from (typed[: network.start()] + tag for tag in _networks(network[1] or "", network[2], shelf))
        return
    last = typed.rfind("__")
    if last >= 0 and typed.count("__") % 2 and (named := _WILDCARD.match(typed, last)):
        begun = named[1] or ""
        yield from (f"{typed[:last]}__{name}__" for name in _named(shelf.wildcards, begun))
        return
    if flag := _FLAG.search(typed, max(0, len(typed) - 24)):
        begun = (flag[1] or "").casefold()
        yield from (f"{typed[: flag.start()]}--{name}" for name in shelf.flags if name.startswith(begun))
        return
    yield from _words(typed, shelf, limit=limit)


def _networks(kind: str, begun: str, shelf: Shelf) -> Iterator[str]:
    """Tags of LoRAs and hypernetworks, and names of embeddings, of which the prompt has begun one."""
    wanted = _KINDS.get(kind.casefold())
    if wanted in {None, "lora"}:
        for info in _found(shelf.loras, begun):
            triggers = ", ".join(info.triggers[:_TRIGGERS])
            yield f"<lora:{info.name}:{info.weight or 1:g}>{' ' if triggers else ''}{triggers}"
    if wanted in {None, "hypernet"}:
        for info in _found(shelf.hypernetworks, begun):
            yield f"<hypernet:{info.name}:{info.weight or 1:g}>"
    if wanted in {None, ""}:
        for info in _found(shelf.embeddings, begun):
            yield info.name


def _words(typed: str, shelf: Shelf, *, limit: int) -> Iterator[str]:
    """Embeddings and tags for the last words: for as many of them as anything begins with."""
    start = 0
    for parted in _PARTED.finditer(typed, max(0, len(typed) - 200)):
        start = parted.end()
    begins = [found.start() for found in re.finditer(r"(?<!\S)\S", typed[start:])][-WORDS:]
    for begin in begins:
        at = start + begin
        phrase = typed[at:]
        if len(phrase.strip()) < 2 and len(begins) > 1:
            continue
        names = [info.name for info in _found(shelf.embeddings, phrase, inside=False)]
        if shelf.tags is not None:
            found = shelf.tags.find(phrase, limit=limit, adults=shelf.adults)
            names += [_LITERAL.sub(r"\\\g<0>", name) for name in found]
        if names:
            yield from (typed[:at] + name for name in names)
            return


def _found(files: Iterable[ModelFile], begun: str, *, inside: bool = True) -> Iterator[ModelFile]:
    """Files whose name begins with `begun`, then those that have it `inside`."""
    names = {info.name: info for info in files}
    return (names[name] for name in _named(names, begun, inside=inside))


def _named(names: Iterable[str], begun: str, *, inside: bool = True) -> list[str]:
    wanted = begun.casefold().strip()
    folded = [(name, name.casefold()) for name in names]
    first = [name for name, plain in folded if plain.startswith(wanted) or plain.rpartition("/")[2].startswith(wanted)]
    if not inside:
        return first
    known = set(first)
    return first + [name for name, plain in folded if wanted in plain and name not in known]
