"""`/seed`: seeds kept under a name, for `/imagine seed:…`.

Owns the command, its checks and its words.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.commands.saved import check_room, list_card, read_name
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import code, plain
from bot.discord_ui.reply import Reply
from bot.errors import RequestRefused
from bot.requests.naming import unknown
from inference.api.request import SEED_LIMIT
from storage.values import SavedSeed

RESERVED: Final = frozenset({"random", "keep", "new", "variation"})
"""Words that mean something else where a seed is typed."""
_NUMBER: Final = re.compile(r"[+-]?\d[\d.,_ ]*")
"""What somebody reads as a number, however they group its digits."""
EMPTY: Final = "None yet. `/seed save name:lucky seed:1234` keeps one; every card says which seed it was painted with."


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/seed save`, `list` and `delete` to `tree`."""
    group = app_commands.Group(name="seed", description="Seeds, kept under a name")

    @group.command(description="Keep a seed under a name, or change one")
    @app_commands.describe(
        name="What to call it, up to 40 characters", seed=f"A whole number from 0 to {SEED_LIMIT - 1:,}"
    )
    async def save(interaction: Asked, name: str, seed: int) -> None:
        kept = read_seed_name(name)
        check_seed(seed)
        own = await desk.db.seeds.of(interaction.user.id)
        check_room([each.name for each in own], kept, noun="seed")
        await desk.db.seeds.save(interaction.user.id, kept, seed, desk.now())
        await answer(
            interaction, note_card(f"Kept **{plain(kept)}** = {code(str(seed))}. `/imagine seed:` takes the name.")
        )

    @group.command(name="list", description="Show the seeds that you keep")
    async def show(interaction: Asked) -> None:
        await answer(interaction, seeds_card(await desk.db.seeds.of(interaction.user.id)))

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


def read_seed_name(text: str) -> str:
    """A name that is not a seed itself. Raises RequestRefused."""
    name = read_name(text)
    if name.casefold() in RESERVED or _NUMBER.fullmatch(name):
        raise RequestRefused(
            f"“{name}” already means something where a seed is typed. Choose a name that is neither a number nor "
            f"one of {', '.join(sorted(RESERVED))}."
        )
    return name


def check_seed(seed: int) -> None:
    """Raise RequestRefused unless `seed` is in [0, SEED_LIMIT)."""
    if not 0 <= seed < SEED_LIMIT:
        raise RequestRefused(f"A seed is a whole number from 0 to {SEED_LIMIT - 1:,}, not {seed:,}.")


def seeds_card(seeds: Sequence[SavedSeed]) -> Reply:
    """The seeds that somebody keeps."""
    return list_card("Seeds", [f"- **{plain(each.name)}** {code(str(each.seed))}" for each in seeds], empty=EMPTY)
