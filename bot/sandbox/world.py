"""The world: who and what exists, who may see it, and the news of every change.

Owns the records of people, servers and channels, and the parts that own messages, interactions and commands. Each
mutation is one method that changes the records, writes them to the ledger, tells the bot's gateway and people's screens,
and only then returns. No sockets, no sleeping, no discord.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from bot.sandbox import payloads
from bot.sandbox.clock import Clock, SnowflakeMint, SystemClock, snowflake_time
from bot.sandbox.commands import Commands
from bot.sandbox.events import Dispatch, NewsDesk, Subscription
from bot.sandbox.intents import GUILDS
from bot.sandbox.interactions import TOKEN_MINUTES, Interactions
from bot.sandbox.media import LINK_HOURS, FileShelf, Links, MemoryShelf
from bot.sandbox.messages import Messages
from bot.sandbox.model import (
    DIRECT,
    AnyRecord,
    Attachment,
    Channel,
    Command,
    Gone,
    Guild,
    Interaction,
    Member,
    Message,
    Overwrite,
    Read,
    Role,
    User,
)
from bot.sandbox.permissions import ALL, EVERYONE, VIEW_CHANNEL, permissions_in
from bot.sandbox.reactions import Reactions
from bot.sandbox.refusals import refusal

Json = dict[str, Any]
T = TypeVar("T")
RECENT = 200
"""How many messages of a channel a view shows."""


class Ledger(Protocol):
    """Where records are written when they change."""

    def write(self, record: AnyRecord) -> None:
        """Keep the record as it is now; when this returns, a killed process does not lose it."""
        ...


class NoLedger:
    """A world that ends with the process."""

    def write(self, record: AnyRecord) -> None:
        """Keep nothing."""


class World:
    """A Discord. `bot_id` is the bot's user and application id; it exists from the start."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        ledger: Ledger | None = None,
        shelf: FileShelf | None = None,
        records: Iterable[AnyRecord] = (),
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.mint = SnowflakeMint(self.clock)
        self.desk = NewsDesk()
        self.links = Links(self.clock, secret=secrets.token_bytes(32))
        self.shelf: FileShelf = shelf or MemoryShelf()
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.attachments: dict[str, Attachment] = {}
        self.read_marks: dict[tuple[str, str], str] = {}
        self.messages = Messages(self)
        self.reactions = Reactions(self)
        self.interactions = Interactions(self)
        self.commands = Commands(self)
        self.bot_online = False
        self._ledger: Ledger = NoLedger()
        for record in records:
            self._restore(record)
        self._ledger = ledger or NoLedger()
        bots = [user.id for user in self.users.values() if user.bot]
        self.bot_id = bots[0] if bots else self.add_user("Easel", bot=True).id

    # -- records ------------------------------------------------------------------------------------------------------

    def save(self, record: AnyRecord) -> None:
        """Write a record that changed."""
        self._ledger.write(record)

    def forget(self, kind: str, record_id: str) -> None:
        """Write that a record exists no more."""
        self._ledger.write(Gone(kind=kind, id=record_id))

    def records(self) -> list[AnyRecord]:
        """Everything worth keeping, in an order in which it can be restored."""
        reads = [Read(user_id=u, channel_id=c, message_id=m) for (u, c), m in self.read_marks.items()]
        tables = (self.users, self.guilds, self.channels, self.attachments, self.messages.by_id, self.commands.by_id)
        kept: list[AnyRecord] = [record for table in tables for record in table.values()]
        return [*kept, *self.interactions.alive(), *reads]

    def tidy(self) -> None:
        """Forget what a client would not show again: old ephemeral messages, and files that were never used."""
        now = self.clock.now()
        for message in list(self.messages.by_id.values()):
            if message.viewer_id is not None and now - message.timestamp > timedelta(minutes=TOKEN_MINUTES):
                self.messages.delete(message)
        used = {i for message in self.messages.by_id.values() for i in message.attachment_ids}
        for attachment in list(self.attachments.values()):
            if attachment.id not in used and now - snowflake_time(attachment.id) > timedelta(hours=LINK_HOURS):
                self.messages.drop_files([attachment.id])

    def _restore(self, record: AnyRecord) -> None:
        """Take one record from a ledger."""
        match record:
            case User():
                self.users[record.id] = record
            case Guild():
                self.guilds[record.id] = record
            case Channel():
                self.channels[record.id] = record
            case Attachment():
                self.attachments[record.id] = record
            case Message():
                self.messages.restore(record)
            case Interaction():
                self.interactions.restore(record)
            case Command():
                self.commands.by_id[record.id] = record
            case Read():
                self.read_marks[record.user_id, record.channel_id] = record.message_id
            case Gone():
                self._restore_gone(record)
        if not isinstance(record, Read):
            self.mint.keep_above(record.id)

    def _restore_gone(self, record: Gone) -> None:
        tables: dict[str, dict[str, Any]] = {
            "channel": self.channels,
            "attachment": self.attachments,
            "command": self.commands.by_id,
        }
        if record.kind == "message":
            self.messages.restore_gone(record.id)
        else:
            tables[record.kind].pop(record.id, None)

    # -- people and places --------------------------------------------------------------------------------------------

    def add_user(self, name: str, *, bot: bool = False) -> User:
        """A new account; its username is the name in lower case."""
        user = User(id=self.mint(), username=name.lower().replace(" ", "_"), global_name=name, bot=bot)
        self.users[user.id] = user
        self.save(user)
        return user

    def add_guild(self, name: str, *, owner_id: str, member_ids: Iterable[str] = ()) -> Guild:
        """A new server with its owner, these members and the bot in it."""
        guild_id = self.mint()
        members = [owner_id, *member_ids, self.bot_id]
        guild = Guild(
            id=guild_id,
            name=name,
            owner_id=owner_id,
            roles={guild_id: Role(id=guild_id, name="@everyone", permissions=EVERYONE)},
            members={i: Member(user_id=i, joined_at=self.clock.now()) for i in dict.fromkeys(members)},
        )
        self.guilds[guild.id] = guild
        self.save(guild)
        self.desk.dispatch(Dispatch("GUILD_CREATE", payloads.guild_create_payload(self, guild), GUILDS))
        return guild

    def add_channel(
        self,
        guild_id: str,
        name: str,
        *,
        topic: str | None = None,
        nsfw: bool = False,
        overwrites: Iterable[Overwrite] = (),
    ) -> Channel:
        """A new text channel at the end of a server's list."""
        position = sum(channel.guild_id == guild_id for channel in self.channels.values())
        channel = Channel(
            id=self.mint(),
            name=name,
            guild_id=guild_id,
            topic=topic,
            nsfw=nsfw,
            position=position,
            overwrites=list(overwrites),
        )
        self.channels[channel.id] = channel
        self._announce_channel(channel, "create")
        return channel

    def change_channel(
        self, channel_id: str, *, nsfw: bool | None = None, overwrites: Iterable[Overwrite] | None = None
    ) -> Channel:
        """Set what is given. Raises Refusal for a channel that does not exist."""
        channel = self.channel(channel_id)
        channel.nsfw = channel.nsfw if nsfw is None else nsfw
        channel.overwrites = channel.overwrites if overwrites is None else list(overwrites)
        self._announce_channel(channel, "update")
        return channel

    def delete_channel(self, channel_id: str) -> None:
        """Delete a channel and what was said in it. Raises Refusal for one that does not exist."""
        channel = self.channel(channel_id)
        viewers = self.viewers(channel)
        self.messages.drop_channel(channel_id)
        del self.channels[channel_id]
        self.forget("channel", channel_id)
        payload = payloads.channel_payload(self, channel)
        self.desk.dispatch(Dispatch("CHANNEL_DELETE", payload, GUILDS))
        for user_id in viewers:
            self.desk.show(user_id, {"type": "channel_delete", "channel": payload})

    def _announce_channel(self, channel: Channel, what: str) -> None:
        """Save a channel, and tell the bot and those who may see it."""
        self.save(channel)
        payload = payloads.channel_payload(self, channel)
        if channel.kind != DIRECT:
            self.desk.dispatch(Dispatch(f"CHANNEL_{what.upper()}", payload, GUILDS))
        for user_id in self.viewers(channel):
            seen = payloads.channel_payload(self, channel, reader_id=user_id)
            self.desk.show(user_id, {"type": f"channel_{what}", "channel": seen})

    def open_direct(self, user_id: str) -> Channel:
        """The conversation of the bot and a person, begun if there is none. Raises Refusal for an unknown user."""
        if user_id not in self.users or user_id == self.bot_id:
            raise refusal("unknown_user")
        for channel in self.channels.values():
            if channel.kind == DIRECT and user_id in channel.recipient_ids:
                return channel
        channel = Channel(id=self.mint(), kind=DIRECT, recipient_ids=[user_id, self.bot_id])
        self.channels[channel.id] = channel
        self._announce_channel(channel, "create")
        return channel

    def set_direct_messages(self, user_id: str, *, accepted: bool) -> None:
        """Whether a person takes messages from the bot."""
        self.users[user_id].accepts_direct_messages = accepted
        self.save(self.users[user_id])

    def set_bot_online(self, online: bool) -> None:
        """Whether a gateway session of the bot stands."""
        if online != self.bot_online:
            self.bot_online = online
            for user_id in self.people():
                self.desk.show(user_id, {"type": "bot", "online": online})

    # -- looking ------------------------------------------------------------------------------------------------------

    def people(self) -> list[str]:
        """Ids of all who are not bots."""
        return [user.id for user in self.users.values() if not user.bot]

    def channel(self, channel_id: str) -> Channel:
        """The channel. Raises Refusal (10003)."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise refusal("unknown_channel")
        return channel

    def guild(self, guild_id: str) -> Guild:
        """The server. Raises Refusal (10004)."""
        guild = self.guilds.get(guild_id)
        if guild is None:
            raise refusal("unknown_guild")
        return guild

    def permissions(self, user_id: str, channel: Channel) -> int:
        """What somebody may in a channel, as bits; all in a conversation of one's own, nothing in another's."""
        if channel.guild_id is None:
            return ALL if user_id in channel.recipient_ids else 0
        return permissions_in(self.guilds[channel.guild_id], user_id, self.home(channel))

    def home(self, channel: Channel) -> Channel:
        """The channel whose permissions and age restriction hold: a thread's parent."""
        return self.channels.get(channel.parent_id or "", channel)

    def viewers(self, channel: Channel) -> list[str]:
        """People who can see a channel."""
        return [user_id for user_id in self.people() if self.permissions(user_id, channel) & VIEW_CHANNEL]

    def media_url(self, attachment: Attachment) -> str:
        """A link to an attachment."""
        return self.links.link(attachment.channel_id, attachment.id, attachment.filename)

    def unread(self, user_id: str, channel_id: str) -> Json:
        """How many messages of others, and how many that mention this person, came after the last read."""
        mark = int(self.read_marks.get((user_id, channel_id), "0"))
        new = [
            message
            for message in self.messages.visible(user_id, channel_id, newest=RECENT)
            if int(message.id) > mark and message.author_id != user_id
        ]
        return {"unread": len(new), "mentions": sum(user_id in m.mention_ids or m.mention_everyone for m in new)}

    def mark_read(self, user_id: str, channel_id: str) -> None:
        """Note that a person has seen everything in a channel up to now."""
        newest = self.channel(channel_id).last_message_id
        if newest is not None and self.read_marks.get((user_id, channel_id)) != newest:
            self.read_marks[user_id, channel_id] = newest
            self.save(Read(user_id=user_id, channel_id=channel_id, message_id=newest))
            self.show_unread(user_id, channel_id)

    def show_unread(self, user_id: str, channel_id: str) -> None:
        """Put the unread counts of a channel on a person's screens."""
        self.desk.show(user_id, {"type": "unread", "channel_id": channel_id, **self.unread(user_id, channel_id)})

    def view(self, user_id: str) -> Json:
        """All that one person sees now; its form is in the package's docstring."""
        mine = [channel for channel in self.channels.values() if user_id in self.viewers(channel)]
        directs = [payloads.channel_payload(self, c, reader_id=user_id) for c in mine if c.kind == DIRECT]
        return {
            "me": payloads.user_payload(self.users[user_id]),
            "people": [payloads.user_payload(self.users[i]) for i in self.people()],
            "bot": {**payloads.user_payload(self.users[self.bot_id]), "online": self.bot_online},
            "guilds": [self._guild_view(guild, mine) for guild in self.guilds.values() if user_id in guild.members],
            "dms": directs,
            "messages": {
                c.id: [
                    payloads.message_payload(self, message, user_id)
                    for message in self.messages.visible(user_id, c.id, newest=RECENT)
                ]
                for c in mine
            },
            "commands": self.commands.payloads(),
            "unread": {c.id: self.unread(user_id, c.id) for c in mine},
        }

    def _guild_view(self, guild: Guild, channels: list[Channel]) -> Json:
        own = sorted((c for c in channels if c.guild_id == guild.id), key=lambda c: c.position)
        return {
            "id": guild.id,
            "name": guild.name,
            "owner_id": guild.owner_id,
            "members": [payloads.member_payload(self, member) for member in guild.members.values()],
            "roles": [payloads.role_payload(role) for role in guild.roles.values()],
            "channels": [payloads.channel_payload(self, channel) for channel in own],
        }

    # -- listening ----------------------------------------------------------------------------------------------------

    def subscribe(self, user_id: str) -> Subscription:
        """That person's screen from now on: an async iterator of events; their form is in the package's docstring."""
        subscription = Subscription()
        subscription.stop = self.desk.watch(user_id, subscription.push)
        return subscription

    async def until(self, check: Callable[[], T | None], *, timeout: float = 10.0) -> T:  # noqa: ASYNC109
        """The first truthy answer of `check`, asked now and after every change of the world. Raises TimeoutError."""
        return await self.desk.until(check, timeout=timeout)
