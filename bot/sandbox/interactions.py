"""Interactions: a person does something, the bot has three seconds to answer and fifteen minutes to go on.

Owns their life: sent -> deferred | answered | updated | modal | choices | failed, the token that lives fifteen minutes, the
original response and follow-ups. Source: Discord's documentation, "Receiving and Responding to Interactions".
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox import components as tree
from bot.sandbox import payloads
from bot.sandbox.events import Dispatch
from bot.sandbox.messages import Draft, Origin
from bot.sandbox.model import EPHEMERAL, LOADING, Interaction, Message
from bot.sandbox.refusals import InvalidForm, refusal

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, OPEN_MODAL = 4, 5, 6, 7, 8, 9

ANSWER_SECONDS: Final = 3.0
TOKEN_MINUTES: Final = 15
UPLOAD_LIMIT: Final = 10 * 2**20
"""Bytes of one file, told to the bot as `attachment_size_limit`."""

ANSWERS: Final = {
    COMMAND: frozenset({REPLY, DEFER, OPEN_MODAL}),
    COMPONENT: frozenset({REPLY, DEFER, DEFER_UPDATE, UPDATE, OPEN_MODAL}),
    AUTOCOMPLETE: frozenset({CHOICES}),
    MODAL_SUBMIT: frozenset({REPLY, DEFER, DEFER_UPDATE, UPDATE}),
}
"""Which callback types may answer which interaction."""

FAILURES: Final = {
    COMMAND: "The application did not respond",
    COMPONENT: "This interaction failed",
    AUTOCOMPLETE: "Loading options failed",
    MODAL_SUBMIT: "Something went wrong. Try again.",
}
"""What Discord shows when the three seconds are over."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person did: Discord's interaction type and `data`, where, and on which message or component."""

    kind: int
    user_id: str
    channel_id: str
    data: Json
    message_id: str | None = None
    custom_id: str | None = None
    root: Json | None = None

    @property
    def name(self) -> str:
        """A command's full name, with its subcommands."""
        level: list[Json] = self.data.get("options") or []
        words: list[str] = [self.data.get("name", "")]
        while level and level[0]["type"] in {1, 2}:
            words.append(level[0]["name"])
            level = level[0].get("options") or []
        return " ".join(words)


