"""The records of the world: what exists in a Discord, as plain values that can be written to a file.

Owns the shape of what is remembered. What a record looks like to a client is `payloads`; how it changes is `world`.
Records are changed in place by the world's own modules and by nobody else. Ids are snowflakes as text.
"""

from datetime import datetime
from typing import Any

import msgspec

Json = dict[str, Any]

TEXT_CHANNEL = 0
DIRECT = 1
THREAD = 11

EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_NOTIFICATIONS = 1 << 12
COMPONENTS_V2 = 1 << 15


class Record(msgspec.Struct, kw_only=True, tag_field="record"):
    """One thing that the world remembers."""


class User(Record, tag="user"):
    """A person or the bot."""

    id: str
    username: str
    global_name: str
    bot: bool = False
    accepts_direct_messages: bool = True


class Role(msgspec.Struct, kw_only=True):
    """A role of a server; the one whose id is the server's is @everyone."""

    id: str
    name: str
    permissions: int
    position: int = 0
    color: int = 0


class Member(msgspec.Struct, kw_only=True):
    """Somebody's membership in a server."""

    user_id: str
    joined_at: datetime
    role_ids: list[str] = []
    nick: str | None = None


class Guild(Record, tag="guild"):
    """A server."""

    id: str
    name: str
    owner_id: str
    roles: dict[str, Role]
    members: dict[str, Member]


class Overwrite(msgspec.Struct, kw_only=True):
    """What a channel gives or takes from a role (kind 0) or a member (kind 1)."""

    id: str
    kind: int
    allow: int = 0
    deny: int = 0


class Channel(Record, tag="channel"):
    """A text channel of a server, a thread in one (`parent_id`, begun by `owner_id`), or a conversation of two."""

    id: str
    kind: int = TEXT_CHANNEL
    name: str = ""
    guild_id: str | None = None
    parent_id: str | None = None
    owner_id: str | None = None
    recipient_ids: list[str] = []
    topic: str | None = None
    nsfw: bool = False
    position: int = 0
    overwrites: list[Overwrite] = []
    last_message_id: str | None = None


class Attachment(Record, tag="attachment"):
    """A file; its bytes lie in the file shelf under its id."""

    id: str
    channel_id: str
    filename: str
    size: int
    content_type: str
    width: int | None = None
    height: int | None = None
    description: str | None = None
    ephemeral: bool = False


class Reaction(msgspec.Struct, kw_only=True):
    """One emoji under a message and who put it there, in order."""

    name: str
    emoji_id: str | None = None
    user_ids: list[str] = []


class Message(Record, tag="message"):
    """A message. `viewer_id` is set on ephemeral ones. Media keep `attachment://` names; `payloads` makes them URLs."""

    id: str
    channel_id: str
    author_id: str
    timestamp: datetime
    kind: int = 0
    content: str = ""
    embeds: list[Json] = []
    components: list[Json] = []
    attachment_ids: list[str] = []
    flags: int = 0
    edited: datetime | None = None
    reactions: list[Reaction] = []
    mention_ids: list[str] = []
    mention_everyone: bool = False
    nonce: str | int | None = None
    tts: bool = False
    reply_to: str | None = None
    interaction_id: str | None = None
    cause: Json | None = None
    viewer_id: str | None = None


class Interaction(Record, tag="interaction"):
    """Something that a person did to the bot, and how far the answer has come.

    `state` is sent, deferred, answered, updated, modal, choices or failed; `kind` is Discord's type: 2 command,
    3 component, 4 autocomplete, 5 modal. `root` is the metadata of what led here, as Discord writes it.
    """

    id: str
    token: str
    kind: int
    user_id: str
    channel_id: str
    born: datetime
    message_id: str | None = None
    custom_id: str | None = None
    name: str = ""
    state: str = "sent"
    response_id: str | None = None
    response_was_deferred: bool = False
    ephemeral: bool = False
    modal: Json | None = None
    choices: list[Json] | None = None
    error: str | None = None
    root: Json | None = None


class Command(Record, tag="command"):
    """An application command as it was registered; `guild_id` is None for one that exists everywhere."""

    id: str
    version: str
    body: Json
    guild_id: str | None = None


class Read(Record, tag="read"):
    """How far somebody has read a channel."""

    user_id: str
    channel_id: str
    message_id: str


class Gone(Record, tag="gone"):
    """That the record of this kind and id exists no more."""

    kind: str
    id: str


AnyRecord = User | Guild | Channel | Attachment | Message | Interaction | Command | Read | Gone
