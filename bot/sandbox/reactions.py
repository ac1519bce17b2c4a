"""Reactions: emoji that people and the bot put under messages.

Owns their rows in a message and the events of each. Who may react is decided by the caller.
"""

from typing import TYPE_CHECKING, Any, Final

from bot.sandbox import intents, payloads
from bot.sandbox.events import Dispatch
from bot.sandbox.model import Message, Reaction
from bot.sandbox.refusals import refusal

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]

MOST_REACTIONS: Final = 20
PRESENTATION: Final = str.maketrans("", "", "\ufe0f")
"""Takes away the variation selector by which a sign asks to be drawn in colour."""


class Reactions:
    """The reactions of a world's messages."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def react(self, message: Message, user_id: str, emoji: str) -> None:
        """Put an emoji (a sign, or `name:id`) under a message. Raises Refusal for what is no emoji, or the 21st kind."""
        name, _, emoji_id = emoji.partition(":")
        if not emoji_id and (not name or name.isascii() or any(sign.isalpha() for sign in name)):
            raise refusal("unknown_emoji")
        reaction = self._reaction(message, emoji)
        if reaction is None:
            if len(message.reactions) >= MOST_REACTIONS:
                raise refusal("too_many_reactions")
            reaction = Reaction(name=name, emoji_id=emoji_id or None)
            message.reactions.append(reaction)
        if user_id not in reaction.user_ids:
            reaction.user_ids.append(user_id)
            self._announce_reaction(message, user_id, reaction, "ADD")

    def unreact(self, message: Message, user_id: str, emoji: str) -> None:
        """Take one's emoji away again; nothing happens when it is not there."""
        reaction = self._reaction(message, emoji)
        if reaction is not None and user_id in reaction.user_ids:
            reaction.user_ids.remove(user_id)
            message.reactions = [r for r in message.reactions if r.user_ids]
            self._announce_reaction(message, user_id, reaction, "REMOVE")

    def _reaction(self, message: Message, emoji: str) -> Reaction | None:
        """The row of that emoji; a sign with and without its variation selector is the same."""
        name, _, emoji_id = emoji.partition(":")
        wanted = (name.translate(PRESENTATION), emoji_id or None)
        return next((r for r in message.reactions if (r.name.translate(PRESENTATION), r.emoji_id) == wanted), None)

    def clear(self, message: Message, emoji: str | None = None) -> None:
        """Take away everybody's emoji of that kind, or of every kind."""
        for reaction in list(message.reactions):
            if emoji is None or reaction is self._reaction(message, emoji):
                sign = f"{reaction.name}:{reaction.emoji_id}" if reaction.emoji_id else reaction.name
                for user_id in list(reaction.user_ids):
                    self.unreact(message, user_id, sign)

    def by(self, message: Message, emoji: str) -> list[str]:
        """Ids of those who put that emoji there."""
        reaction = self._reaction(message, emoji)
        return list(reaction.user_ids) if reaction else []

    def _announce_reaction(self, message: Message, user_id: str, reaction: Reaction, what: str) -> None:
        world = self._world
        world.save(message)
        channel = world.channel(message.channel_id)
        data: Json = {
            "user_id": user_id,
            "channel_id": channel.id,
            "message_id": message.id,
            "emoji": {"id": reaction.emoji_id, "name": reaction.name},
            "burst": False,
            "type": 0,
        }
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
        if what == "ADD":
            data["message_author_id"] = message.author_id
            if channel.guild_id and (member := world.guilds[channel.guild_id].members.get(user_id)):
                data["member"] = payloads.member_payload(world, member)
        intent = intents.in_channel(channel, intents.GUILD_MESSAGE_REACTIONS)
        world.desk.dispatch(Dispatch(f"MESSAGE_REACTION_{what}", data, intent))
        for viewer in world.messages.audience(message):
            rows = [payloads.reaction_payload(row, viewer) for row in message.reactions]
            event = {"type": "reactions", "channel_id": channel.id, "message_id": message.id, "reactions": rows}
            world.desk.show(viewer, event)
