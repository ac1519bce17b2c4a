"""`/seed`: seeds kept under a name, for `/imagine seed:…`.

Owns the command and its options. What may be kept, and the cards, are `bot.discord_ui.seeds`'.
"""

from typing import Any

from discord import app_commands

from bot.discord_ui import options, seeds
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.commands.saved import NAME, read_name
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import plain
from bot.requests.naming import unknown
from inference.api.request import SEED_LIMIT


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/seed save`, `list` and `delete` to `tree`."""
    group = app_commands.Group(name="seed", description="Seeds, kept under a name")

    @group.command(description="Keep a seed under a name, or change one")
    @app_commands.describe(
        name=f"What to call it, up to {NAME} characters", seed=f"A whole number from 0 to {SEED_LIMIT - 1:,}"
    )
    async def save(interaction: Asked, name: str, seed: int) -> None:
        await answer(interaction, await seeds.keep(desk, interaction.user.id, name, seed))

    @group.command(name="list", description="Show the seeds that you keep")
    async def show(interaction: Asked) -> None:
        person = interaction.user.id
        await answer(interaction, seeds.seeds_card(await desk.db.seeds.of(person), person=person))

    @group.command(description="Remove one of your seeds")
    @app_commands.describe(name="Which one")
    async def delete(interaction: Asked, name: str) -> None:
        if not await desk.db.seeds.delete(interaction.user.id, read_name(name)):
            raise unknown("seed", name, [each.name for each in await desk.db.seeds.of(interaction.user.id)])
        await answer(interaction, note_card(f"The seed **{plain(name)}** is removed."))

    @delete.autocomplete("name")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        own = [each.name for each in await desk.db.seeds.of(interaction.user.id)]
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.names(own, typed)]

    tree.add_command(group)
