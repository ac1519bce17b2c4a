"""The server that somebody finds who starts the sandbox for the first time."""

from bot.sandbox.places import add_role, give_role
from bot.sandbox.world import World

SERVER = "Easel Studio"
CHANNELS = (
    ("paint", "Ask Easel for pictures: type /imagine", False),
    ("gallery", "What came out well", False),
    ("off-topic", None, False),
    ("after-dark", "Age-restricted", True),
)
"""Name, topic, age-restricted."""
PEOPLE = ("Ada", "Ben", "Cleo")
"""The first owns the server, and may administer Easel there; the second has no rights of their own."""
ROLES = (("Artists", "Cleo"),)
"""A role and who has it."""


def furnish(world: World) -> None:
    """Put the server, its channels and its people into an empty world; leave one that has them as it is."""
    if world.guilds:
        return
    owner, *others = (world.add_user(name) for name in PEOPLE)
    guild = world.add_guild(SERVER, owner_id=owner.id, member_ids=[user.id for user in others])
    ids = {user.global_name: user.id for user in (owner, *others)}
    for name, holder in ROLES:
        give_role(world, guild.id, ids[holder], add_role(world, guild.id, name).id)
    for name, topic, restricted in CHANNELS:
        world.add_channel(guild.id, name, topic=topic, nsfw=restricted)
