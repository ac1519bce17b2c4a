"""The forms with numbers: limits of a server, and the stars that a picture needs. What is asked, and what came back.

Owns how a number is read; an empty field is the operator's own number. Raises RequestRefused with a sentence.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import discord
from msgspec.structs import replace as with_

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.desk import Asked
from bot.discord_ui.fields import form, line
from bot.discord_ui.forms import read_form
from bot.discord_ui.markup import counted
from bot.errors import RequestRefused
from bot.requests.drafts import shown
from bot.requests.policy import Policy
from bot.settings import LimitSettings
from storage.guild_settings import GuildLimits, GuildSettings

MOST_STARS: Final = 1000
Texts = Mapping[str, str]
Change = Callable[[GuildSettings], GuildSettings]


def filled(asked: Asked) -> Texts:
    """The texts of a submitted form."""
    data: Any = asked.data or {}
    return read_form(data).texts


def limits_form(policy: Policy) -> discord.ui.Modal:
    """The most that one request may ask for."""
    own, operator = policy.own.limits, policy.limits
    rows = (
        ("megapixels", "Megapixels of a picture", own.megapixels, f"{operator.max_megapixels:g}"),
        ("steps", "Steps", own.steps, f"{operator.max_steps}"),
        ("count", "Pictures at once", own.count, "4"),
        ("cells", "Pictures of a plot or series", own.cells, f"{operator.series_cells}"),
    )
    fields = [
        line(name, label, f"{value:g}" if value else "", hint=f"empty: the operator's {most}", longest=12)
        for name, label, value, most in rows
    ]
    return form("Limits of this server", Ticket(Action.ADMIN_FORM, 0, "limits"), fields)


def read_limits(texts: Texts, operator: LimitSettings) -> tuple[Change, str]:
    """The change that a form of limits means, and what to tell of it. Raises RequestRefused."""
    limits = GuildLimits(
        megapixels=_number(texts, "megapixels", least=0.01, most=operator.max_megapixels),
        steps=int(_number(texts, "steps", least=1, most=operator.max_steps, whole=True)),
        count=int(_number(texts, "count", least=1, most=4, whole=True)),
        cells=int(_number(texts, "cells", least=2, most=operator.series_cells, whole=True)),
    )
    said = (
        f"{limits.megapixels:g} megapixels" if limits.megapixels else "",
        counted(limits.steps, "step") if limits.steps else "",
        f"{counted(limits.count, 'picture')} at once" if limits.count else "",
        f"{counted(limits.cells, 'picture')} in a series" if limits.cells else "",
    )
    told = ", ".join(each for each in said if each) or "the operator's"
    return lambda own: with_(own, limits=limits), f"Limits of one request: {told}"


def stars_form(policy: Policy) -> discord.ui.Modal:
    """How many stars a picture needs to be shown."""
    field = line("stars", "Stars", str(policy.own.star_threshold), hint="1 and more", required=True, longest=6)
    return form("Stars for the showcase", Ticket(Action.ADMIN_FORM, 0, "stars"), [field])


def read_stars(texts: Texts, operator: LimitSettings) -> tuple[Change, str]:
    """The change that a form of stars means, and what to tell of it. Raises RequestRefused."""
    del operator
    stars = int(_number(texts, "stars", least=1, most=MOST_STARS, whole=True)) or 3
    return lambda own: with_(own, star_threshold=stars), f"The showcase takes pictures from {counted(stars, 'star')} on"


FORMS: Final[Mapping[str, Callable[[Policy], discord.ui.Modal]]] = {"limits": limits_form, "rooms.stars": stars_form}
"""What opens a form, by panel and control."""
READERS: Final[Mapping[str, Callable[[Texts, LimitSettings], tuple[Change, str]]]] = {
    "limits": read_limits,
    "stars": read_stars,
}
"""What a form means, by its ticket's word."""


def _number(texts: Texts, name: str, *, least: float, most: float, whole: bool = False) -> float:
    """The number in a field, 0 where it is empty. Raises RequestRefused."""
    text = texts.get(name, "").strip().replace(",", ".")
    if not text:
        return 0.0
    kind = "a whole number" if whole else "a number"
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most or (whole and value != int(value)):
        raise RequestRefused(
            f"“{shown(text, limit=20)}” cannot be taken for {name}: {kind} from {least:g} to {most:g}, or nothing."
        )
    return value
