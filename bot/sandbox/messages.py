"""Messages: posting, editing, deleting, reading back; and the sign that somebody is writing.

Owns every change of a message and the events that follow from it. Bodies arrive validated (`validation`); whose turn it
is to write is decided by the caller (`rest` for the bot, `driver` for people).
"""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox import components as tree
from bot.sandbox import intents, payloads
from bot.sandbox.events import Dispatch
from bot.sandbox.media import Upload, picture_size
from bot.sandbox.model import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    SUPPRESS_NOTIFICATIONS,
    Attachment,
    Channel,
    Message,
)
from bot.sandbox.permissions import MENTION_EVERYONE
from bot.sandbox.refusals import InvalidForm, refusal

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]

NONCE_MINUTES: Final = 5
"""For how long a nonce is remembered; Discord says "the past few minutes"."""
SUPPRESS_EMBEDS: Final = 1 << 2
CREATE_FLAGS: Final = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
EDIT_FLAGS: Final = SUPPRESS_EMBEDS | COMPONENTS_V2
USER_MENTION: Final = re.compile(r"<@!?(\d+)>")
LINK_PATH: Final = re.compile(r"/cdn/attachments/\d+/(\d+)/")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message comes from, when it is an interaction that it answers."""

    interaction_id: str
    cause: Json
    kind: int
    viewer_id: str | None = None
    loading: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A message on its way in: Discord's JSON body, the files that came with it by their number as text, and the ids of
    files that were uploaded before (people's clients do so)."""

    body: Json
    uploads: Mapping[str, Upload] = field(default_factory=dict[str, Upload])
    attached: tuple[str, ...] = ()