class Interactions:
    """All interactions of a world whose token is good, and the older ones that were not yet tidied away."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.by_id: dict[str, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def restore(self, interaction: Interaction) -> None:
        """Take an interaction from a ledger, in place of an older state of it."""
        self.by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction

    def alive(self) -> list[Interaction]:
        """Those whose token is still good."""
        return [interaction for interaction in self.by_id.values() if not self._expired(interaction)]

    def _expired(self, interaction: Interaction) -> bool:
        return self._world.clock.now() - interaction.born >= timedelta(minutes=TOKEN_MINUTES)

    # -- a person begins ----------------------------------------------------------------------------------------------

    def begin(self, deed: Deed) -> Interaction:
        """Send an interaction to the bot and start its three seconds."""
        world = self._world
        interaction = Interaction(
            id=world.mint(),
            token=secrets.token_urlsafe(64),
            kind=deed.kind,
            user_id=deed.user_id,
            channel_id=deed.channel_id,
            born=world.clock.now(),
            message_id=deed.message_id,
            custom_id=deed.custom_id,
            name=deed.name,
            root=deed.root,
        )
        self.restore(interaction)
        for old in [i for i in self.by_id.values() if self._expired(i)]:
            del self.by_id[old.id], self._by_token[old.token]
        world.save(interaction)
        self._show(interaction)
        world.clock.call_later(ANSWER_SECONDS, lambda: self._overdue(interaction))
        world.desk.dispatch(Dispatch("INTERACTION_CREATE", self._payload(interaction, deed.data)))
        return interaction

    def _overdue(self, interaction: Interaction) -> None:
        """Three seconds are over."""
        if interaction.state == "sent":
            interaction.state, interaction.error = "failed", FAILURES[interaction.kind]
            self._settle(interaction)

    def _payload(self, interaction: Interaction, data: Json) -> Json:
        world = self._world
        channel = world.channel(interaction.channel_id)
        payload: Json = {
            "id": interaction.id,
            "application_id": world.bot_id,
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel_id": channel.id,
            "channel": payloads.channel_payload(world, channel),
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": UPLOAD_LIMIT,
            "app_permissions": str(world.permissions(world.bot_id, channel)),
            "authorizing_integration_owners": self._owners(interaction),
            "context": 0 if channel.guild_id else 1,
        }
        if channel.guild_id:
            guild = world.guilds[channel.guild_id]
            payload["guild_id"] = guild.id
            payload["guild"] = {"id": guild.id, "features": [], "locale": "en-US"}
            payload["guild_locale"] = "en-US"
            payload["member"] = payloads.interaction_member_payload(world, guild, interaction.user_id, channel)
        else:
            payload["user"] = payloads.user_payload(world.users[interaction.user_id])
        if interaction.message_id is not None:
            message = world.messages.by_id[interaction.message_id]
            payload["message"] = payloads.message_payload(world, message, world.bot_id)
        return payload

    def _owners(self, interaction: Interaction) -> Json:
        guild_id = self._world.channel(interaction.channel_id).guild_id
        return {"0": guild_id or "0"}

    def cause(self, interaction: Interaction) -> Json:
        """The metadata that a message carries of the interaction it answers, and its command's name."""
        cause: Json = {
            "id": interaction.id,
            "type": interaction.kind,
            "name": interaction.name,
            "user": payloads.user_payload(self._world.users[interaction.user_id]),
            "authorizing_integration_owners": self._owners(interaction),
        }
        if interaction.kind == COMPONENT:
            cause["interacted_message_id"] = interaction.message_id
        if interaction.kind == MODAL_SUBMIT:
            cause["triggering_interaction_metadata"] = {
                k: v for k, v in (interaction.root or {}).items() if k != "name"
            }
        return cause

    # -- the bot answers ----------------------------------------------------------------------------------------------

    def answer(self, interaction_id: str, token: str, draft: Draft) -> Json:
        """The callback. Raises Refusal: 10062 unknown or too late, 40060 answered before, 50035 not in this place."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id or interaction.state == "failed":
            raise refusal("unknown_interaction")
        if interaction.state != "sent":
            raise refusal("already_acknowledged")
        kind: int = draft.body["type"]
        may = set(ANSWERS[interaction.kind])
        if interaction.message_id is None:
            may -= {DEFER_UPDATE, UPDATE}
        if kind not in may:
            words = f"Value must be one of {{{', '.join(map(str, sorted(may)))}}}."
            raise InvalidForm([(("type",), "BASE_TYPE_CHOICES", words)])
        message = self._apply(interaction, kind, Draft(draft.body.get("data") or {}, draft.uploads))
        self._settle(interaction)
        return self._callback_payload(interaction, kind, message)

    def _apply(self, interaction: Interaction, kind: int, draft: Draft) -> Message | None:
        """Do what a callback of that kind says; the message it made or changed."""
        message = None
        if kind in {REPLY, DEFER}:
            interaction.ephemeral = bool((draft.body.get("flags") or 0) & EPHEMERAL)
            message = self._respond(interaction, Draft({}) if kind == DEFER else draft, loading=kind == DEFER)
            interaction.response_id = message.id
            interaction.response_was_deferred = kind == DEFER
        elif kind == UPDATE:
            message = self._world.messages.edit(self._pressed(interaction), draft)
            interaction.response_id = interaction.message_id
        elif kind == DEFER_UPDATE:
            interaction.response_id = interaction.message_id
        elif kind == CHOICES:
            interaction.choices = draft.body["choices"]
        else:
            interaction.modal = {**draft.body, "components": tree.numbered(draft.body["components"])}
        states = {REPLY: "answered", DEFER: "deferred", UPDATE: "updated", DEFER_UPDATE: "updated"}
        interaction.state = states.get(kind, "choices" if kind == CHOICES else "modal")
        return message

    def _pressed(self, interaction: Interaction) -> Message:
        """The message whose component was used. Raises Refusal when it is gone."""
        message = self._world.messages.by_id.get(interaction.message_id or "")
        if message is None:
            raise refusal("unknown_message")
        return message

    def _respond(self, interaction: Interaction, draft: Draft, *, loading: bool = False) -> Message:
        world = self._world
        cause = self.cause(interaction)
        if interaction.response_id is not None:
            cause["original_response_message_id"] = interaction.response_id
        first = interaction.response_id is None and interaction.kind == COMMAND
        origin = Origin(
            interaction_id=interaction.id,
            cause=cause,
            kind=20 if first else (0 if interaction.message_id is None else 19),
            viewer_id=interaction.user_id if self._is_private(interaction, draft) else None,
            loading=loading,
        )
        if origin.kind == 19 and interaction.message_id is not None and not origin.viewer_id:
            reference = {"message_id": interaction.message_id, "channel_id": interaction.channel_id}
            draft = Draft({**draft.body, "message_reference": reference}, draft.uploads)
        return world.messages.post(interaction.channel_id, world.bot_id, draft, origin=origin)

    def _is_private(self, interaction: Interaction, draft: Draft) -> bool:
        """Whether only the one who asked will see it; the first answer's choice was noted before."""
        if interaction.response_id is None and interaction.state == "sent":
            return interaction.ephemeral
        return bool((draft.body.get("flags") or 0) & EPHEMERAL)

    def _callback_payload(self, interaction: Interaction, kind: int, message: Message | None) -> Json:
        about: Json = {"id": interaction.id, "type": interaction.kind}
        if interaction.response_id is not None:
            about |= {
                "response_message_id": interaction.response_id,
                "response_message_loading": kind == DEFER,
                "response_message_ephemeral": interaction.ephemeral,
                "channel_id": interaction.channel_id,
            }
            if guild_id := self._world.channel(interaction.channel_id).guild_id:
                about["guild_id"] = guild_id
        answer: Json = {"interaction": about}
        if message is not None:
            seen = payloads.message_payload(self._world, message, self._world.bot_id)
            answer["resource"] = {"type": UPDATE if kind == UPDATE else REPLY, "message": seen}
        return answer

    # -- the bot goes on ----------------------------------------------------------------------------------------------

    def by_webhook(self, token: str) -> Interaction:
        """The interaction of a webhook token. Raises Refusal: 50027 after fifteen minutes, 10015 unknown or unanswered."""
        interaction = self._by_token.get(token)
        if interaction is not None and self._expired(interaction):
            raise refusal("invalid_webhook_token")
        if interaction is None or interaction.state in {"sent", "failed", "choices"}:
            raise refusal("unknown_webhook" if interaction else "invalid_webhook_token")
        return interaction

    def follow_up(self, token: str, draft: Draft) -> Message:
        """One more message. The first after a defer fills the "thinking…" message and stays as private as that was."""
        interaction = self.by_webhook(token)
        waiting = self._world.messages.by_id.get(interaction.response_id or "")
        if waiting is not None and waiting.flags & LOADING:
            body = {key: value for key, value in draft.body.items() if key != "nonce"}
            message = self._world.messages.edit(waiting, Draft(body, draft.uploads))
            self._answered(interaction)
            return message
        return self._respond(interaction, draft)

    def response(self, token: str, message_id: str) -> Message:
        """The original response, or a follow-up by its id. Raises Refusal when it is gone or not this interaction's."""
        interaction = self.by_webhook(token)
        wanted = interaction.response_id if message_id == "@original" else message_id
        message = self._world.messages.by_id.get(wanted or "")
        ours = message is not None and interaction.id == message.interaction_id
        if message is None or not (ours or message.id == interaction.response_id):
            raise refusal("unknown_message")
        return message

    def edit_response(self, token: str, message_id: str, draft: Draft) -> Message:
        """Edit a response; editing the "thinking…" message answers it."""
        message = self.response(token, message_id)
        edited = self._world.messages.edit(message, draft)
        interaction = self.by_webhook(token)
        if message.id == interaction.response_id:
            self._answered(interaction)
        return edited

    def _answered(self, interaction: Interaction) -> None:
        """A deferred interaction has its answer."""
        if interaction.state == "deferred":
            interaction.state = "answered"
            self._settle(interaction)

    def _settle(self, interaction: Interaction) -> None:
        """Save how an interaction stands and show it to the one who began it."""
        self._world.save(interaction)
        self._show(interaction)
        self._world.desk.changed()

    def _show(self, interaction: Interaction) -> None:
        self._world.desk.show(interaction.user_id, payloads.interaction_screen(interaction))
