"""Keeping a style: what was written, checked against what is here, and saved.

Owns how many styles one person may keep, who may share, and what somebody gets back whose style was refused: their words.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import discord

from bot.discord_ui.answers import answer
from bot.discord_ui.cards import FAILURE_ACCENT
from bot.discord_ui.commands.saved import check_room, read_name
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import plain, shorten
from bot.discord_ui.reply import Reply, Text
from bot.discord_ui.styles.cards import Rights
from bot.errors import EaselError, NotAllowed, NotFound, Unknown
from bot.requests.naming import unknown
from bot.requests.style_settings import check_style
from inference.api.result import Inventory
from storage.values import Style, StyleText

MOST: Final = 500
"""Styles that one person may keep."""
GONE: Final = "That style is gone: somebody deleted it. `/style list` shows what there is."
_MAY_NOT: Final = "Only who manages messages, expressions or the server may share styles here."
_NO_SERVER: Final = "A style is shared with a server; use this in the one that shall have it."
_GIVEN_BACK: Final = 1500
"""Characters of each text that are given back."""

T = TypeVar("T")


async def with_shelf(desk: Desk, make: Callable[[Inventory], T]) -> T:
    """What `make` makes of the models that are here; what it does not find may have come since the last look."""
    try:
        return make(await desk.inventory())
    except Unknown:
        if not await desk.found_more():
            raise
        return make(await desk.inventory())


async def keep(desk: Desk, person: int, text: StyleText) -> Style:
    """Save a style as the first or the next version. Raises RequestRefused and LimitReached."""
    checked = check_style(text)
    name = read_name(text.name)
    own = await desk.db.styles.of(person, None)
    check_room([style.name for style in own], name, noun="style", most=MOST)
    return await desk.db.styles.save(
        person,
        name,
        prompt=checked.prompt,
        negative=checked.negative,
        settings=checked.settings,
        now=desk.now(),
    )


async def own_style(desk: Desk, person: int, name: str) -> Style:
    """Somebody's own style of this name. Raises Unknown."""
    style = await desk.db.styles.newest(person, read_name(name))
    if style is None:
        raise unknown("style", name, [each.name for each in await desk.db.styles.of(person, None)])
    return style


async def seen_style(desk: Desk, asked: Asked, number: int) -> Style:
    """The newest version of the style that this row is one of. Raises NotFound where it is not for this person to see."""
    row = await desk.db.styles.get(number)
    style = None if row is None else await desk.db.styles.newest(row.owner, row.name)
    mine = style is not None and style.owner == asked.user.id
    here = style is not None and style.guild is not None and style.guild == asked.guild_id
    if style is None or not (mine or here):
        raise NotFound(GONE)
    return style


async def mine_only(desk: Desk, asked: Asked, number: int) -> Style:
    """The same, where it is this person's own. Raises NotFound, NotAllowed."""
    style = await seen_style(desk, asked, number)
    if style.owner != asked.user.id:
        raise NotAllowed("Only who made this style can change it; `/style save` keeps one of your own.")
    return style


def rights_of(asked: Asked, style: Style) -> Rights:
    """What this person may do with `style` here."""
    return Rights(
        own=style.owner == asked.user.id, share=may_share(asked.permissions), server=asked.guild_id is not None
    )


def may_share(permissions: discord.Permissions) -> bool:
    """Whether these rights allow to give a server a style, and to take one from it."""
    return permissions.manage_messages or permissions.manage_expressions or permissions.manage_guild


async def share(desk: Desk, asked: Asked, style: Style) -> Style:
    """Let the server where this is asked use the style. Raises NotAllowed."""
    if asked.guild_id is None:
        raise NotAllowed(_NO_SERVER)
    if not may_share(asked.permissions):
        raise NotAllowed(_MAY_NOT)
    return await _shared(desk, style, asked.guild_id)


async def unshare(desk: Desk, asked: Asked, style: Style) -> Style:
    """Take it back: its owner anywhere, others who may share in the server that has it. Raises NotAllowed."""
    moderates = may_share(asked.permissions) and asked.guild_id is not None and style.guild == asked.guild_id
    if style.owner != asked.user.id and not moderates:
        raise NotAllowed(_MAY_NOT)
    return await _shared(desk, style, None)


async def refused(asked: Asked, error: EaselError, text: StyleText) -> None:
    """Say why a form was refused, and give back what was written in it: nothing is to be written twice."""
    texts = (("Words", text.prompt), ("Keeps out", text.negative))
    back = "\n".join(
        f"**{label}**\n```\n{shorten(words, limit=_GIVEN_BACK).replace('```', 'ˋˋˋ')}\n```"
        for label, words in texts
        if words
    )
    parts = (Text(plain(error.sentence, limit=800)), *((Text(f"-# What you wrote:\n{back}"),) if back else ()))
    await answer(asked, Reply(parts=parts, accent=FAILURE_ACCENT))


async def _shared(desk: Desk, style: Style, guild: int | None) -> Style:
    await desk.db.styles.share(style.owner, style.name, guild)
    now = await desk.db.styles.newest(style.owner, style.name)
    if now is None:
        raise NotFound(GONE)
    return now
