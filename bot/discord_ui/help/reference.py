"""The commands as values: what they are called, what they take, who may use them; read from the tree that Discord gets too.

Owns that reading. Cards (`help.pages`) and `docs/commands.md` (`tools.commands_page`) are written from it, so that neither
can say anything else than the commands do.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

import discord
import msgspec
from discord import app_commands

Kind = Literal["command", "menu"]
_TYPES: Final = {
    discord.AppCommandOptionType.integer: "a whole number",
    discord.AppCommandOptionType.number: "a number",
    discord.AppCommandOptionType.boolean: "yes or no",
    discord.AppCommandOptionType.attachment: "a file",
    discord.AppCommandOptionType.user: "a member",
    discord.AppCommandOptionType.channel: "a channel",
    discord.AppCommandOptionType.role: "a role",
    discord.AppCommandOptionType.mentionable: "a member or a role",
}
"""What is filled in; words where nothing is said."""


class Option(msgspec.Struct, frozen=True):
    """An option of a command. `takes` says what is filled in, empty for words; `suggested`: a list opens while it is typed."""

    name: str
    help: str
    required: bool = False
    takes: str = ""
    choices: tuple[str, ...] = ()
    suggested: bool = False


class Entry(msgspec.Struct, frozen=True):
    """A slash command ("style save"), or a command in the Apps menu of a message. `rights` are Discord's names of permissions."""

    name: str
    help: str
    kind: Kind = "command"
    options: tuple[Option, ...] = ()
    rights: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        """The first word: the command or group that it belongs to."""
        return self.name.split()[0] if self.kind == "command" else self.name

    @property
    def written(self) -> str:
        """As people see it."""
        return f"/{self.name}" if self.kind == "command" else f"Apps > {self.name}"


def entries(tree: app_commands.CommandTree[Any]) -> tuple[Entry, ...]:
    """Everything on `tree`: slash commands in the order in which they were added, then the Apps menu of messages."""
    commands = (_command(each) for top in tree.get_commands() for each in _leaves(top))
    menus = (Entry(menu.name, "", "menu") for menu in tree.get_commands(type=discord.AppCommandType.message))
    return (*commands, *menus)


def _leaves(top: Any) -> Iterator[app_commands.Command[Any, ..., Any]]:
    """A command, or those of a group."""
    if isinstance(top, app_commands.Group):
        for inner in top.commands:
            yield from _leaves(inner)
    elif isinstance(top, app_commands.Command):
        yield top


def _command(command: app_commands.Command[Any, ..., Any]) -> Entry:
    granted = (command.root_parent or command).default_permissions
    return Entry(
        name=command.qualified_name,
        help=command.description,
        options=tuple(map(_option, command.parameters)),
        rights=tuple(name.replace("_", " ") for name, wanted in granted or () if wanted),
    )


def _option(option: app_commands.Parameter) -> Option:
    takes = _TYPES.get(option.type, "")
    low, high = option.min_value, option.max_value
    if takes and low is not None and high is not None:
        takes = f"{takes} from {low:g} to {high:g}"
    return Option(
        name=option.display_name,
        help=str(option.description),
        required=option.required,
        takes=takes,
        choices=tuple(choice.name for choice in option.choices),
        suggested=bool(option.autocomplete),
    )
