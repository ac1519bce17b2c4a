"""Write `docs/commands.md`, everything that can be asked of Easel in Discord. Run: python -m tools.commands_page.

Owns the page's form. What stands there is read from the commands as they are registered, from the topics of /help and from the
tables of the catalogue; a test holds that the page is what this writes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import discord
from discord import app_commands

from bot.discord_ui.commands.table import register_all
from bot.discord_ui.desk import Desk
from bot.discord_ui.help.reference import Entry, Option, entries
from bot.discord_ui.help.topics import belonging, says, worth_showing
from bot.requests.flags import FLAGS
from inference.api.catalog import ASPECTS, LATENT_UPSCALERS, SAMPLERS, SCHEDULES, UPSCALERS

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "commands.md"


def all_entries() -> tuple[Entry, ...]:
    """The commands that Easel registers."""
    tree = app_commands.CommandTree[Any](discord.Client(intents=discord.Intents.none()))
    register_all(tree, cast("Desk", None))  # a command looks at the desk when it is used, not when it is registered
    return entries(tree)


def page() -> str:
    """The whole page."""
    return "\n".join(_lines(all_entries())) + "\n"


def _lines(found: tuple[Entry, ...]) -> Iterator[str]:
    yield "# What can be asked of Easel in Discord"
    yield ""
    yield "Made by `python -m tools.commands_page` from the commands as they are registered; `/help` shows the same in Discord."
    for topic in worth_showing(found):
        yield from ("", f"## {topic.label}")
        for paragraph in topic.words if topic.id != "samplers" else topic.words[:1]:
            yield from ("", paragraph)
        if topic.id == "samplers":
            yield from _catalogue()
        if topic.id == "prompts":
            yield from _flags()
        for entry in belonging(topic, found):
            yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    yield from ("", f"### `{entry.written}`", "", f"{says(entry)}")
    if entry.rights:
        yield from ("", f"Shown to who may {' and '.join(entry.rights)}.")
    if entry.options:
        yield from ("", "| option | what it is | takes |", "|---|---|---|", *map(_option, entry.options))


def _option(option: Option) -> str:
    name = f"**{option.name}**" if option.required else option.name
    takes = [option.takes] if option.takes else []
    if option.choices:
        takes.append(" · ".join(option.choices))
    if option.suggested:
        takes.append("suggested while you type")
    return f"| {name} | {_cell(option.help)} | {_cell('; '.join(takes)) or 'words'} |"


def _flags() -> Iterator[str]:
    yield from ("", "| flag | example | what it says |", "|---|---|---|")
    for row in FLAGS:
        names = ", ".join(f"`--{name}`" for name in row.names)
        example = f"`--{row.names[0]} {row.example}`" if row.example else ""
        foreign = f"Left out: {row.help}." if row.kind == "foreign" else row.help
        yield f"| {names} | {example} | {_cell(foreign)} |"


def _catalogue() -> Iterator[str]:
    labels = {row.id: row.label for row in SCHEDULES}
    yield from ("", "| sampler | its own schedule | |", "|---|---|---|")
    for row in SAMPLERS:
        yield f"| {row.label} | {labels[row.schedule]} | {_cell(row.help)} |"
    for heading, rows in (("schedule", SCHEDULES), ("upscaler", (*UPSCALERS, *LATENT_UPSCALERS))):
        yield from ("", f"| {heading} | |", "|---|---|")
        for row in rows:
            yield f"| {row.label} | {_cell(row.help)} |"
    yield from ("", "Shapes: " + ", ".join(row.label for row in ASPECTS) + ".")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
