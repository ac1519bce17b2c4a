"""`/model`: browse the checkpoints that are here, look at one, and choose one's own.

Owns the command and its options. The cards are `bot.discord_ui.pickers`'.
"""

from typing import Any

import msgspec
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.pickers import cards
from bot.discord_ui.pickers.forms import WORDS_LIMIT
from bot.discord_ui.pickers.presses import in_time
from bot.discord_ui.pickers.shelves import opened_of, page_of
from bot.discord_ui.pickers.spots import Shelf, key_of
from bot.discord_ui.styles.keeping import with_shelf
from bot.requests.naming import checkpoint_named


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/model browse` and `info` to `tree`."""
    group = app_commands.Group(name="model", description="What paints: checkpoints, with samples")

    @group.command(description="Page through models, and choose the one that paints for you")
    @app_commands.describe(search="Words in names or notes; a blank shows all")
    async def browse(interaction: Asked, search: str | None = None) -> None:
        desk.look()  # a file that is new is there a moment later, or at the press of 🔄
        if search is not None:
            words = " ".join(search.split())[:WORDS_LIMIT]
            await desk.db.palettes.change(
                interaction.user.id,
                lambda old: msgspec.structs.replace(old, models=msgspec.structs.replace(old.models, words=words)),
            )
        making = page_of(desk, interaction.user.id, Shelf.MODELS, 1)
        await answer(interaction, cards.page_card(await in_time(interaction, making, thinking=True)))

    @group.command(description="Show everything about a model")
    @app_commands.describe(name="Which one")
    async def info(interaction: Asked, name: str) -> None:
        found = await with_shelf(desk, lambda shelf: checkpoint_named(name.strip() or " ", shelf))
        making = opened_of(desk, interaction.user.id, Shelf.MODELS, page=1, key=key_of(found))
        await answer(interaction, cards.opened_card(await in_time(interaction, making, thinking=True)))

    @info.autocomplete("name")
    async def names(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        desk.look()
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.models(desk.shelf(), typed)]

    tree.add_command(group)
