"""A person at a Discord client: everything that a human can do, for tests and for the page.

Owns what the client does before anything reaches Discord (finding the command, filling in its options, checking a form) and
what it does not let people do. Nothing here polls: waiting is on the world's own changes.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot.sandbox import components as tree
from bot.sandbox import payloads
from bot.sandbox.commands import CHAT, MESSAGE_MENU, USER_MENU
from bot.sandbox.forms import Filler, Refused
from bot.sandbox.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Deed
from bot.sandbox.media import Upload
from bot.sandbox.messages import Draft
from bot.sandbox.model import DIRECT, EPHEMERAL, Channel, Interaction, Message
from bot.sandbox.permissions import ADD_REACTIONS, MANAGE_MESSAGES, SEND_MESSAGES, VIEW_CHANNEL

if TYPE_CHECKING:
    from bot.sandbox.events import Subscription
    from bot.sandbox.world import World

Json = dict[str, Any]
T = TypeVar("T")
MessageLike = str | Json
"""A message, by its id or as it was seen."""

LOG: Final = 5000
"""How many events a person remembers."""
CONTENT_LIMIT: Final = 2000


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a person did and what has come of it; reads the world as it is when asked."""

    person: "Person"
    interaction: Interaction

    @property
    def id(self) -> str:
        """The interaction's id."""
        return self.interaction.id

    @property
    def state(self) -> str:
        """sent, deferred, answered, updated, modal, choices or failed."""
        return self.interaction.state

    @property
    def error(self) -> str | None:
        """What Discord shows when the bot did not answer."""
        return self.interaction.error

    @property
    def modal(self) -> Json | None:
        """The form that the bot opened."""
        return self.interaction.modal

    @property
    def choices(self) -> list[Json]:
        """The suggestions that the bot made."""
        return self.interaction.choices or []

    @property
    def message(self) -> Json | None:
        """The message that answers, as the person sees it now; None where there is none (any more)."""
        return self.person.message(self.interaction.response_id) if self.interaction.response_id else None

    async def answered(self, *, timeout: float = 10.0) -> Json:  # noqa: ASYNC109
        """Wait until the answer is more than "thinking…" and return the message.

        Raises Refused with Discord's words when the bot failed to acknowledge, TimeoutError when no answer comes.
        """
        return await self.person.until(self._whole, timeout=timeout)

    def _whole(self) -> Json | None:
        if self.state == "failed":
            raise Refused(self.error or "")
        return self.message if self.state in {"answered", "updated"} else None


