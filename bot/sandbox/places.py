"""Roles and threads: what a server has besides its channels and members.

Owns their mutations, each of which changes the records, writes them and tells the bot. Source: Discord's documentation,
"Permissions" (a thread has its parent's), "Gateway Events" (a bot without the members intent hears nothing of others' roles).
"""

from typing import TYPE_CHECKING

from bot.sandbox import payloads
from bot.sandbox.events import Dispatch
from bot.sandbox.intents import GUILDS
from bot.sandbox.model import THREAD, Channel, Role

if TYPE_CHECKING:
    from bot.sandbox.world import World


def add_role(world: "World", guild_id: str, name: str, *, permissions: int = 0, color: int = 0) -> Role:
    """A new role above all others. Raises Refusal for a server that does not exist."""
    guild = world.guild(guild_id)
    role = Role(id=world.mint(), name=name, permissions=permissions, position=len(guild.roles), color=color)
    guild.roles[role.id] = role
    world.save(guild)
    data = {"guild_id": guild.id, "role": payloads.role_payload(role)}
    world.desk.dispatch(Dispatch("GUILD_ROLE_CREATE", data, GUILDS))
    return role


def give_role(world: "World", guild_id: str, user_id: str, role_id: str, *, taken: bool = False) -> None:
    """Give a member a role, or take it. Only the member's next interaction tells the bot."""
    guild = world.guild(guild_id)
    member = guild.members[user_id]
    kept = [each for each in member.role_ids if each != role_id]
    member.role_ids = kept if taken else [*kept, role_id]
    world.save(guild)


def add_thread(world: "World", parent_id: str, name: str, *, owner_id: str) -> Channel:
    """A new public thread in a text channel. Raises Refusal for a channel that does not exist."""
    parent = world.channel(parent_id)
    thread = Channel(
        id=world.mint(),
        kind=THREAD,
        name=name,
        guild_id=parent.guild_id,
        parent_id=parent.id,
        owner_id=owner_id,
        position=parent.position,
    )
    world.channels[thread.id] = thread
    world.save(thread)
    world.desk.dispatch(
        Dispatch("THREAD_CREATE", {**payloads.channel_payload(world, thread), "newly_created": True}, GUILDS)
    )
    for user_id in world.viewers(thread):
        seen = payloads.channel_payload(world, thread, reader_id=user_id)
        world.desk.show(user_id, {"type": "channel_create", "channel": seen})
    return thread
