"""`/wildcards`: the operator's files of words, and what is in one of them.

Owns the command and its words. What a prompt makes of them is `bot.requests.dynamic`'s to say.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import code, counted, plain, shorten
from bot.discord_ui.reply import Reply, Text
from bot.requests.drafts import shown
from bot.requests.naming import unknown

_ROOM: Final = 3_000
"""Characters of names or lines on a card; Discord takes 4,000 on one."""
EMPTY: Final = (
    "### Wildcards\nNone yet. The operator puts text files into `models/wildcards`, a value on each line; "
    "`__name__` in a prompt then becomes one of them. `{a|b}` needs no file."
)


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /wildcards."""

    @tree.command(name="wildcards", description="Lists of words for prompts: __animal__ becomes one of them")
    @app_commands.describe(name="Show what is in this one")
    async def wildcards(interaction: Asked, name: str | None = None) -> None:
        names = await asyncio.to_thread(desk.wildcards.look)
        if name is None:
            await answer(interaction, names_card(names))
            return
        wanted = name.strip().strip("_")
        values = await asyncio.to_thread(desk.wildcards.values, wanted)
        if not values:
            raise unknown("wildcard", wanted, names)
        await answer(interaction, values_card(wanted, values))

    @wildcards.autocomplete("name")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        found = options.names(desk.wildcards.names, typed.strip("_"))
        return [app_commands.Choice(name=each.name, value=each.value) for each in found]


def names_card(names: Sequence[str]) -> Reply:
    """All wildcards as they are written in a prompt."""
    if not names:
        return Reply(parts=(Text(EMPTY),), accent=ACCENT)
    lines = _fitting([code(f"__{name}__", limit=80) for name in names], between=" ")
    left = len(names) - len(lines)
    more = f"\n-# and {left:,} more: begin to type one as `name`" if left else ""
    words = f"### {counted(len(names), 'wildcard')}\n{' '.join(lines)}{more}"
    hint = "-# `/wildcards name:` shows one. `{2$$__easel/animal__}` takes two, `--all` behind the prompt every one."
    return Reply(parts=(Text(words), Text(hint)), accent=ACCENT)


def values_card(name: str, values: Sequence[str]) -> Reply:
    """What one wildcard may become."""
    lines = _fitting([plain(shorten(value, limit=200)) for value in values], between=" · ")
    left = len(values) - len(lines)
    more = f"\n-# and {left:,} more" if left else ""
    words = (
        f"### {plain(shown(f'__{name}__', limit=90))}\n-# {counted(len(values), 'value')}\n{' · '.join(lines)}{more}"
    )
    return Reply(parts=(Text(words),), accent=ACCENT)


def _fitting(lines: Sequence[str], *, between: str) -> list[str]:
    """As many of `lines` as there is room for."""
    room, fitting = _ROOM, list[str]()
    for line in lines:
        room -= len(line) + len(between)
        if room < 0:
            break
        fitting.append(line)
    return fitting
