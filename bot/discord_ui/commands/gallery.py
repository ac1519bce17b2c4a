"""`/gallery`: open it, search it, collections, an export, whether history is kept, and being forgotten.

Owns where a gallery is shown: in the conversation with the person, or, where that is closed, in the server for them alone.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery import home, keeping, pages, parting, shelves
from bot.discord_ui.gallery.exporting import export_shelf
from bot.discord_ui.gallery.finding import Typed, checked, spot_of
from bot.discord_ui.gallery.spots import Spot
from bot.discord_ui.posting import places
from bot.discord_ui.reply import Reply
from bot.requests.naming import unknown
from storage.gallery_values import LabelKind, Order, Query

log = logging.getLogger(__name__)

CLOSED: Final = "Your direct messages are closed to me, so your gallery is here, for you alone."
MINE, STARRED = "mine", "starred"
KEPT: Final = "What you paint is kept from now on, with what was asked, and stands in `/gallery open`."
FORGOTTEN: Final = (
    "What you paint is shown from now on and not kept: its buttons will say so, and it is in no gallery. Pictures that are here "
    "already stay; `/gallery forget-me` removes them."
)
_HELP: Final = {
    "words": "Words of the prompt, or their beginnings; all must be there",
    "model": "Painted with this model",
    "lora": "Painted with this LoRA",
    "style": "Painted with this style",
    "when": "A day, month or year, two of them (2026-11-05..2026-11-10), today, or 7 days",
    "where": "Among your own pictures, your stars, or in a collection",
    "sort": "In which order",
}
_ORDERS: Final = [
    app_commands.Choice(name=words.capitalize(), value=order.value) for order, words in pages.ORDERS.items()
]
_CHOICES: Final = [
    app_commands.Choice(name="Keep what I paint", value="keep"),
    app_commands.Choice(name="Forget it once it is shown", value="forget"),
]

Make = Callable[[str], Awaitable[Reply]]
"""A card of the gallery; takes a sentence that it begins with."""


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/gallery` to `tree`."""
    group = app_commands.Group(name="gallery", description="The pictures that you made")

    @group.command(name="open", description="Page through what you made and starred")
    async def open_gallery(interaction: Asked) -> None:
        await _show(interaction, lambda note: _home(desk, interaction, note))

    @group.command(name="collections", description="Your collections of pictures")
    async def collections(interaction: Asked) -> None:
        await _show(interaction, lambda note: keeping.list_of(desk, interaction.user.id, note=note))

    _register_search(group, desk)

    @group.command(name="export", description="Your pictures in zip files, with their parameters inside")
    @app_commands.describe(where="Your own pictures, your stars, or a collection")
    async def export(interaction: Asked, where: str = MINE) -> None:
        query = await _shelf(desk, interaction, where)
        await export_shelf(desk, interaction, await spot_of(desk, interaction.user.id, query))

    @export.autocomplete("where")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        return await _shelves(desk, interaction, typed)

    @group.command(name="history", description="Whether what you paint is kept after it was shown")
    @app_commands.describe(choice="Keep it, or forget it")
    @app_commands.choices(choice=_CHOICES)
    async def history(interaction: Asked, choice: str) -> None:
        person = await desk.db.people.set(interaction.user.id, history=choice != "forget")
        await answer(interaction, note_card(KEPT if person.history else FORGOTTEN))

    @group.command(name="forget-me", description="Remove everything of yours from Easel, after asking once more")
    async def forget_me(interaction: Asked) -> None:
        facts = await shelves.belongings_of(desk, interaction.user.id)
        await answer(interaction, parting.nothing_card() if facts.nothing else parting.forget_card(facts))

    tree.add_command(group)


def _register_search(group: app_commands.Group, desk: Desk) -> None:
    @group.command(name="search", description="Find pictures by words, model, LoRA, style and date")
    @app_commands.describe(**_HELP)
    @app_commands.choices(sort=_ORDERS)
    async def search(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        words: str = "",
        model: str = "",
        lora: str = "",
        style: str = "",
        when: str = "",
        where: str = MINE,
        sort: str = Order.NEWEST.value,
    ) -> None:
        person = interaction.user.id
        shelf = await _shelf(desk, interaction, where, order=Order(sort))
        typed = Typed(words=words, model=model, lora=lora, style=style, when=when)
        spot = await spot_of(desk, person, await checked(desk, person, shelf, typed))
        await _show(interaction, lambda note: _page(desk, person, spot, note))

    kinds: tuple[LabelKind, ...] = ("model", "lora", "style")
    for kind in kinds:
        search.autocomplete(kind)(_completer(desk, kind))

    @search.autocomplete("where")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        return await _shelves(desk, interaction, typed)


def _completer(desk: Desk, kind: LabelKind) -> Any:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        query = await _shelf(desk, interaction, getattr(interaction.namespace, "where", None) or MINE, strict=False)
        names = await desk.db.gallery.names(interaction.user.id, kind, query)
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.names(names, typed)]

    return complete


async def _shelf(
    desk: Desk, interaction: Asked, where: str, *, order: Order = Order.NEWEST, strict: bool = True
) -> Query:
    """The shelf that `where` names. Raises Unknown for no collection, unless not `strict`: then it is one's own pictures."""
    name = " ".join(where.split()).casefold()
    if name in {MINE, STARRED}:
        return Query(starred=name == STARRED, order=order)
    kept = await desk.db.collections.of(interaction.user.id)
    found = next((each for each in kept if each.name.casefold() == name), None)
    if found is not None:
        return Query(collection=found.id, order=order)
    if strict:
        raise unknown("collection", where, [MINE, STARRED, *(each.name for each in kept)])
    return Query(order=order)


async def _shelves(desk: Desk, interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
    kept = await desk.db.collections.of(interaction.user.id)
    names = (MINE, STARRED, *(each.name for each in kept))
    return [app_commands.Choice(name=each.name, value=each.value) for each in options.names(names, typed)]


async def _home(desk: Desk, interaction: Asked, note: str) -> Reply:
    return home.home_card(await shelves.home_of(desk, interaction.user.id, note=note))


async def _page(desk: Desk, person: int, spot: Spot, note: str) -> Reply:
    return pages.page_card(await shelves.page_of(desk, person, spot, note=note))


async def _show(interaction: Asked, make: Make) -> None:
    """Show a card of the gallery where only its owner sees it."""
    if interaction.guild_id is None:
        await interaction.response.defer(
            thinking=True
        )  # nine large pictures may take more than Discord's three seconds
        await answer(interaction, await make(""), private=False)
        return
    await interaction.response.defer(ephemeral=True, thinking=True)
    link = await _send(interaction, await make(""))
    await answer(interaction, home.moved_card(link) if link else await make(CLOSED))


async def _send(interaction: Asked, card: Reply) -> str:
    """Post a card to the person's direct messages; its link, or nothing where Discord does not let us."""
    try:
        channel = await places.conversation(interaction.client, interaction.user.id)
        message = await places.post(interaction.client, channel, card, nonce=str(interaction.id))
    except (discord.HTTPException, *places.PASSING) as error:
        log.info("A gallery could not be sent to direct messages: %s", error)
        return ""
    return message.jump_url
