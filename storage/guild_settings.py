"""What a server has chosen, as values: defaults, rules for models and commands, limits, quotas, what is refused, channels.

Owns the shapes, and that each default means "as the operator has it". A row of `guilds` holds one `GuildSettings` as JSON, so
a new field needs a default and no migration. What the values mean is `bot.requests.policy`'s to say. Ids are Discord's.
"""

from typing import Final, Literal

import msgspec

EVERYWHERE: Final = 0
"""No server has this id: its settings are the operator's own, for direct messages and, where they close or refuse, everywhere."""
Nsfw = Literal["off", "restricted", "chosen"]
"""Where adults' pictures may be painted: nowhere, in every age-restricted channel, or in those that were chosen."""
Closed = Literal["", "paused", "draining"]
"""Open; or nothing new is taken and what waits is kept waiting; or nothing new is taken and what waits is painted."""
Period = Literal["hour", "day"]
Who = Literal["everyone", "role", "person"]
HOUR: Final = 3600.0
SECONDS: Final[dict[Period, float]] = {"hour": HOUR, "day": 24 * HOUR}
"""How long a quota's time is: the hour or the 24 hours that have just passed."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where, and for whom, one model or command may be used; empty `channels` and `roles` ask for nothing.

    `hash` is a model's, which is found by it after its file was renamed. `adult`: only where adults' pictures are allowed.
    """

    name: str
    hash: str = ""
    nowhere: bool = False
    adult: bool = False
    channels: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether it asks for nothing, so that it need not be kept."""
        return not (self.nowhere or self.adult or self.channels or self.roles)


class GuildLimits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most that one request may ask for: megapixels of a picture, steps, pictures, cells of a plot. 0: the operator's."""

    megapixels: float = 0.0
    steps: int = 0
    count: int = 0
    cells: int = 0


class Quota(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Seconds of the painter that somebody may use in the fast lane within an hour or a day; None for as many as they like.

    `id` is the role's or the person's, 0 for everyone.
    """

    who: Who
    id: int = 0
    seconds: float | None
    per: Period = "day"


class GuildSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a server has chosen; empty text and 0 mean the operator's own setting, or none.

    `listed_only`: models without a rule may not be used. `refused` are the words and patterns of its block list. `why` is what
    people are told while it is `closed`.
    """

    models: tuple[Rule, ...] = ()
    listed_only: bool = False
    commands: tuple[Rule, ...] = ()
    limits: GuildLimits = GuildLimits()
    quotas: tuple[Quota, ...] = ()
    refused: tuple[str, ...] = ()
    nsfw: Nsfw = "off"
    nsfw_channels: tuple[int, ...] = ()
    report_channel: int = 0
    showcase_channel: int = 0
    star_threshold: int = 3
    closed: Closed = ""
    why: str = ""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may not paint in a server: until a moment (seconds since 1970), or None for good."""

    guild: int
    person: int
    until: float | None
    by: int
    created: float


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a server's audit log: who did what, in words (Discord markdown, people as mentions)."""

    id: int
    guild: int
    person: int
    created: float
    action: str
    words: str


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A page of an audit log, newest first, and how many lines there are in all."""

    entries: tuple[Entry, ...]
    total: int


ReportState = Literal["open", "removed", "dismissed"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's word that a picture should not be here. It holds ids and `reason`, never the prompt.

    `channel` and `message` are where the picture was seen. `moderator` decided it, 0 while it is open.
    """

    id: int
    guild: int
    image: int
    job: int
    painter: int
    reporter: int
    reason: str
    channel: int
    message: int
    created: float
    state: ReportState = "open"
    moderator: int = 0


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What was done since a moment: pictures, seconds of the painter, people who asked, jobs, those that failed.

    `wait` is the median of the seconds between asking and the painter's beginning; None where nothing has begun.
    """

    pictures: int
    seconds: float
    people: int
    jobs: int
    failed: int
    wait: float | None


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may use in the fast lane of `guild` since a moment; `words` tell why a job goes into the slow lane."""

    guild: int
    seconds: float
    since: float
    words: str
