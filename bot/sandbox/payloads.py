"""What each record looks like to a client: Discord's JSON objects, complete by its OpenAPI description.

Pure functions of the world and a record. Fields that a plain account leaves empty are sent empty, not left out.
"""

import copy
from typing import TYPE_CHECKING, Any

from bot.sandbox import components as tree
from bot.sandbox.model import (
    COMPONENTS_V2,
    DIRECT,
    THREAD,
    Attachment,
    Channel,
    Command,
    Guild,
    Interaction,
    Member,
    Message,
    Reaction,
    Role,
    User,
)
from bot.sandbox.permissions import permissions_in
from bot.sandbox.thread_payloads import thread_payload

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]


def user_payload(user: User) -> Json:
    """A user object."""
    return {
        "id": user.id,
        "username": user.username,
        "global_name": user.global_name,
        "discriminator": "0",
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": None,
        "bot": user.bot,
        "collectibles": None,
        "flags": 0,
        "primary_guild": None,
        "public_flags": 0,
    }


def member_payload(world: "World", member: Member, *, with_user: bool = True) -> Json:
    """A member of a server; message events carry it without the user."""
    payload: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": member.joined_at.isoformat(),
        "mute": False,
        "nick": member.nick,
        "pending": False,
        "premium_since": None,
        "roles": list(member.role_ids),
    }
    if with_user:
        payload["user"] = user_payload(world.users[member.user_id])
    return payload


def role_payload(role: Role) -> Json:
    """A role."""
    return {
        "id": role.id,
        "name": role.name,
        "color": role.color,
        "colors": {"primary_color": role.color, "secondary_color": None, "tertiary_color": None},
        "flags": 0,
        "hoist": False,
        "icon": None,
        "managed": False,
        "mentionable": False,
        "permissions": str(role.permissions),
        "position": role.position,
        "unicode_emoji": None,
    }


def channel_payload(world: "World", channel: Channel, *, reader_id: str | None = None) -> Json:
    """A channel. A conversation of two lists the one who is not `reader_id` (by default not the bot)."""
    if channel.kind == DIRECT:
        reader = reader_id or world.bot_id
        return {
            "id": channel.id,
            "type": DIRECT,
            "flags": 0,
            "last_message_id": channel.last_message_id,
            "recipients": [user_payload(world.users[i]) for i in channel.recipient_ids if i != reader],
        }
    if channel.kind == THREAD:
        return thread_payload(channel)
    return {
        "id": channel.id,
        "type": channel.kind,
        "flags": 0,
        "guild_id": channel.guild_id,
        "last_message_id": channel.last_message_id,
        "name": channel.name,
        "nsfw": channel.nsfw,
        "parent_id": None,
        "permission_overwrites": [
            {"id": o.id, "type": o.kind, "allow": str(o.allow), "deny": str(o.deny)} for o in channel.overwrites
        ],
        "position": channel.position,
        "rate_limit_per_user": 0,
        "topic": channel.topic,
    }


def guild_payload(guild: Guild) -> Json:
    """A server, as REST answers it."""
    nothing = (
        "icon description home_header splash discovery_splash banner application_id afk_channel_id system_channel_id "
        "widget_channel_id vanity_url_code rules_channel_id safety_alerts_channel_id public_updates_channel_id "
        "max_presences incidents_data"
    )
    return {
        **dict.fromkeys(nothing.split()),
        "id": guild.id,
        "name": guild.name,
        "owner_id": guild.owner_id,
        "roles": [role_payload(role) for role in guild.roles.values()],
        "features": [],
        "emojis": [],
        "stickers": [],
        "region": "local",
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "mfa_level": 0,
        "nsfw": False,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "premium_subscription_count": 0,
        "premium_tier": 0,
        "system_channel_flags": 0,
        "verification_level": 0,
        "widget_enabled": False,
    }


def guild_create_payload(world: "World", guild: Guild) -> Json:
    """A server, as the gateway announces it: with its channels and members."""
    channels = [channel for channel in world.channels.values() if channel.guild_id == guild.id]
    return {
        **guild_payload(guild),
        "channels": [channel_payload(world, channel) for channel in channels if channel.kind != THREAD],
        "members": [member_payload(world, member) for member in guild.members.values()],
        "member_count": len(guild.members),
        "joined_at": guild.members[world.bot_id].joined_at.isoformat(),
        "large": False,
        "unavailable": False,
        "guild_scheduled_events": [],
        "presences": [],
        "soundboard_sounds": [],
        "stage_instances": [],
        "threads": [channel_payload(world, channel) for channel in channels if channel.kind == THREAD],
        "voice_states": [],
    }


