"""Rules of application commands.

Source: Discord's documentation, "Application Commands": naming, limits, options.
"""

import re
from collections import Counter
from typing import Any, Final

from bot.sandbox import components as tree
from bot.sandbox.refusals import Faults, Place

Json = dict[str, Any]

NAME: Final = re.compile(r"[-_'\w]{1,32}")
MOST: Final = {1: 100, 2: 15, 3: 15}
OPTIONS: Final = 25
CHOICES: Final = 25
CHARACTERS: Final = 8000
NESTING: Final = {1, 2}


def check_commands(bodies: list[Json]) -> None:
    """Refuse a list of commands for one place. Raises InvalidForm with all that is wrong."""
    faults = Faults()
    for index, body in enumerate(bodies):
        _check_command(faults, (index,), body)
    for kind, most in MOST.items():
        number = sum((body.get("type") or 1) == kind for body in bodies)
        if number > most:
            words = f"There are at most {most} commands of type {kind}; these are {number}."
            faults.add((), "APPLICATION_COMMAND_TOO_MANY", words)
    keys = Counter((body.get("type") or 1, body.get("name")) for body in bodies)
    for index, body in enumerate(bodies):
        if keys[body.get("type") or 1, body.get("name")] > 1:
            words = "Application command names must be unique"
            faults.add((index, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", words)
    faults.raise_if_any()


def check_command(body: Json) -> None:
    """Refuse one command. Raises InvalidForm."""
    faults = Faults()
    _check_command(faults, (), body)
    faults.raise_if_any()


def _check_command(faults: Faults, place: Place, body: Json) -> None:
    kind = body.get("type") or 1
    if kind == 1:
        _check_name(faults, place, body)
        faults.length((*place, "description"), body.get("description"), (1, 100))
        _check_options(faults, place, tree.rows(body, "options"), depth=0)
        if (size := _characters(body)) > CHARACTERS:
            words = f"Names, descriptions and choices together have at most {CHARACTERS} characters; these are {size}."
            faults.add(place, "APPLICATION_COMMAND_TOO_LARGE", words)
        return
    faults.length((*place, "name"), body.get("name"), (1, 32))
    if body.get("description"):
        faults.add((*place, "description"), "BASE_TYPE_BAD_VALUE", "Context menu commands cannot have description")
    if body.get("options"):
        faults.add((*place, "options"), "BASE_TYPE_BAD_VALUE", "Context menu commands cannot have options")


def _check_name(faults: Faults, place: Place, body: Json) -> None:
    name = body.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name) or name != name.lower():
        words = "Command name is invalid: lower-case letters, digits, - and _, 1 to 32 of them"
        faults.add((*place, "name"), "APPLICATION_COMMAND_INVALID_NAME", words)


def _check_options(faults: Faults, place: Place, options: list[Json], *, depth: int) -> None:
    faults.count((*place, "options"), options, (0, OPTIONS))
    names: set[object] = set()
    optional_before = False
    for index, option in enumerate(options):
        here = (*place, "options", index)
        _check_name(faults, here, option)
        faults.length((*here, "description"), option.get("description"), (1, 100))
        if option.get("name") in names:
            words = "Option names must be unique"
            faults.add((*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", words)
        names.add(option.get("name"))
        if option.get("type") in NESTING:
            if depth >= 2:
                faults.add((*here, "type"), "BASE_TYPE_BAD_VALUE", "Subcommands go two levels deep.")
            else:
                _check_options(faults, here, tree.rows(option, "options"), depth=depth + 1)
            continue
        if option.get("required") and optional_before:
            words = "Required options must be placed before non-required options"
            faults.add((*here, "required"), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words)
        optional_before = optional_before or not option.get("required")
        _check_value_rules(faults, here, option)


def _check_value_rules(faults: Faults, place: Place, option: Json) -> None:
    choices = tree.rows(option, "choices")
    faults.count((*place, "choices"), choices, (0, CHOICES))
    if choices and option.get("autocomplete"):
        words = "Choices and autocomplete exclude each other"
        faults.add((*place, "autocomplete"), "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES_EXCLUSIVE", words)
    if option.get("autocomplete") and option.get("type") not in {3, 4, 10}:
        faults.add((*place, "autocomplete"), "BASE_TYPE_BAD_VALUE", "Only text and numbers can be completed.")
    for index, choice in enumerate(choices):
        faults.length((*place, "choices", index, "name"), choice.get("name"), (1, 100))
        if isinstance(choice.get("value"), str):
            faults.length((*place, "choices", index, "value"), choice["value"], (1, 100))
    bounds = (("min_length", "max_length"), ("min_value", "max_value"))
    for low, high in bounds:
        least, most = option.get(low), option.get(high)
        if least is not None and most is not None and least > most:
            faults.add((*place, low), "BASE_TYPE_BAD_VALUE", f"{low} is above {high}")


def _characters(body: Json) -> int:
    """What counts towards the limit of a command: names, descriptions and choice values, all the way down."""
    size = len(str(body.get("name", ""))) + len(str(body.get("description", "")))
    size += sum(len(str(c.get("name", ""))) + len(str(c.get("value", ""))) for c in tree.rows(body, "choices"))
    return size + sum(_characters(option) for option in tree.rows(body, "options"))
