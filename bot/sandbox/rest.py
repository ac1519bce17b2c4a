"""Discord's REST routes, version 10: what the bot may ask, mapped to the world's mutations.

Owns the routes and the bot's rights; refuses to know sockets (`transport`) and rules of bodies (`rules`).
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox import application, payloads
from bot.sandbox.media import Upload
from bot.sandbox.messages import Draft
from bot.sandbox.model import COMPONENTS_V2, DIRECT, THREAD, Channel, Message
from bot.sandbox.permissions import (
    ADD_REACTIONS,
    ATTACH_FILES,
    MANAGE_MESSAGES,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
)
from bot.sandbox.refusals import InvalidForm, refusal
from bot.sandbox.rules.command_rules import check_command, check_commands
from bot.sandbox.rules.message_rules import check_callback, check_media, check_message
from bot.sandbox.transport import Answer, Call, Route
from bot.sandbox.world import World

Json = dict[str, Any]
HISTORY: Final = (1, 100)


class Rest:
    """The routes over one world. `gateway_url` is told to clients that ask for it; set it when it is known."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.gateway_url = ""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        """(method, path) -> what answers it."""
        message = "/channels/{channel}/messages/{message}"
        response = "/webhooks/{application}/{token}/messages/{message}"
        return {
            ("GET", "/users/@me"): lambda _: application.own_user(self._world),
            ("GET", "/users/@me/guilds"): self._my_guilds,
            ("GET", "/users/{user}"): self._user,
            ("POST", "/users/@me/channels"): self._open_direct,
            ("GET", "/oauth2/applications/@me"): lambda _: application.own_application(self._world),
            ("GET", "/applications/@me"): lambda _: application.own_application(self._world),
            ("GET", "/gateway"): lambda _: {"url": self.gateway_url},
            ("GET", "/gateway/bot"): lambda _: application.gateway_for_bots(self.gateway_url),
            **self._command_routes("/applications/{application}"),
            **self._command_routes("/applications/{application}/guilds/{guild}"),
            ("GET", "/guilds/{guild}"): self._guild,
            ("GET", "/guilds/{guild}/channels"): self._guild_channels,
            ("GET", "/guilds/{guild}/roles"): self._guild_roles,
            ("GET", "/guilds/{guild}/members/{user}"): self._member,
            ("GET", "/channels/{channel}"): self._get_channel,
            ("POST", "/channels/{channel}/typing"): self._type,
            ("GET", "/channels/{channel}/messages"): self._history,
            ("POST", "/channels/{channel}/messages"): self._post,
            ("POST", "/channels/{channel}/messages/bulk-delete"): self._delete_many,
            ("GET", message): self._get_message,
            ("PATCH", message): self._edit,
            ("DELETE", message): self._delete,
            ("DELETE", message + "/reactions"): self._clear_reactions,
            ("GET", message + "/reactions/{emoji}"): self._reacted,
            ("DELETE", message + "/reactions/{emoji}"): self._clear_reactions,
            ("PUT", message + "/reactions/{emoji}/@me"): self._react,
            ("DELETE", message + "/reactions/{emoji}/@me"): self._unreact,
            ("DELETE", message + "/reactions/{emoji}/{user}"): self._unreact_other,
            ("POST", "/interactions/{interaction}/{token}/callback"): self._callback,
            ("POST", "/webhooks/{application}/{token}"): self._follow_up,
            ("GET", response): self._get_response,
            ("PATCH", response): self._edit_response,
            ("DELETE", response): self._delete_response,
        }

    def _command_routes(self, base: str) -> dict[tuple[str, str], Route]:
        return {
            ("GET", base + "/commands"): self._commands,
            ("PUT", base + "/commands"): self._replace_commands,
            ("POST", base + "/commands"): self._put_command,
            ("GET", base + "/commands/{command}"): self._get_command,
            ("PATCH", base + "/commands/{command}"): self._change_command,
            ("DELETE", base + "/commands/{command}"): self._delete_command,
        }

    # -- people and places --------------------------------------------------------------------------------------------

    def _user(self, call: Call) -> Answer:
        user = self._world.users.get(call["user"])
        if user is None:
            raise refusal("unknown_user")
        return payloads.user_payload(user)

    def _my_guilds(self, _call: Call) -> Answer:
        return application.own_guilds(self._world)

    def _open_direct(self, call: Call) -> Answer:
        body: Json = call.draft.body
        channel = self._world.open_direct(str(body.get("recipient_id")))
        return payloads.channel_payload(self._world, channel)

    def _guild(self, call: Call) -> Answer:
        return payloads.guild_payload(self._world.guild(call["guild"]))

    def _guild_channels(self, call: Call) -> Answer:
        guild = self._world.guild(call["guild"])
        mine = (channel for channel in self._world.channels.values() if channel.guild_id == guild.id)
        channels = [channel for channel in mine if channel.kind != THREAD]
        return [payloads.channel_payload(self._world, channel) for channel in channels]

    def _guild_roles(self, call: Call) -> Answer:
        return [payloads.role_payload(role) for role in self._world.guild(call["guild"]).roles.values()]

    def _member(self, call: Call) -> Answer:
        member = self._world.guild(call["guild"]).members.get(call["user"])
        if member is None:
            raise refusal("unknown_member")
        return payloads.member_payload(self._world, member)

    def _channel(self, call: Call, needed: int = 0) -> Channel:
        """The channel of a call, if the bot sees it and has the rights. Raises Refusal: 10003, 50001, 50013."""
        channel = self._world.channel(call["channel"])
        has = self._world.permissions(self._world.bot_id, channel)
        if not has & VIEW_CHANNEL:
            raise refusal("missing_access")
        if has & needed != needed:
            raise refusal("missing_permissions")
        return channel

    def _get_channel(self, call: Call) -> Answer:
        return payloads.channel_payload(self._world, self._channel(call))

    def _type(self, call: Call) -> Answer:
        self._world.messages.type_in(self._channel(call, SEND_MESSAGES).id, self._world.bot_id)

    # -- commands -----------------------------------------------------------------------------------------------------

    def _command_place(self, call: Call) -> str | None:
        """The server of a call on commands, or None for everywhere. Raises Refusal."""
        if call["application"] != self._world.bot_id:
            raise refusal("unknown_application")
        guild_id = call.parameters.get("guild")
        return self._world.guild(guild_id).id if guild_id else None

    def _commands(self, call: Call) -> Answer:
        found = self._world.commands.of(self._command_place(call))
        return [payloads.command_payload(self._world, command) for command in found]

    def _replace_commands(self, call: Call) -> Answer:
        place = self._command_place(call)
        if not isinstance(call.body, list):
            raise refusal("invalid_json")
        bodies: list[Json] = call.body  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        check_commands(bodies)
        kept = self._world.commands.replace(place, bodies)
        return [payloads.command_payload(self._world, command) for command in kept]

    def _put_command(self, call: Call) -> Answer:
        place = self._command_place(call)
        check_command(call.draft.body)
        return payloads.command_payload(self._world, self._world.commands.put(place, call.draft.body))

    def _get_command(self, call: Call) -> Answer:
        command = self._world.commands.get(self._command_place(call), call["command"])
        return payloads.command_payload(self._world, command)

    def _change_command(self, call: Call) -> Answer:
        place = self._command_place(call)
        command = self._world.commands.get(place, call["command"])
        body: Json = {**command.body, **call.draft.body}
        check_command(body)
        if body["name"] != command.body["name"]:
            self._world.commands.delete(place, command.id)
        return payloads.command_payload(self._world, self._world.commands.put(place, body))

    def _delete_command(self, call: Call) -> Answer:
        self._world.commands.delete(self._command_place(call), call["command"])

    # -- messages -----------------------------------------------------------------------------------------------------

    def _seen(self, message: Message) -> Json:
        return payloads.message_payload(self._world, message, self._world.bot_id)

    def _message(self, call: Call, needed: int = 0) -> Message:
        """The message of a call. Raises Refusal."""
        return self._world.messages.get(self._channel(call, needed).id, call["message"])

    def _history(self, call: Call) -> Answer:
        channel = self._channel(call, READ_MESSAGE_HISTORY)
        limit = int(call.query.get("limit", "50"))
        if not HISTORY[0] <= limit <= HISTORY[1]:
            words = f"int value should be between {HISTORY[0]} and {HISTORY[1]}."
            raise InvalidForm([(("limit",), "NUMBER_TYPE_RANGE", words)])
        marks = {name: call.query.get(name) for name in ("before", "after", "around")}
        return [self._seen(m) for m in self._world.messages.history(channel.id, limit=limit, **marks)]

    def _post(self, call: Call) -> Answer:
        channel = self._channel(call, SEND_MESSAGES | (ATTACH_FILES if call.uploads else 0))
        if channel.kind == DIRECT:
            person = next(self._world.users[i] for i in channel.recipient_ids if i != self._world.bot_id)
            if not person.accepts_direct_messages:
                raise refusal("closed_dms")
        draft = self._checked(call.draft)
        reference: Json = draft.body.get("message_reference") or {}
        if reference and str(reference["message_id"]) not in self._world.messages.by_id:
            if reference.get("fail_if_not_exists", True):
                raise InvalidForm([(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")])
            draft = Draft({k: v for k, v in draft.body.items() if k != "message_reference"}, draft.uploads)
        return self._seen(self._world.messages.post(channel.id, self._world.bot_id, draft))

    def _checked(self, draft: Draft, message: Message | None = None) -> Draft:
        """A message body that keeps the rules, for a new message or an edit of one. Raises InvalidForm."""
        version_2 = bool(message and message.flags & COMPONENTS_V2)
        check_message(draft.body, files=list(draft.uploads), version_2=version_2)
        check_media(draft.body.get("components") or [], self._file_names(draft, message))
        return draft

    def _file_names(self, draft: Draft, message: Message | None) -> set[str]:
        """Names that `attachment://` can mean: of the files that come, and of those that the message has."""
        listed: list[Json] = draft.body.get("attachments") or []
        renamed = [Upload(a["filename"], b"").safe_name for a in listed if a.get("filename")]
        had = [self._world.attachments[i].filename for i in message.attachment_ids] if message else []
        return {upload.safe_name for upload in draft.uploads.values()} | set(renamed) | set(had)

    def _get_message(self, call: Call) -> Answer:
        return self._seen(self._message(call, READ_MESSAGE_HISTORY))

    def _edit(self, call: Call) -> Answer:
        message = self._message(call)
        if message.author_id != self._world.bot_id:
            raise refusal("not_your_message")
        return self._seen(self._world.messages.edit(message, self._checked(call.draft, message)))

    def _delete(self, call: Call) -> Answer:
        message = self._message(call)
        if message.author_id != self._world.bot_id:
            in_server = self._world.channel(message.channel_id).guild_id
            message = self._message(call, MANAGE_MESSAGES)
            if not in_server:
                raise refusal("missing_permissions")
        self._world.messages.delete(message)

    def _delete_many(self, call: Call) -> Answer:
        channel = self._channel(call, MANAGE_MESSAGES)
        ids: list[Any] = call.draft.body.get("messages") or []
        for message_id in ids:
            message = self._world.messages.by_id.get(str(message_id))
            if message is not None and message.channel_id == channel.id:
                self._world.messages.delete(message)

    # -- reactions ----------------------------------------------------------------------------------------------------

    def _react(self, call: Call) -> Answer:
        message = self._message(call, READ_MESSAGE_HISTORY)
        if not self._world.reactions.by(message, call["emoji"]):
            self._channel(call, ADD_REACTIONS)
        self._world.reactions.react(message, self._world.bot_id, call["emoji"])

    def _unreact(self, call: Call) -> Answer:
        self._world.reactions.unreact(self._message(call), self._world.bot_id, call["emoji"])

    def _unreact_other(self, call: Call) -> Answer:
        self._world.reactions.unreact(self._message(call, MANAGE_MESSAGES), call["user"], call["emoji"])

    def _clear_reactions(self, call: Call) -> Answer:
        self._world.reactions.clear(self._message(call, MANAGE_MESSAGES), call.parameters.get("emoji"))

    def _reacted(self, call: Call) -> Answer:
        found = self._world.reactions.by(self._message(call), call["emoji"])
        return [payloads.user_payload(self._world.users[user_id]) for user_id in found]

    # -- interactions -------------------------------------------------------------------------------------------------

    def _callback(self, call: Call) -> Answer:
        draft = call.draft
        interaction = self._world.interactions.by_id.get(call["interaction"])
        pressed = self._world.messages.by_id.get((interaction and interaction.message_id) or "")
        version_2 = bool(draft.body.get("type") == 7 and pressed and pressed.flags & COMPONENTS_V2)
        check_callback(draft.body, files=list(draft.uploads), version_2=version_2)
        data: Json = draft.body.get("data") or {}
        if draft.body["type"] in {4, 7}:
            check_media(data.get("components") or [], self._file_names(Draft(data, draft.uploads), pressed))
        answer = self._world.interactions.answer(call["interaction"], call["token"], draft)
        return answer if call.query.get("with_response") in {"1", "true", "True"} else None

    def _follow_up(self, call: Call) -> Answer:
        interactions = self._world.interactions
        interactions.by_webhook(call["token"])
        return self._seen(interactions.follow_up(call["token"], self._checked(call.draft)))

    def _get_response(self, call: Call) -> Answer:
        return self._seen(self._world.interactions.response(call["token"], call["message"]))

    def _edit_response(self, call: Call) -> Answer:
        interactions = self._world.interactions
        draft = self._checked(call.draft, interactions.response(call["token"], call["message"]))
        return self._seen(interactions.edit_response(call["token"], call["message"], draft))

    def _delete_response(self, call: Call) -> Answer:
        self._world.messages.delete(self._world.interactions.response(call["token"], call["message"]))