class Person:
    """One human. Channels are named by id, `#name` or name; messages by id or as they were seen.

    Methods raise `Refused` with a sentence where Discord's client would not let a person do that.
    """

    def __init__(self, world: "World", user_id: str) -> None:
        self.world = world
        self.id = user_id
        self.log: deque[Json] = deque(maxlen=LOG)
        self._stop = world.desk.watch(user_id, self.log.append)

    def leave(self) -> None:
        """Stop remembering what happens."""
        self._stop()

    # -- looking ------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name that others see."""
        return self.world.users[self.id].global_name

    def view(self) -> Json:
        """All that this person sees; its form is in the package's docstring."""
        return self.world.view(self.id)

    def subscribe(self) -> "Subscription":
        """This person's screen from now on."""
        return self.world.subscribe(self.id)

    def channel(self, name: str) -> str:
        """The id of a channel that this person can see, by id, `#name` or name. Raises Refused."""
        return self._channel(name).id

    def _channel(self, name: str) -> Channel:
        bare = name.removeprefix("#")
        for channel in self.world.channels.values():
            named = name == channel.id or (channel.name == bare and channel.kind != DIRECT)
            if named and self.world.permissions(self.id, channel) & VIEW_CHANNEL:
                return channel
        raise Refused(f"{self.name} sees no channel {name}.")

    def messages(self, channel: str) -> list[Json]:
        """What this person sees in a channel, oldest first."""
        seen = self.world.messages.visible(self.id, self._channel(channel).id)
        return [payloads.message_payload(self.world, message, self.id) for message in seen]

    def last(self, channel: str) -> Json:
        """The newest message there. Raises Refused when there is none."""
        seen = self.world.messages.visible(self.id, self._channel(channel).id, newest=1)
        if not seen:
            raise Refused(f"There is no message in {channel}.")
        return payloads.message_payload(self.world, seen[0], self.id)

    def history(self, channel: str, *, before: str, limit: int = 50) -> list[Json]:
        """Older messages, oldest first, for scrolling back."""
        seen = self.world.messages.visible(self.id, self._channel(channel).id)
        older = [message for message in seen if int(message.id) < int(before)]
        return [payloads.message_payload(self.world, message, self.id) for message in older[-limit:]]

    def message(self, message: MessageLike) -> Json | None:
        """A message as it is now, or None when this person does not see it (any more)."""
        found = self.world.messages.by_id.get(message if isinstance(message, str) else message["id"])
        if found is None or self.id not in self.world.messages.audience(found):
            return None
        return payloads.message_payload(self.world, found, self.id)

    def commands(self, channel: str) -> list[Json]:
        """What is offered under `/` and in menus in that channel."""
        return self.world.commands.usable(self.id, self._channel(channel))

    def _message(self, message: MessageLike) -> Message:
        found = self.world.messages.by_id.get(message if isinstance(message, str) else message["id"])
        if found is None or self.id not in self.world.messages.audience(found):
            raise Refused("That message is gone.")
        return found

    # -- waiting ------------------------------------------------------------------------------------------------------

    async def until(self, check: Callable[[], T | None], *, timeout: float = 10.0) -> T:  # noqa: ASYNC109
        """The first truthy answer of `check`, asked now and after every change of the world. Raises TimeoutError."""
        return await self.world.until(check, timeout=timeout)

    async def wait_for(self, predicate: Callable[[Json], object], *, timeout: float = 10.0, after: int = 0) -> Json:  # noqa: ASYNC109
        """The first event of `log` (from index `after` on) for which `predicate` holds. Raises TimeoutError."""

        def found() -> Json | None:
            return next((event for event in list(self.log)[after:] if predicate(event)), None)

        return await self.world.until(found, timeout=timeout)

    async def wait_for_message(
        self,
        channel: str,
        predicate: Callable[[Json], object] = lambda message: not message["flags"] & 128,
        *,
        after: str = "0",
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> Json:
        """The oldest message there, newer than the id `after`, for which `predicate` holds; by default any whole one."""

        def found() -> Json | None:
            return next((m for m in self.messages(channel) if int(m["id"]) > int(after) and predicate(m)), None)

        return await self.world.until(found, timeout=timeout)

    # -- interactions -------------------------------------------------------------------------------------------------

    async def slash(self, command: str, channel: str, /, **options: object) -> Exchange:
        """Use a command: `slash("imagine", "#paint", prompt="a cat")`; subcommands are words: `"style save"`.

        A file option takes what `upload` returned, or `(name, bytes)`. Returns when the bot has acknowledged, or failed to.
        """
        place = self._channel(channel)
        wanted, path = self._command(command, place)
        data = Filler(self.world, place).command(wanted, path, options)
        return await self._do(Deed(COMMAND, self.id, place.id, data))

    async def autocomplete(
        self, command: str, channel: str, option: str, text: str, /, **options: object
    ) -> list[Json]:
        """What the bot suggests for `text` in an option, others being filled in so far. Empty when it did not answer."""
        place = self._channel(channel)
        wanted, path = self._command(command, place)
        data = Filler(self.world, place).command(wanted, path, {**options, option: text}, focused=option)
        return (await self._do(Deed(AUTOCOMPLETE, self.id, place.id, data))).choices

    async def message_menu(self, message: MessageLike, command: str) -> Exchange:
        """Use a message command (Apps, in a message's menu)."""
        target = self._message(message)
        place = self.world.channel(target.channel_id)
        wanted, _ = self._command(command, place, kind=MESSAGE_MENU)
        seen = payloads.message_payload(self.world, target, self.world.bot_id)
        return await self._menu(wanted, place, target.id, {"messages": {target.id: seen}})

    async def user_menu(self, user_id: str, command: str, channel: str) -> Exchange:
        """Use a user command (Apps, in a person's menu)."""
        place = self._channel(channel)
        wanted, _ = self._command(command, place, kind=USER_MENU)
        return await self._menu(wanted, place, user_id, Filler(self.world, place).resolved_users([user_id]))

    async def _menu(self, wanted: Json, place: Channel, target_id: str, resolved: Json) -> Exchange:
        data = {
            "id": wanted["id"],
            "name": wanted["name"],
            "type": wanted["type"],
            "target_id": target_id,
            "resolved": resolved,
        }
        return await self._do(Deed(COMMAND, self.id, place.id, data))

    async def click(self, message: MessageLike, button: str) -> Exchange:
        """Press a button, named by its custom_id, its label or its emoji."""
        target = self._message(message)
        component = self._button(target, button)
        data = {"custom_id": component["custom_id"], "component_type": tree.BUTTON, "id": component["id"]}
        return await self._use(target, component, data)

    async def select(self, message: MessageLike, custom_id: str, values: Sequence[str]) -> Exchange:
        """Choose in a select menu of a message."""
        target = self._message(message)
        component = tree.find_custom(target.components, custom_id)
        if component is None or component["type"] not in tree.SELECTS:
            raise Refused(f"The message has no menu {custom_id}.")
        data = Filler(self.world, self.world.channel(target.channel_id)).selection(component, values)
        return await self._use(target, component, data)

    async def submit(self, modal: "Exchange | str", values: Mapping[str, object] | None = None) -> Exchange:
        """Fill in an open form, fields by custom_id, and send it: text, lists of values, or files. What is not named keeps
        what the form began with."""
        interaction = modal.interaction if isinstance(modal, Exchange) else self.world.interactions.by_id.get(modal)
        if interaction is None or interaction.modal is None or interaction.user_id != self.id:
            raise Refused("There is no such form open.")
        place = self.world.channel(interaction.channel_id)
        data = Filler(self.world, place).modal(interaction.modal, values or {})
        message_id = interaction.message_id if interaction.message_id in self.world.messages.by_id else None
        deed = Deed(
            MODAL_SUBMIT,
            self.id,
            place.id,
            data,
            message_id=message_id,
            custom_id=interaction.modal["custom_id"],
            root=self.world.interactions.cause(interaction),
        )
        return await self._do(deed)

    def _command(self, name: str, channel: Channel, *, kind: int = CHAT) -> tuple[Json, list[str]]:
        """The command that is meant and the subcommands under it. Raises Refused."""
        first, *path = name.split() if kind == CHAT else [name]
        for command in reversed(self.world.commands.usable(self.id, channel, name=first)):
            if command["type"] == kind:
                return command, path
        raise Refused(f"There is no command {name} in this place.")

    def _button(self, message: Message, button: str) -> Json:
        """The button that is meant; custom_ids come before labels. Raises Refused."""
        buttons = [c for _, c in tree.walk(message.components) if c["type"] == tree.BUTTON]
        names: list[tuple[str | None, ...]] = []
        for component in buttons:
            component_emoji: Json = component.get("emoji") or {}
            names.append((component.get("custom_id"), component.get("label"), component_emoji.get("name")))
        for column in range(3):
            for component, name in zip(buttons, names, strict=True):
                if name[column] == button:
                    if component.get("style") == tree.LINK_STYLE:
                        raise Refused(f"{button} is a link.")
                    return component
        raise Refused(f"The message has no button {button}.")

    async def _use(self, message: Message, component: Json, data: Json) -> Exchange:
        if component.get("disabled"):
            raise Refused("That is switched off.")
        deed = Deed(
            COMPONENT, self.id, message.channel_id, data, message_id=message.id, custom_id=component["custom_id"]
        )
        return await self._do(deed)

    async def _do(self, deed: Deed) -> Exchange:
        """Send an interaction and wait for the bot's first answer, or for the three seconds to be over."""
        interaction = self.world.interactions.begin(deed)
        await self.world.until(lambda: interaction.state != "sent", timeout=timedelta(minutes=1).total_seconds())
        return Exchange(self, interaction)

    # -- messages -----------------------------------------------------------------------------------------------------

    def upload(self, data: bytes, name: str, *, channel: str | None = None, description: str | None = None) -> str:
        """Hand in a file; its id stands for it in options, forms and messages."""
        place = self._channel(channel).id if channel else next(iter(self.world.channels))
        return self.world.messages.keep_file(place, Upload(name, data, description), ephemeral=True).id

    def say(self, channel: str, text: str = "", *, files: Sequence[str] = (), reply_to: str | None = None) -> Json:
        """Write a message. Raises Refused when it is empty, too long, or writing is not allowed there."""
        place = self._channel(channel)
        if not self.world.permissions(self.id, place) & SEND_MESSAGES:
            raise Refused(f"{self.name} may not write in #{place.name}.")
        if len(text) > CONTENT_LIMIT:
            raise Refused(f"A message has at most {CONTENT_LIMIT} characters; this one has {len(text)}.")
        if not text.strip() and not files:
            raise Refused("Write something, or attach a file.")
        body: Json = {"content": text}
        if reply_to:
            body["message_reference"] = {"message_id": reply_to}
        message = self.world.messages.post(place.id, self.id, Draft(body, attached=tuple(files)))
        self.read(place.id)
        return payloads.message_payload(self.world, message, self.id)

    def edit(self, message: MessageLike, text: str) -> Json:
        """Change the text of one's own message."""
        mine = self._message(message)
        if mine.author_id != self.id:
            raise Refused("Only the one who wrote a message can change it.")
        changed = self.world.messages.edit(mine, Draft({"content": text}))
        return payloads.message_payload(self.world, changed, self.id)

    def delete(self, message: MessageLike) -> None:
        """Delete one's own message, or another's where one may manage messages."""
        target = self._message(message)
        may = self.world.permissions(self.id, self.world.channel(target.channel_id)) & MANAGE_MESSAGES
        in_server = self.world.channel(target.channel_id).guild_id
        if target.author_id != self.id and not (may and in_server):
            raise Refused("That message is somebody else's.")
        self.world.messages.delete(target)

    def dismiss(self, message: MessageLike) -> None:
        """Put away a message that only this person sees."""
        target = self._message(message)
        if not target.flags & EPHEMERAL:
            raise Refused("Everybody sees that message; it cannot be put away.")
        self.world.messages.delete(target)

    def react(self, message: MessageLike, emoji: str) -> None:
        """Put an emoji under a message."""
        target = self._message(message)
        place = self.world.channel(target.channel_id)
        if target.flags & EPHEMERAL:
            raise Refused("Nobody can react to a message that only one person sees.")
        if not self.world.permissions(self.id, place) & ADD_REACTIONS:
            raise Refused(f"{self.name} may not react in #{place.name}.")
        self.world.reactions.react(target, self.id, emoji)

    def unreact(self, message: MessageLike, emoji: str) -> None:
        """Take one's emoji away again."""
        self.world.reactions.unreact(self._message(message), self.id, emoji)

    def type_in(self, channel: str) -> None:
        """Begin to write."""
        self.world.messages.type_in(self._channel(channel).id, self.id)

    def read(self, channel: str) -> None:
        """Have seen everything in a channel up to now."""
        self.world.mark_read(self.id, self._channel(channel).id)

    def open_dm(self) -> str:
        """The channel of the conversation with the bot, begun if there is none."""
        return self.world.open_direct(self.id).id

    def accept_direct_messages(self, *, accepted: bool) -> None:
        """Privacy setting: whether the bot may write to this person."""
        self.world.set_direct_messages(self.id, accepted=accepted)
