"""`/style`: words and a negative prompt kept under a name, for `/imagine style:…`.

Owns the command, its checks and its words. How a style joins a prompt is `bot.requests.resolve`.
"""

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
from bot.requests.safety import check_prompt
from storage.values import Style

PLACE: Final = "{prompt}"
"""Where the words of a request go in a style's own; without it they come first."""
SHOWN: Final = 120
"""Characters of a style's text in a list."""
EMPTY: Final = (
    "None yet. `/style save name:ink prompt:{prompt}, ink drawing, thick lines` keeps one, "
    "and `/imagine style:ink` uses it."
)


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/style save`, `list` and `delete` to `tree`."""
    group = app_commands.Group(name="style", description="Ways of painting, kept under a name")

    @group.command(description="Keep a way of painting under a name, or change one")
    @app_commands.describe(
        name="What to call it, up to 40 characters",
        prompt="Words that it adds; {prompt} is where those of a request go",
        negative="What it keeps out of the picture",
    )
    async def save(interaction: Asked, name: str, prompt: str, negative: str = "") -> None:
        await answer(interaction, await _save(desk, interaction, name=name, prompt=prompt, negative=negative))

    @group.command(name="list", description="Show the styles that you can use here")
    async def show(interaction: Asked) -> None:
        styles = await desk.db.styles.of(interaction.user.id, interaction.guild_id)
        await answer(interaction, styles_card(styles, owner=interaction.user.id))

    @group.command(description="Remove one of your styles")
    @app_commands.describe(name="Which one")
    async def delete(interaction: Asked, name: str) -> None:
        if not await desk.db.styles.delete(interaction.user.id, read_name(name)):
            raise unknown("style", name, [style.name for style in await _own(desk, interaction)])
        await answer(interaction, note_card(f"The style **{plain(name)}** is removed."))

    @delete.autocomplete("name")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        own = [style.name for style in await _own(desk, interaction)]
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.names(own, typed)]

    tree.add_command(group)


def saved_card(style: Style) -> Reply:
    """A style was kept: under which name, and how to use it."""
    again = f" (version {style.version})" if style.version > 1 else ""
    where = "" if PLACE in style.prompt else f"\n-# Without {PLACE} in it, its words come after those of a request."
    return note_card(f"Kept **{plain(style.name)}**{again}. `/imagine style:` offers it.{where}")


def styles_card(styles: Sequence[Style], *, owner: int) -> Reply:
    """The styles that somebody can use; those of others are marked as the server's."""
    return list_card("Styles", [_line(style, owner=owner) for style in styles], empty=EMPTY)


async def _save(desk: Desk, interaction: Asked, *, name: str, prompt: str, negative: str) -> Reply:
    """Keep a style. Raises RequestRefused and LimitReached."""
    name = read_name(name)
    if not (prompt.strip() or negative.strip()):
        raise RequestRefused("A style needs words: what it adds to a prompt, or what it keeps out of the picture.")
    check_prompt(prompt)
    check_room([style.name for style in await _own(desk, interaction)], name, noun="style")
    style = await desk.db.styles.save(
        interaction.user.id, name, prompt=prompt.strip(), negative=negative.strip(), now=desk.now()
    )
    return saved_card(style)


async def _own(desk: Desk, interaction: Asked) -> Sequence[Style]:
    return await desk.db.styles.of(interaction.user.id, None)


def _line(style: Style, *, owner: int) -> str:
    words = code(style.prompt, limit=SHOWN) if style.prompt else ""
    without = f" · without {code(style.negative, limit=SHOWN)}" if style.negative else ""
    shared = "" if style.owner == owner else " (this server's)"
    return f"- **{plain(style.name)}**{shared} {words}{without}"