def attachment_payload(world: "World", attachment: Attachment) -> Json:
    """An attachment, with a URL that is good for a day."""
    url = world.media_url(attachment)
    payload: Json = {
        "id": attachment.id,
        "filename": attachment.filename,
        "size": attachment.size,
        "content_type": attachment.content_type,
        "url": url,
        "proxy_url": url,
    }
    for key in ("width", "height", "description"):
        if (value := getattr(attachment, key)) is not None:
            payload[key] = value
    if attachment.ephemeral:
        payload["ephemeral"] = True
    return payload


def media_payload(world: "World", url: str, files: dict[str, Attachment]) -> Json:
    """A resolved media item: `attachment://name` of this message, `media://id` of any, or a URL from outside."""
    attachment = files.get(url.removeprefix("attachment://")) if url.startswith("attachment://") else None
    if url.startswith("media://"):
        attachment = world.attachments.get(url.removeprefix("media://"))
    if attachment is None:
        return {"id": "0", "url": url, "proxy_url": url, "width": None, "height": None, "content_type": None}
    resolved = world.media_url(attachment)
    return {
        "id": attachment.id,
        "attachment_id": attachment.id,
        "url": resolved,
        "proxy_url": resolved,
        "width": attachment.width,
        "height": attachment.height,
        "content_type": attachment.content_type,
    }


COMPONENT_DEFAULTS: dict[int, Json] = {
    tree.BUTTON: {"style": 2},
    tree.STRING_SELECT: {"min_values": 1, "max_values": 1},
    tree.USER_SELECT: {"min_values": 1, "max_values": 1},
    tree.ROLE_SELECT: {"min_values": 1, "max_values": 1},
    tree.MENTIONABLE_SELECT: {"min_values": 1, "max_values": 1},
    tree.CHANNEL_SELECT: {"min_values": 1, "max_values": 1},
    tree.THUMBNAIL: {"description": None, "spoiler": False},
    tree.FILE: {"spoiler": False},
    tree.SEPARATOR: {"spacing": 1, "divider": True},
    tree.CONTAINER: {"accent_color": None, "spoiler": False},
}
"""What Discord answers for fields that were left out."""


def components_payload(world: "World", components: list[Json], files: dict[str, Attachment]) -> list[Json]:
    """A component tree as it is answered: defaults filled in, media resolved."""
    answered = copy.deepcopy(components)
    for _, component in tree.walk(answered):
        for key, value in COMPONENT_DEFAULTS.get(component["type"], {}).items():
            component.setdefault(key, value)
        for part in (component, *tree.rows(component, "options")):
            if part.get("emoji"):
                part["emoji"] = {key: value for key, value in part["emoji"].items() if value is not None}
        for value in tree.rows(component, "default_values"):
            value["id"] = str(value["id"])
        if component["type"] == tree.MEDIA_GALLERY:
            for item in component["items"]:
                item.setdefault("description", None)
                item.setdefault("spoiler", False)
        for _, media in tree.media_of(component):
            media.update(media_payload(world, media["url"], files))
        if component["type"] == tree.FILE:
            attachment = world.attachments.get(component["file"]["id"])
            component["name"] = attachment.filename if attachment else None
            component["size"] = attachment.size if attachment else None
    return answered


def embed_payload(world: "World", embed: Json, files: dict[str, Attachment]) -> Json:
    """An embed as it is answered."""
    answered: Json = {**copy.deepcopy(embed), "type": "rich"}
    for key in ("image", "thumbnail"):
        if answered.get(key):
            media = media_payload(world, answered[key]["url"], files)
            answered[key] = {k: media[k] for k in ("url", "proxy_url", "width", "height") if media[k] is not None}
    for field in answered.get("fields") or ():
        field.setdefault("inline", False)
    return answered


def reaction_payload(reaction: Reaction, viewer_id: str) -> Json:
    """One emoji under a message, as `viewer_id` sees it."""
    count = len(reaction.user_ids)
    return {
        "emoji": {"id": reaction.emoji_id, "name": reaction.name},
        "count": count,
        "count_details": {"burst": 0, "normal": count},
        "burst_colors": [],
        "me": viewer_id in reaction.user_ids,
        "me_burst": False,
    }


