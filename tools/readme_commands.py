"""The table of slash commands in README.md, made from the commands themselves. Run: python -m tools.readme_commands.

Owns the table's form. A test holds that the README has exactly what this writes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import discord
from discord import app_commands

from bot.discord_ui.commands.table import register_all
from bot.discord_ui.desk import Desk

PAGE: Final = Path(__file__).resolve().parent.parent / "README.md"
BEGIN: Final = "<!-- commands: python -m tools.readme_commands -->"
END: Final = "<!-- /commands -->"


def table() -> str:
    """The commands that Easel registers, as a markdown table between the README's marks."""
    tree = app_commands.CommandTree[Any](discord.Client(intents=discord.Intents.none()))
    register_all(tree, cast("Desk", None))  # a command looks at the desk when it is used, not when it is registered
    rows = [_row(command) for top in tree.get_commands() for command in _leaves(top)]
    return "\n".join([BEGIN, "| command | what it does | options |", "|---|---|---|", *rows, END])


def written(page: str) -> str:
    """`page` with its table as it should be. Raises ValueError where the marks are missing."""
    begin, end = page.index(BEGIN), page.index(END) + len(END)
    return page[:begin] + table() + page[end:]


def _leaves(top: Any) -> Iterator[app_commands.Command[Any, ..., Any]]:
    """A command, or those of a group."""
    if isinstance(top, app_commands.Group):
        for inner in top.commands:
            yield from _leaves(inner)
    elif isinstance(top, app_commands.Command):
        yield top


def _row(command: app_commands.Command[Any, ..., Any]) -> str:
    options = ", ".join(f"**{each.name}**" if each.required else each.name for each in command.parameters)
    what = command.description.replace("|", r"\|")
    return f"| `/{command.qualified_name}` | {what} | {options or '–'} |"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