class Messages:
    """All messages of a world, in the order of their ids."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.by_id: dict[str, Message] = {}
        self._by_channel: dict[str, dict[str, Message]] = {}
        self._nonces: dict[tuple[str, str, str], str] = {}

    # -- records ------------------------------------------------------------------------------------------------------

    def restore(self, message: Message) -> None:
        """Take a message from a ledger, in place of an older state of it."""
        self.by_id[message.id] = message
        self._by_channel.setdefault(message.channel_id, {})[message.id] = message
        if message.nonce is not None:
            self._nonces[message.author_id, message.channel_id, str(message.nonce)] = message.id

    def restore_gone(self, message_id: str) -> None:
        """Take a deletion from a ledger."""
        message = self.by_id.pop(message_id, None)
        if message is not None:
            self._by_channel[message.channel_id].pop(message_id, None)

    def drop_channel(self, channel_id: str) -> None:
        """Forget what was said in a channel that is being deleted; Discord sends no event for each."""
        for message in list(self._by_channel.pop(channel_id, {}).values()):
            del self.by_id[message.id]
            self.drop_files(message.attachment_ids)
            self._world.forget("message", message.id)

    # -- looking ------------------------------------------------------------------------------------------------------

    def get(self, channel_id: str, message_id: str) -> Message:
        """The message, for the bot's own token: ephemeral ones do not exist there. Raises Refusal (10008)."""
        message = self._by_channel.get(channel_id, {}).get(message_id)
        if message is None or message.viewer_id is not None:
            raise refusal("unknown_message")
        return message

    def visible(self, user_id: str, channel_id: str, *, newest: int | None = None) -> list[Message]:
        """What one person sees in a channel, oldest first; `newest` keeps that many at the end."""
        said = list(self._by_channel.get(channel_id, {}).values())
        seen = [message for message in said if message.viewer_id in {None, user_id}]
        return seen if newest is None else seen[-newest:]

    def history(
        self,
        channel_id: str,
        *,
        limit: int,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> list[Message]:
        """Newest first, as Discord answers; without ephemeral messages. At most one of the three marks is used."""
        said = [m for m in self._by_channel.get(channel_id, {}).values() if m.viewer_id is None]
        if around is not None:
            older = [m for m in said if int(m.id) < int(around)][-(limit // 2) :] if limit > 1 else []
            newer = [m for m in said if int(m.id) >= int(around)][: limit - len(older)]
            said = older + newer
        elif after is not None:
            said = [m for m in said if int(m.id) > int(after)][:limit]
        elif before is not None:
            said = [m for m in said if int(m.id) < int(before)]
        return list(reversed(said[-limit:]))

    # -- writing ------------------------------------------------------------------------------------------------------

    def post(self, channel_id: str, author_id: str, draft: Draft, *, origin: Origin | None = None) -> Message:
        """A new message. With `enforce_nonce`, a nonce that this author used lately answers the message it made.

        Raises Refusal for an unknown channel, an empty message or files that are not there.
        """
        world, body = self._world, draft.body
        channel = world.channel(channel_id)
        nonce = body.get("nonce")
        if (
            body.get("enforce_nonce")
            and nonce is not None
            and (known := self._by_nonce(author_id, channel_id, str(nonce)))
        ):
            return known
        message = Message(
            id=world.mint(),
            channel_id=channel_id,
            author_id=author_id,
            timestamp=world.clock.now(),
            kind=origin.kind if origin else (19 if body.get("message_reference") else 0),
            flags=(body.get("flags") or 0) & CREATE_FLAGS,
            nonce=nonce,
            tts=bool(body.get("tts")),
            reply_to=str(body["message_reference"]["message_id"]) if body.get("message_reference") else None,
        )
        if origin:
            message.interaction_id, message.cause = origin.interaction_id, origin.cause
            message.viewer_id = origin.viewer_id
            message.flags |= EPHEMERAL if origin.viewer_id else 0
            message.flags |= LOADING if origin.loading else 0
        self._fill(message, draft, channel)
        self.restore(message)
        channel.last_message_id = message.id
        world.save(channel)
        self._announce(message, "create")
        for user_id in self.audience(message):
            world.show_unread(user_id, channel_id)
        return message

    def edit(self, message: Message, draft: Draft) -> Message:
        """Change what the body names; what it leaves out stays. Raises Refusal for a message that would be empty."""
        flags = draft.body.get("flags")
        if flags is not None:
            kept = message.flags & ~SUPPRESS_EMBEDS
            message = self._changed(message, kept | (flags & EDIT_FLAGS), draft)
        else:
            message = self._changed(message, message.flags, draft)
        self._announce(message, "update")
        return message

    def _changed(self, message: Message, flags: int, draft: Draft) -> Message:
        """Apply an edit to a copy first, so that a refusal leaves the message as it was."""
        changed = copy.deepcopy(message)
        was_loading = bool(message.flags & LOADING)
        changed.flags = flags & ~LOADING
        changed.edited = message.edited if was_loading else self._world.clock.now()
        self._fill(changed, draft, self._world.channel(message.channel_id))
        for name in changed.__struct_fields__:
            setattr(message, name, getattr(changed, name))
        return message

    def delete(self, message: Message) -> None:
        """Delete a message and its files."""
        world = self._world
        audience = self.audience(message)
        self.restore_gone(message.id)
        world.forget("message", message.id)
        self.drop_files(message.attachment_ids)
        data: Json = {"id": message.id, "channel_id": message.channel_id}
        channel = world.channel(message.channel_id)
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
        world.desk.dispatch(Dispatch("MESSAGE_DELETE", data, intents.in_channel(channel, intents.GUILD_MESSAGES)))
        for user_id in audience:
            event = {"type": "message_delete", "channel_id": message.channel_id, "message_id": message.id}
            world.desk.show(user_id, event)
            world.show_unread(user_id, message.channel_id)

    # -- typing -------------------------------------------------------------------------------------------------------

    def type_in(self, channel_id: str, user_id: str) -> None:
        """Show that somebody is writing."""
        world = self._world
        channel = world.channel(channel_id)
        data: Json = {"channel_id": channel_id, "user_id": user_id, "timestamp": int(world.clock.now().timestamp())}
        if channel.guild_id:
            member = world.guilds[channel.guild_id].members[user_id]
            data |= {"guild_id": channel.guild_id, "member": payloads.member_payload(world, member)}
        world.desk.dispatch(Dispatch("TYPING_START", data, intents.in_channel(channel, intents.GUILD_MESSAGE_TYPING)))
        for viewer in world.viewers(channel):
            world.desk.show(viewer, {"type": "typing", "channel_id": channel_id, "user_id": user_id})

    # -- inside -------------------------------------------------------------------------------------------------------

    def _by_nonce(self, author_id: str, channel_id: str, nonce: str) -> Message | None:
        known = self.by_id.get(self._nonces.get((author_id, channel_id, nonce), ""))
        fresh = timedelta(minutes=NONCE_MINUTES)
        return known if known and self._world.clock.now() - known.timestamp < fresh else None

    def _fill(self, message: Message, draft: Draft, channel: Channel) -> None:
        """Write a body into a message, replacing what the body names. Raises Refusal."""
        body = draft.body
        if "content" in body:
            message.content = body["content"] or ""
        if "embeds" in body:
            message.embeds = copy.deepcopy(body["embeds"] or [])
        plan = self._plan_attachments(message, draft)
        if "components" in body:
            message.components = self._own_media(tree.numbered(body["components"] or []))
        if message.flags & COMPONENTS_V2 and (message.content or message.embeds):
            words = "The 'content' and 'embeds' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            raise InvalidForm([(("content",) if message.content else ("embeds",), code, words)])
        for embed in message.embeds:
            for key in ("image", "thumbnail"):
                if embed.get(key):
                    embed[key]["url"] = self._own_link(embed[key]["url"])
        something = message.content or message.embeds or plan or message.components
        if not something and not message.flags & LOADING:
            raise refusal("empty_message")
        self._keep_attachments(message, plan)
        if {"content", "components"} & body.keys():
            self._fill_mentions(message, body.get("allowed_mentions"), channel)

    def _plan_attachments(self, message: Message, draft: Draft) -> list[str | Upload]:
        """`attachments` is the list of what stays; new files are matched by their number. Without the list, all stay."""
        listed: list[Json] | None = draft.body.get("attachments")
        if "attachments" not in draft.body:
            listed = [{"id": i} for i in (*message.attachment_ids, *draft.uploads)]
        plan: list[str | Upload] = list(draft.attached)
        for entry in listed or []:
            number = str(entry["id"])
            if number in draft.uploads:
                upload = draft.uploads[number]
                name = entry.get("filename") or upload.filename
                plan.append(Upload(name, upload.data, entry.get("description") or upload.description))
            elif number in message.attachment_ids:
                plan.append(number)
        return plan

    def _keep_attachments(self, message: Message, plan: list[str | Upload]) -> None:
        """Store the new files, and drop those that are no longer listed."""
        private = message.viewer_id is not None
        kept = [
            item if isinstance(item, str) else self.keep_file(message.channel_id, item, ephemeral=private).id
            for item in plan
        ]
        removed = [i for i in message.attachment_ids if i not in kept]
        for attachment in (self._world.attachments[i] for i in kept):
            if attachment.ephemeral != private:
                attachment.ephemeral = private
                self._world.save(attachment)
        message.attachment_ids = kept
        self.drop_files(removed)

    def keep_file(self, channel_id: str, upload: Upload, *, ephemeral: bool = False) -> Attachment:
        """Store a file as an attachment of a channel."""
        size = picture_size(upload.data)
        attachment = Attachment(
            id=self._world.mint(),
            channel_id=channel_id,
            filename=upload.safe_name,
            size=len(upload.data),
            content_type=upload.content_type,
            width=size[0] if size else None,
            height=size[1] if size else None,
            description=upload.description,
            ephemeral=ephemeral,
        )
        self._world.shelf.put(attachment.id, upload.data)
        self._world.attachments[attachment.id] = attachment
        self._world.save(attachment)
        return attachment

    def drop_files(self, attachment_ids: list[str]) -> None:
        """Forget attachments and their bytes."""
        for attachment_id in attachment_ids:
            if self._world.attachments.pop(attachment_id, None):
                self._world.shelf.drop(attachment_id)
                self._world.forget("attachment", attachment_id)

    def _own_link(self, url: str) -> str:
        """A link to one of our files as `media://id`, which outlives the link; any other URL as it is."""
        found = LINK_PATH.search(url)
        return f"media://{found[1]}" if found and found[1] in self._world.attachments else url

    def _own_media(self, components: list[Json]) -> list[Json]:
        """Replace links to our files in a component tree by what outlives them."""
        for _, component in tree.walk(components):
            for _, media in tree.media_of(component):
                media["url"] = self._own_link(media["url"])
        return components

    def _fill_mentions(self, message: Message, allowed: Json | None, channel: Channel) -> None:
        """Who is mentioned and, by `allowed_mentions`, told so."""
        text = message.content + "\n" + tree.text_of(message.components)
        named = [i for i in dict.fromkeys(USER_MENTION.findall(text)) if i in self._world.users]
        everyone = "@everyone" in text or "@here" in text
        if allowed is not None:
            parse: list[str] = allowed.get("parse") or []
            users: list[str] = allowed.get("users") or []
            listed = {str(i) for i in users}
            named = [i for i in named if "users" in parse or i in listed]
            everyone = everyone and "everyone" in parse
        may = bool(self._world.permissions(message.author_id, channel) & MENTION_EVERYONE)
        original = self.by_id.get(message.reply_to or "")
        if original and (allowed is None or allowed.get("replied_user")) and original.author_id not in named:
            named.append(original.author_id)
        message.mention_ids, message.mention_everyone = named, everyone and may

    def audience(self, message: Message) -> list[str]:
        """Who sees a message."""
        if message.viewer_id is not None:
            return [message.viewer_id]
        return self._world.viewers(self._world.channel(message.channel_id))

    def _announce(self, message: Message, what: str) -> None:
        """Save a message, and tell the bot and everybody who sees it."""
        world = self._world
        world.save(message)
        channel = world.channel(message.channel_id)
        data = payloads.message_event_payload(world, message)
        private = channel.guild_id and message.author_id != world.bot_id and world.bot_id not in message.mention_ids
        bare: Json = {**data, "content": "", "embeds": [], "attachments": [], "components": []}
        intent = intents.in_channel(channel, intents.GUILD_MESSAGES)
        world.desk.dispatch(Dispatch(f"MESSAGE_{what.upper()}", data, intent, bare if private else None))
        self._show(message, lambda seen: {"type": f"message_{what}", "channel_id": channel.id, "message": seen})

    def _show(self, message: Message, event: Callable[[Json], Json]) -> None:
        for user_id in self.audience(message):
            if self._world.desk.watched(user_id):
                self._world.desk.show(user_id, event(payloads.message_payload(self._world, message, user_id)))
        self._world.desk.changed()
