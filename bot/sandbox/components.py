"""The tree of message components: walking it, numbering it, and the media that hang in it.

Owns what is the same for a message and a modal. Whether a tree is allowed is `validation`; how it is answered is `payloads`.
"""

import copy
import itertools
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Place = tuple[str | int, ...]

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABEL, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 17, 18, 19, 21, 22, 23

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
LINK_STYLE = 5


def rows(owner: Json, key: str) -> list[Json]:
    """A list of objects that may be missing or null."""
    found: list[Json] | None = owner.get(key)
    return found or []


def bounds(component: Json, *, least: int = 1, most: int = 1) -> tuple[int, int]:
    """How many values a component takes; null means the default, as a missing key does."""
    low, high = component.get("min_values"), component.get("max_values")
    return least if low is None else low, most if high is None else high


def children(component: Json) -> Iterator[tuple[Place, Json]]:
    """The components directly inside one, with their place in it."""
    for index, child in enumerate(rows(component, "components")):
        yield ("components", index), child
    for key in ("accessory", "component"):
        if component.get(key):
            yield (key,), component[key]


def walk(components: list[Json], place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Every component of a tree with its place, parents first."""
    for index, component in enumerate(components):
        here = (*place, index)
        yield here, component
        yield from _below(component, here)


def _below(component: Json, place: Place) -> Iterator[tuple[Place, Json]]:
    for inner, child in children(component):
        yield (*place, *inner), child
        yield from _below(child, (*place, *inner))


def numbered(components: list[Json]) -> list[Json]:
    """A copy in which every component has an `id`: its own, or the next free number from 1."""
    tree = copy.deepcopy(components)
    taken = {component.get("id") for _, component in walk(tree)}
    free = (number for number in itertools.count(1) if number not in taken)
    for _, component in walk(tree):
        if not component.get("id"):
            component["id"] = next(free)
    return tree


def find_custom(components: list[Json], custom_id: str) -> Json | None:
    """The component of that custom_id, or None."""
    return next((component for _, component in walk(components) if component.get("custom_id") == custom_id), None)


def media_of(component: Json) -> Iterator[tuple[Place, Json]]:
    """The media objects (`{"url": …}`) that hang on one component itself, with their place in it."""
    if component["type"] == THUMBNAIL:
        yield ("media",), component["media"]
    elif component["type"] == FILE:
        yield ("file",), component["file"]
    elif component["type"] == MEDIA_GALLERY:
        for index, item in enumerate(component["items"]):
            yield ("items", index, "media"), item["media"]


def text_of(components: list[Json]) -> str:
    """All that text displays say, line by line."""
    return "\n".join(str(c.get("content", "")) for _, c in walk(components) if c.get("type") == TEXT_DISPLAY)
