"""The gallery's forms: what to find, and a name for a collection.

Owns the fields and their names. What was filled in is read by `bot.discord_ui.forms.read_form`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import discord

from bot.discord_ui.actions import Ticket
from bot.discord_ui.markup import shorten
from bot.discord_ui.validate import OPTION_TEXT, OPTIONS, check_form
from storage.gallery_values import LABELS, LabelKind, Query

WORDS, WHEN, NAME = "words", "when", "name"
ANY: Final = "any:"
"""Chosen where no model, LoRA or style is asked for; no name ends in a colon and nothing else."""
NOUNS: Final[Mapping[LabelKind, str]] = {"model": "Model", "lora": "LoRA", "style": "Style"}
TEXT: Final = 1000
"""Characters that a form asks for; a command may bring more, which then stay as they are."""
NAME_LENGTH: Final = 40


def find_form(ticket: Ticket, *, query: Query, when: str, names: Mapping[LabelKind, Sequence[str]]) -> discord.ui.Modal:
    """What to look for, filled in with what was looked for last. Kinds without any name are left out.

    Up to 24 names of a kind are a menu, more a line to write in.
    """
    fields = [
        _line(WORDS, "Words", query.words, "Words or beginnings of words; all of them must be there"),
        _line(WHEN, "When", when, "2026-11 · 2026-11-05..2026-11-10 · today · 7 days"),
    ]
    for kind in LABELS:
        known = [name for name in names.get(kind, ()) if 0 < len(name) <= OPTION_TEXT]
        chosen: str = getattr(query, kind)
        if 0 < len(known) < OPTIONS:
            fields.append(_menu(kind, known, chosen))
        elif names.get(kind):
            fields.append(_line(kind, NOUNS[kind], chosen, f"One of {len(names[kind])}; the beginning is enough"))
    return _form("Find pictures", ticket, fields)


def name_form(ticket: Ticket, *, title: str, name: str = "") -> discord.ui.Modal:
    """A name for a collection."""
    field = discord.ui.TextInput[Any](custom_id=NAME, default=name or None, min_length=1, max_length=NAME_LENGTH)
    return _form(title, ticket, (discord.ui.Label[Any](text="Name", component=field),))


def _line(name: str, label: str, value: str, hint: str) -> discord.ui.Label[Any]:
    field = discord.ui.TextInput[Any](
        custom_id=name,
        required=False,
        default=value if 0 < len(value) <= TEXT else None,
        placeholder=shorten(hint, limit=100),
        max_length=TEXT,
    )
    return discord.ui.Label(text=label, component=field)


def _menu(kind: LabelKind, names: Sequence[str], chosen: str) -> discord.ui.Label[Any]:
    folded = chosen.casefold()
    options = [discord.SelectOption(label="Any", value=ANY, default=not chosen)]
    options += [discord.SelectOption(label=name, value=name, default=name.casefold() == folded) for name in names]
    menu = discord.ui.Select[Any](custom_id=kind, options=options, required=False, min_values=0, max_values=1)
    return discord.ui.Label(text=NOUNS[kind], component=menu)


def _form(title: str, ticket: Ticket, fields: Iterable[discord.ui.Label[Any]]) -> discord.ui.Modal:
    form = discord.ui.Modal(title=title, custom_id=ticket.custom_id, timeout=None)
    for field in fields:
        form.add_item(field)
    check_form(form.to_dict())
    form.stop()  # not remembered by discord.py: the ticket is answered wherever it comes from
    return form
