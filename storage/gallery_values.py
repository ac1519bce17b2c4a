"""What the gallery asks and gets, as values: a query, a collection, a place in a showcase.

Owns their shapes. Ids of people, servers and channels are Discord's, times seconds since 1970.
"""

from enum import StrEnum
from typing import Final, Literal

import msgspec

LabelKind = Literal["model", "lora", "style"]
LABELS: Final[tuple[LabelKind, ...]] = ("model", "lora", "style")
ShowcaseState = Literal["pending", "sent", "lost"]


class Order(StrEnum):
    """How a shelf is sorted. The value is stored with searches and stays for good."""

    NEWEST = "newest"
    OLDEST = "oldest"
    STARS = "stars"


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which of somebody's pictures, and in which order.

    From their own, from those that they star, or from one of their collections (`collection`, its id). Every one of `words`
    begins a word of the prompt. `model`, `lora` and `style` are names in any case. `since` <= created < `until`.
    """

    starred: bool = False
    collection: int = 0
    words: str = ""
    model: str = ""
    lora: str = ""
    style: str = ""
    since: float | None = None
    until: float | None = None
    order: Order = Order.NEWEST


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of pictures. `size` counts them; `holds`, where one picture is asked about, whether that is in it."""

    id: int
    person: int
    name: str
    created: float
    size: int = 0
    holds: bool = False


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as an export needs it. `index` counts from 0 within the job; `bytes` is the file's size."""

    id: int
    job: int
    index: int
    seed: int
    sha256: str
    bytes: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A picture's place in its server's showcase. `tried` is the time of the first try, `message` 0 until it is there."""

    image: int
    guild: int
    channel: int
    state: ShowcaseState
    tried: float | None
    message: int
    created: float