def message_payload(world: "World", message: Message, viewer_id: str, *, nested: bool = False) -> Json:
    """A message as `viewer_id` sees it. A Components V2 message lists no attachments: its media items stand for them."""
    attachments = [world.attachments[i] for i in message.attachment_ids]
    files = {attachment.filename: attachment for attachment in attachments}
    listed = [] if message.flags & COMPONENTS_V2 else attachments
    payload: Json = {
        "id": message.id,
        "channel_id": message.channel_id,
        "author": user_payload(world.users[message.author_id]),
        "content": message.content,
        "timestamp": message.timestamp.isoformat(),
        "edited_timestamp": message.edited.isoformat() if message.edited else None,
        "tts": message.tts,
        "mention_everyone": message.mention_everyone,
        "mentions": [user_payload(world.users[i]) for i in message.mention_ids if i in world.users],
        "mention_roles": [],
        "attachments": [attachment_payload(world, attachment) for attachment in listed],
        "embeds": [embed_payload(world, embed, files) for embed in message.embeds],
        "components": components_payload(world, message.components, files),
        "pinned": False,
        "type": message.kind,
        "flags": message.flags,
    }
    if message.reactions:
        payload["reactions"] = [reaction_payload(reaction, viewer_id) for reaction in message.reactions]
    if message.nonce is not None:
        payload["nonce"] = message.nonce
    if message.cause is not None:
        payload |= _cause_payload(world, message.cause)
    if message.reply_to is not None:
        payload |= _reply_payload(world, message, viewer_id, nested=nested)
    return payload


def _cause_payload(world: "World", cause: Json) -> Json:
    """The fields that say which interaction a message answers; `name` is kept beside Discord's metadata."""
    metadata = {key: value for key, value in cause.items() if key != "name"}
    fields: Json = {"interaction_metadata": metadata, "application_id": world.bot_id, "webhook_id": world.bot_id}
    if cause["type"] == 2:
        fields["interaction"] = {"id": cause["id"], "type": 2, "name": cause["name"], "user": cause["user"]}
    return fields


def _reply_payload(world: "World", message: Message, viewer_id: str, *, nested: bool) -> Json:
    """The fields of a reply; what is replied to is shown once, not its own reply again."""
    reference: Json = {"type": 0, "channel_id": message.channel_id, "message_id": message.reply_to}
    fields: Json = {"message_reference": reference}
    if guild_id := world.channels[message.channel_id].guild_id:
        reference["guild_id"] = guild_id
    if not nested:
        original = world.messages.by_id.get(message.reply_to or "")
        fields["referenced_message"] = original and message_payload(world, original, viewer_id, nested=True)
    return fields


def message_event_payload(world: "World", message: Message) -> Json:
    """A message as the gateway tells the bot: with the server and the author's membership."""
    payload = message_payload(world, message, world.bot_id)
    guild_id = world.channels[message.channel_id].guild_id
    if guild_id is not None:
        payload["guild_id"] = guild_id
        member = world.guilds[guild_id].members.get(message.author_id)
        if member is not None:
            payload["member"] = member_payload(world, member, with_user=False)
    return payload


def command_payload(world: "World", command: Command) -> Json:
    """An application command as it is answered and shown."""
    defaults: Json = {
        "type": 1,
        "description": "",
        "name_localizations": None,
        "description_localizations": None,
        "default_member_permissions": None,
        "nsfw": False,
        "contexts": None,
        "integration_types": [0],
    }
    body = {key: value for key, value in command.body.items() if value is not None or key not in defaults}
    payload: Json = {
        **defaults,
        **copy.deepcopy(body),
        "id": command.id,
        "application_id": world.bot_id,
        "version": command.version,
    }
    permissions = payload["default_member_permissions"]
    payload["default_member_permissions"] = None if permissions is None else str(permissions)
    if command.guild_id:
        payload["guild_id"] = command.guild_id
    return payload


def interaction_member_payload(world: "World", guild: Guild, user_id: str, channel: Channel) -> Json:
    """The member who interacts: with what he may do in that channel."""
    member = member_payload(world, guild.members[user_id])
    return {**member, "permissions": str(permissions_in(guild, user_id, world.home(channel)))}


def interaction_screen(interaction: Interaction) -> Json:
    """How an interaction stands, for the screen of the person who began it."""
    kinds = {2: "command", 3: "component", 4: "autocomplete", 5: "modal"}
    return {
        "type": "interaction",
        "id": interaction.id,
        "kind": kinds[interaction.kind],
        "channel_id": interaction.channel_id,
        "message_id": interaction.message_id,
        "custom_id": interaction.custom_id,
        "state": interaction.state,
        "response_message_id": interaction.response_id,
        "modal": interaction.modal,
        "choices": interaction.choices,
        "error": interaction.error,
    }
