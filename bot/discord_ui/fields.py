"""The fields of forms (modals), each with Discord's limits kept: a line, a text, boxes to tick, and the form around them.

Owns the limits of what a field may begin with. What comes back is read by `bot.discord_ui.forms.read_form`.
"""

from collections.abc import Iterable
from typing import Any, Final

import discord

from bot.discord_ui.actions import Ticket
from bot.discord_ui.markup import shorten
from bot.discord_ui.validate import FORM_TITLE, OPTION_TEXT, check_form

TEXT_LIMIT: Final = 4000
"""Characters that a form's text takes."""
Field = discord.ui.Label[Any]


def line(
    name: str, label: str, value: str = "", *, hint: str = "", required: bool = False, longest: int = TEXT_LIMIT
) -> Field:
    """One line. `value` stands in it at first, unless it is longer than the field takes."""
    return _input(name, label, value, hint=hint, required=required, longest=longest, style=discord.TextStyle.short)


def text(
    name: str, label: str, value: str = "", *, hint: str = "", required: bool = False, longest: int = TEXT_LIMIT
) -> Field:
    """Several lines, as `line`."""
    return _input(name, label, value, hint=hint, required=required, longest=longest, style=discord.TextStyle.paragraph)


def boxes(name: str, label: str, options: Iterable[tuple[str, str, str]]) -> Field:
    """Boxes to tick, all ticked at first; each option is its value, its label and a few words about it. At most ten."""
    rows = [
        discord.CheckboxGroupOption(
            value=value, label=shorten(words, limit=OPTION_TEXT), description=about or None, default=True
        )
        for value, words, about in options
    ]
    group = discord.ui.CheckboxGroup[Any](
        custom_id=name, options=rows, required=False, min_values=0, max_values=len(rows)
    )
    return Field(text=label, component=group)


def form(title: str, ticket: Ticket, fields: Iterable[Field]) -> discord.ui.Modal:
    """The form, answered by `ticket` whenever it is sent, also after a restart. At most five fields."""
    whole = discord.ui.Modal(title=shorten(title, limit=FORM_TITLE), custom_id=ticket.custom_id, timeout=None)
    for field in fields:
        whole.add_item(field)
    check_form(whole.to_dict())
    whole.stop()  # not remembered by discord.py: the ticket is answered wherever it comes from
    return whole


def _input(
    name: str, label: str, value: str, *, hint: str, required: bool, longest: int, style: discord.TextStyle
) -> Field:
    component = discord.ui.TextInput[Any](
        custom_id=name,
        style=style,
        required=required,
        default=value if 0 < len(value) <= longest else None,
        placeholder=shorten(hint, limit=100) or None,
        max_length=longest,
    )
    return Field(text=label, component=component)
