"""Two Discords on which the same bot is played: our loopback over sockets, and simcord, written by others, inside the process.

A stage is what one person can do and see; what is seen is written down in words that both have in common (`transcript`):
text, pictures, buttons, menus and fields, and who may see it, without ids and times.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import discord
import simcord

from bot.sandbox.driver import Exchange, Person
from tests.e2e.easel import is_result, parts_of, result_in

Json = dict[str, Any]
_EPHEMERAL = 1 << 6
_NOISE = (
    (re.compile(r"<@!?\d+>"), "@person"),
    (re.compile(r"<t:\d+(:\w)?>"), "at some time"),
    (re.compile(r"https?://\S+?(?=[)\s]|$)"), "link"),
    (re.compile(r"\b\d+\.\d\s*s\b"), "some seconds"),
    (re.compile(r"`\d{6,}`"), "`some seed`"),
    (re.compile(r"(easel:\w+:)[0-9a-z]{10,}"), r"\1person"),
)


class Stage(Protocol):
    """What a person does; each deed gives the message or the form that answers it."""

    async def slash(self, command: str, **options: object) -> Json:
        """Use a command in #paint."""
        ...

    async def suggested(self, command: str, option: str, typed: str) -> list[str]:
        """What is suggested for an option."""
        ...

    async def click(self, message: Json, custom_id: str) -> Json:
        """Press a button."""
        ...

    async def select(self, message: Json, custom_id: str, values: Sequence[str]) -> Json:
        """Choose in a menu."""
        ...

    async def submit(self, values: Json) -> Json:
        """Fill in and send the form that was opened last."""
        ...

    async def apps(self, message: Json, command: str) -> Json:
        """Use a command of the Apps menu on a message."""
        ...

    async def result(self, after: Json | None = None) -> Json:
        """The finished pictures that come (after another message)."""
        ...

    async def gone(self, message: Json) -> bool:
        """Whether a message that is being removed is gone for the person."""
        ...

    def seen(self) -> int:
        """How many messages the person sees in #paint that are there for everybody."""
        ...


class LoopbackStage:
    """`person` in our loopback."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._last: Exchange | None = None

    async def slash(self, command: str, **options: object) -> Json:
        """Use a command."""
        return await self._answer(await self._person.slash(command, "#paint", **options))

    async def suggested(self, command: str, option: str, typed: str) -> list[str]:
        """Suggestions."""
        found = await self._person.autocomplete(command, "#paint", option, typed)
        return [f"{each['name']} = {each['value']}" for each in found]

    async def click(self, message: Json, custom_id: str) -> Json:
        """Press."""
        return await self._answer(await self._person.click(message, custom_id), message)

    async def select(self, message: Json, custom_id: str, values: Sequence[str]) -> Json:
        """Choose."""
        return await self._answer(await self._person.select(message, custom_id, values), message)

    async def submit(self, values: Json) -> Json:
        """Send."""
        assert self._last is not None
        return await self._answer(await self._person.submit(self._last, values))

    async def apps(self, message: Json, command: str) -> Json:
        """Use the Apps menu."""
        return await self._answer(await self._person.message_menu(message, command))

    async def result(self, after: Json | None = None) -> Json:
        """Wait for pictures, and until the queue card is gone, which is the last thing that the bot does for them."""
        found = await result_in(self._person, "#paint", after="0" if after is None else after["id"])
        assert self._last is not None
        asked = self._last.interaction.response_id
        await self._person.until(lambda: not asked or self._person.message(asked) is None)
        return found

    async def gone(self, message: Json) -> bool:
        """Wait for it."""
        return await self._person.until(lambda: self._person.message(message) is None)

    def seen(self) -> int:
        """Messages."""
        return len([each for each in self._person.messages("#paint") if not each["flags"] & _EPHEMERAL])

    async def _answer(self, exchange: Exchange, pressed: Json | None = None) -> Json:
        self._last = exchange
        if exchange.modal is not None:
            return exchange.modal
        if exchange.state in {"answered", "deferred", "updated"} and exchange.interaction.response_id:
            return await exchange.answered()
        return (self._person.message(pressed) if pressed is not None else None) or {}


class SimcordStage:
    """`actor` in simcord's `channel`."""

    def __init__(self, env: simcord.Env, actor: simcord.MemberActor, channel: simcord.ChannelHandle) -> None:
        self._env, self._actor, self._channel = env, actor, channel
        self._known: dict[str, discord.Message | simcord.ResponseMessage] = {}
        self._last: simcord.InteractionResult | None = None

    async def slash(self, command: str, **options: object) -> Json:
        """Use a command."""
        return self._answer(await self._actor.slash(self._channel, command, **options))

    async def suggested(self, command: str, option: str, typed: str) -> list[str]:
        """Suggestions."""
        found = await self._actor.autocomplete(self._channel, command, option, typed)
        return [f"{each['name']} = {each['value']}" for each in found]

    async def click(self, message: Json, custom_id: str) -> Json:
        """Press."""
        return self._answer(await self._actor.click(self._known[message["id"]], custom_id=custom_id), message)

    async def select(self, message: Json, custom_id: str, values: Sequence[str]) -> Json:
        """Choose."""
        known = self._known[message["id"]]
        return self._answer(await self._actor.select(known, values, custom_id=custom_id), message)

    async def submit(self, values: Json) -> Json:
        """Send."""
        assert self._last is not None
        begun = dict(
            _begun(self._last.modal or {})
        )  # a person's client sends what was there; simcord only what is given
        return self._answer(await self._actor.submit_modal(self._last, begun | values))

    async def apps(self, message: Json, command: str) -> Json:
        """Use the Apps menu."""
        known: Any = self._known[message["id"]]
        return self._answer(await self._actor.context_menu(self._channel, command, known))

    async def result(self, after: Json | None = None) -> Json:
        """The newest pictures; simcord has waited until the bot was done with what it was asked."""
        for _ in range(50):
            found = [self._kept(each) for each in self._channel.history(viewer=self._actor)]
            mine = [each for each in found if is_result(each)]
            new = [each for each in mine if after is None or int(each["id"]) > int(after["id"])]
            if new:
                return min(new, key=lambda each: int(each["id"]))
            await self._env.settle()
        raise AssertionError("no pictures came")

    async def gone(self, message: Json) -> bool:
        """Look."""
        await self._env.settle()
        return all(str(each.id) != message["id"] for each in self._channel.history(viewer=self._actor))

    def seen(self) -> int:
        """Messages."""
        return len([each for each in self._channel.history(viewer=self._actor) if not each.flags.ephemeral])

    def _answer(self, result: simcord.InteractionResult, pressed: Json | None = None) -> Json:
        self._last = result
        if result.modal is not None:
            return result.modal
        for answer in (*reversed(result.followups), result.response):
            if answer is not None:
                return self._kept(answer)
        known = None if pressed is None else self._known[pressed["id"]]
        newest = {str(each.id): each for each in self._channel.history(viewer=self._actor)}
        return self._kept(newest[str(known.id)]) if known is not None and str(known.id) in newest else {}

    def _kept(self, message: discord.Message | simcord.ResponseMessage) -> Json:
        """As the loopback would give it; the object is remembered for the next press."""
        self._known[str(message.id)] = message
        parts: list[Any] = [each if isinstance(each, dict) else each.to_dict() for each in message.components]
        return {
            "id": str(message.id),
            "content": message.content,
            "components": parts,
            "flags": message.flags.value,
        }


