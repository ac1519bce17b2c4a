"""`/lora`: browse the LoRAs that are here, and look at one.

Owns the command and its options. The cards are `bot.discord_ui.pickers`'.
"""

from typing import Any

from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.pickers import cards
from bot.discord_ui.pickers.forms import WORDS_LIMIT
from bot.discord_ui.pickers.presses import in_time, look_for
from bot.discord_ui.pickers.shelves import opened_of, page_of
from bot.discord_ui.pickers.spots import Shelf, key_of
from bot.discord_ui.styles.keeping import with_shelf
from bot.requests.naming import checkpoint_named, lora_named


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/lora browse` and `info` to `tree`."""
    group = app_commands.Group(name="lora", description="What can be worn: LoRAs, with samples and trigger words")

    @group.command(description="Page through LoRAs, take some, and paint with them")
    @app_commands.describe(
        model="Show what fits this checkpoint", search="Words in names, trigger words or notes; a blank shows all"
    )
    async def browse(interaction: Asked, model: str | None = None, search: str | None = None) -> None:
        desk.look()  # a file that is new is there a moment later, or at the press of 🔄
        fits = None
        if model is not None:
            fits = await with_shelf(desk, lambda shelf: checkpoint_named(model, shelf))
        words = None if search is None else " ".join(search.split())[:WORDS_LIMIT]
        if fits is not None or words is not None:
            await look_for(desk, interaction.user.id, fits=fits, words=words)
        making = page_of(desk, interaction.user.id, Shelf.LORAS, 1)
        await answer(interaction, cards.page_card(await in_time(interaction, making, thinking=True)))

    @group.command(description="Show everything about a LoRA")
    @app_commands.describe(name="Which one")
    async def info(interaction: Asked, name: str) -> None:
        found = await with_shelf(desk, lambda shelf: lora_named(name.strip(), shelf))
        making = opened_of(desk, interaction.user.id, Shelf.LORAS, page=1, key=key_of(found))
        await answer(interaction, cards.opened_card(await in_time(interaction, making, thinking=True)))

    @browse.autocomplete("model")
    async def models(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.models(desk.shelf(), typed)]

    @info.autocomplete("name")
    async def names(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        desk.look()
        known = options.names((each.name for each in desk.shelf().loras), typed)
        return [app_commands.Choice(name=each.name, value=each.value) for each in known]

    tree.add_command(group)
