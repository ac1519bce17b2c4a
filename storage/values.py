"""What storage hands out: frozen values, never rows.

Owns their shapes. Refuses to know tables, files or Discord; ids of channels, guilds, people and messages are Discord's,
times are seconds since 1970.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

import msgspec

from inference.api.request import Request


class JobState(StrEnum):
    """Where a job stands. A queued or running job still needs the painter; all but the last three need attention."""

    QUEUED = "queued"
    RUNNING = "running"
    RENDERED = "rendered"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def phrase(self) -> str:
        """What the state means, for people."""
        return _PHRASES[self]


_PHRASES: Final[Mapping[JobState, str]] = {
    JobState.QUEUED: "waits for the painter",
    JobState.RUNNING: "is being painted",
    JobState.RENDERED: "is painted and about to be shown",
    JobState.DELIVERED: "has been shown",
    JobState.FAILED: "could not be painted or shown",
    JobState.CANCELLED: "was cancelled",
}

NEXT: Final[Mapping[JobState, frozenset[JobState]]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.RENDERED, JobState.FAILED, JobState.CANCELLED}),
    JobState.RENDERED: frozenset({JobState.DELIVERED, JobState.FAILED}),
    JobState.DELIVERED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
"""The state machine: where a job may go from each state. A rendered job fails when there is nowhere left to show it."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where to answer a job. `guild` is None in a DM; the token answers the interaction until `token_until`.

    `private` asks for delivery by DM. `card_message` is the queue card, 0 while there is none.
    """

    channel: int
    guild: int | None
    person: int
    interaction_token: str = ""
    application: int = 0
    token_until: float = 0.0
    card_message: int = 0
    private: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody asked for.

    `prompt` is as typed. `parent` is the picture it derives from. `cost` is predicted, `seconds` spent, both in seconds;
    `rows` counts UNet rows. `reason` is the sentence of a failure. `told`: the person has seen how it ended. `slow` says in
    words why it waits in the slow lane, empty for the fast one. `series` is the group that it is a cell of, if any.
    """

    id: int
    state: JobState
    created: float
    address: Address
    request: Request
    kind: str
    prompt: str
    parent: int | None = None
    attempts: int = 0
    cost: float = 0.0
    reason: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    rows: int = 0
    finished: float | None = None
    card_message: int = 0
    told: bool = False
    slow: str = ""
    series: int | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a job when it was asked for: names of its styles, and sentences for its card."""

    styles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


UNSAID: Final = Said()


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """An unfinished job whose request does not decode: enough to end it and tell the person. `prompt` is as typed."""

    id: int
    state: JobState
    address: Address
    prompt: str
    sentence: str


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """One picture. `request` paints this one alone (count 1, its own seed).

    `parent` is the picture that it came of, None where there was none or it is gone; `origin` says so where it is gone.
    `index` counts from 0 within the job. `message` and `message_channel` are 0 until it is shown. `bytes` is the file's size.
    """

    id: int
    job: int
    index: int
    person: int
    guild: int | None
    channel: int
    sha256: str
    width: int
    height: int
    seed: int
    infotext: str
    request: Request
    prompt: str
    model: str
    parent: int | None = None
    kind: str
    created: float
    message: int = 0
    message_channel: int = 0
    bytes: int
    origin: int | None = None


PostKind = Literal["result", "failure"]
PostState = Literal["pending", "sent", "lost"]


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is owed. It is a row before it is sent; `nonce` is the same however often it is tried.

    `ordinal` counts a job's posts from 0. `tried` is the time of the first try, None before it. `message` is 0 until sent.
    """

    id: int
    job: int
    ordinal: int
    kind: PostKind
    channel: int
    state: PostState
    nonce: str
    tried: float | None = None
    message: int = 0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a gallery, newest first, and how many pictures there are in all."""

    images: tuple[Image, ...]
    total: int


class StyleSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a style sets besides words; empty and None leave it to who paints.

    `model` is a checkpoint's name and `hash` its short hash; `loras` a list such as `ink:0.8, fur`; `sampler` a title such as
    "DPM++ 2M Karras"; `size` is (width, height) in pixels.
    """

    model: str = ""
    hash: str = ""
    loras: str = ""
    sampler: str = ""
    steps: int | None = None
    cfg: float | None = None
    size: tuple[int, int] | None = None


class StyleText(msgspec.Struct, frozen=True, kw_only=True):
    """A style as it is written, before it is anybody's."""

    name: str
    prompt: str = ""
    negative: str = ""
    settings: StyleSettings = StyleSettings()


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """A named way of painting. `guild` is set where it is shared with a server. `version` counts from 1."""

    id: int
    owner: int
    guild: int | None
    name: str
    prompt: str
    negative: str
    version: int
    created: float
    settings: StyleSettings = StyleSettings()


class SavedSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A seed with a name."""

    person: int
    name: str
    seed: int


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is in the middle of: words by name, and a picture (sha256) where they brought one along.

    `kind` says what the words mean to whoever put them there.
    """

    id: int
    person: int
    created: float
    kind: str
    picture: str | None = None
    said: Mapping[str, str] = {}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has chosen. `remember`: offer their last choices again. `dm`: deliver to their DMs by default.

    `history`: keep what they painted after it has been shown.
    """

    id: int
    remember: bool = True
    dm: bool = False
    history: bool = True


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has used since `since`: pictures painted, all pictures that they star, seconds of painting."""

    pictures: int
    starred: int
    seconds: float
    since: float