def _begun(form: Json) -> Iterator[tuple[str, Any]]:
    """What the fields of a form hold when it opens, by custom_id."""
    for part in form.get("components") or ():
        inner: Json = part.get("component") or {}
        chosen = [each["value"] for each in inner.get("options") or () if each.get("default")]
        if inner.get("value"):
            yield inner["custom_id"], inner["value"]
        elif chosen:
            yield inner["custom_id"], chosen if inner["type"] == 3 else chosen[0]


def transcript(seen: Json) -> list[str]:
    """What a message or a form shows, line by line."""
    if "title" in seen:
        return [
            f"form: {seen['title']}",
            *(_quiet(line) for part in seen["components"] for line in _field(part)),
        ]
    if not seen:
        return ["nothing"]
    who = "for them alone" if seen["flags"] & _EPHEMERAL else "for everybody"
    lines = [who, *([seen["content"]] if seen["content"] else [])]
    for part in parts_of(seen):
        match part["type"]:
            case 10:
                lines += part["content"].splitlines()
            case 12:
                lines += [f"picture: {item.get('description') or ''}" for item in part["items"]]
            case 2:
                lines.append(f"button: {_emoji(part)} {part.get('label') or ''} {_state(part)} {part['custom_id']}")
            case 3:
                lines.append(f"menu: {part.get('placeholder') or ''} {part['custom_id']}")
                lines += [f"  {each['label']} = {each['value']}{_chosen(each)}" for each in part["options"]]
            case _:
                pass
    return [_quiet(line) for line in lines]


def _field(part: Json) -> Iterator[str]:
    inner: Json = part.get("component") or {}
    yield f"field: {part.get('label') or ''} ({part.get('description') or ''}) {inner.get('custom_id')} {inner.get('type')}"
    if inner.get("value"):
        yield f"  filled in: {inner['value']}"
    for each in inner.get("options") or ():
        yield f"  {each['label']} = {each['value']}{_chosen(each)}"


def _emoji(part: Json) -> str:
    return (part.get("emoji") or {}).get("name") or ""


def _state(part: Json) -> str:
    return "off" if part.get("disabled") else f"style {part['style']}"


def _chosen(option: Json) -> str:
    return " (chosen)" if option.get("default") else ""


def _quiet(line: str) -> str:
    for pattern, words in _NOISE:
        line = pattern.sub(words, line)
    return line
