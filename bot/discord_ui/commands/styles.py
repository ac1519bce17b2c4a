"""`/style`: ways of painting kept under a name, for `/imagine style:…`.

Owns the command and its options. What a style is and how it is shown is `bot.discord_ui.styles`' and `bot.requests.styling`'s.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.completing import completer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.error_replies import error_reply
from bot.discord_ui.markup import plain
from bot.discord_ui.presses.pictures import send_files
from bot.discord_ui.reply import Attachment, Reply
from bot.discord_ui.styles import cards, forms, keeping, transfer
from bot.discord_ui.styles.presses import check_editable
from bot.errors import EaselError, RequestRefused
from bot.requests.naming import unknown
from bot.requests.style_settings import settings_said
from storage.values import Style, StyleText

_NAME: Final = "Which one"
_HELP: Final = {
    "name": "What to call it, up to 80 characters; a name alone opens a form",
    "prompt": "Words that it adds; {prompt} is where those of a request go",
    "negative": "What it keeps out of the picture",
    "lora": "LoRAs that it wears, with strengths: ink:0.8, fur",
    "model": "Checkpoint that it paints with",
    "sampler": "How noise becomes a picture",
    "steps": "How long it paints",
    "cfg": "How strongly the words pull, 0 to 30",
    "size": "Width and height in pixels: 512x768",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/style` with all its subcommands to `tree`."""
    group = app_commands.Group(name="style", description="Ways of painting, kept under a name")
    _add_save(group, desk)
    _add_looking(group, desk)
    _add_changing(group, desk)
    _add_sharing(group, desk)
    _add_files(group, desk)
    tree.add_command(group)


def _add_save(group: app_commands.Group, desk: Desk) -> None:
    @group.command(description="Keep a way of painting under a name, or make the next version of one")
    @app_commands.describe(**_HELP)
    async def save(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        name: str,
        prompt: str = "",
        negative: str = "",
        lora: str = "",
        model: str = "",
        sampler: str = "",
        steps: int | None = None,
        cfg: float | None = None,
        size: str = "",
    ) -> None:
        said = {
            "Model": model,
            "Sampler": sampler,
            "Steps": "" if steps is None else str(steps),
            "CFG scale": "" if cfg is None else str(cfg),
            "Size": size,
        }
        prompt, negative = (desk.prompts.whole(text, interaction.user.id) for text in (prompt, negative))
        if not any((prompt, negative, lora, *said.values())):
            await _open_form(desk, interaction, name)
            return
        sets = await keeping.with_shelf(desk, lambda shelf: settings_said(said, loras=lora, inventory=shelf))
        text = StyleText(name=name, prompt=prompt, negative=negative, settings=sets)
        style = await keeping.keep(desk, interaction.user.id, text)
        await answer(interaction, note_card(cards.kept_words(style)))

    for option in ("prompt", "negative"):
        save.autocomplete(option)(completer(desk))
    for option, suggest in (("model", options.models), ("lora", options.loras)):
        save.autocomplete(option)(_of_shelf(desk, suggest))

    @save.autocomplete("sampler")
    async def samplers(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        return _choices(options.samplers(typed))


def _add_looking(group: app_commands.Group, desk: Desk) -> None:
    @group.command(name="list", description="Page through the styles that you can use here")
    async def listed(interaction: Asked) -> None:
        styles = await desk.db.styles.of(interaction.user.id, interaction.guild_id)
        await answer(interaction, cards.list_card(styles, person=interaction.user.id))

    @group.command(description="Show everything about a style")
    @app_commands.describe(name=_NAME)
    async def show(interaction: Asked, name: str) -> None:
        style = await desk.db.styles.find(interaction.user.id, interaction.guild_id, name.strip())
        if style is None:
            known = await desk.db.styles.of(interaction.user.id, interaction.guild_id)
            raise unknown("style", name, [each.name for each in known])
        rights = keeping.rights_of(interaction, style)
        await answer(interaction, cards.style_card(style, person=interaction.user.id, rights=rights))

    @group.command(description="See the versions of one of your styles, and go back to one")
    @app_commands.describe(name=_NAME)
    async def versions(interaction: Asked, name: str) -> None:
        style = await keeping.own_style(desk, interaction.user.id, name)
        shown = await desk.db.styles.versions(style.owner, style.name, limit=cards.PAGE)
        await answer(interaction, cards.versions_card(shown, newest=style, page=1))

    show.autocomplete("name")(_known(desk, own=False))
    versions.autocomplete("name")(_known(desk, own=True))


def _add_changing(group: app_commands.Group, desk: Desk) -> None:
    @group.command(description="Change one of your styles in a form")
    @app_commands.describe(name=_NAME)
    async def edit(interaction: Asked, name: str) -> None:
        style = await keeping.own_style(desk, interaction.user.id, name)
        check_editable(style)
        await interaction.response.send_modal(forms.edit_form(style))

    @group.command(description="Remove one of your styles with all its versions")
    @app_commands.describe(name=_NAME)
    async def delete(interaction: Asked, name: str) -> None:
        style = await keeping.own_style(desk, interaction.user.id, name)
        await desk.db.styles.delete(interaction.user.id, style.name)
        await answer(interaction, note_card(f"The style **{plain(style.name)}** is removed."))

    edit.autocomplete("name")(_known(desk, own=True))
    delete.autocomplete("name")(_known(desk, own=True))


def _add_sharing(group: app_commands.Group, desk: Desk) -> None:
    @group.command(description="Let everybody in this server use one of your styles")
    @app_commands.describe(name=_NAME)
    async def share(interaction: Asked, name: str) -> None:
        style = await keeping.share(desk, interaction, await keeping.own_style(desk, interaction.user.id, name))
        words = f"Everybody in this server can use **{plain(style.name)}** now. `/style unshare` takes it back."
        await answer(interaction, note_card(words))

    @group.command(description="Take a shared style back")
    @app_commands.describe(name=_NAME)
    async def unshare(interaction: Asked, name: str) -> None:
        style = await _shared_named(desk, interaction, name)
        style = await keeping.unshare(desk, interaction, style)
        await answer(interaction, note_card(f"**{plain(style.name)}** is its owner's alone again."))

    share.autocomplete("name")(_known(desk, own=True))
    unshare.autocomplete("name")(_known(desk, own=False, shared=True))


def _add_files(group: app_commands.Group, desk: Desk) -> None:
    @group.command(name="import", description="Keep the styles of a webui's styles.csv")
    @app_commands.describe(file="The styles.csv; a style that you have already becomes its next version")
    async def bring(interaction: Asked, file: discord.Attachment) -> None:
        transfer.check_size(file.size)
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            reply = await _imported(desk, interaction.user.id, file)
        except EaselError as error:  # in the place of "Easel is thinking…", which this person alone sees
            reply = error_reply(error)
        await answer(interaction, reply)

    @group.command(description="Get your styles as a styles.csv for the webui")
    async def export(interaction: Asked) -> None:
        own = await desk.db.styles.of(interaction.user.id, None)
        if not own:
            await answer(interaction, note_card(f"There is nothing to export. {cards.EMPTY}"))
            return
        file = Attachment(transfer.FILE, transfer.write_file(own))
        await send_files(interaction, transfer.exported_words(own), file)


async def _imported(desk: Desk, person: int, file: discord.Attachment) -> Reply:
    """Keep what is in `file`. Raises RequestRefused where it is no table of styles."""
    try:
        data = await file.read()
    except discord.HTTPException as error:
        raise RequestRefused("That file could not be fetched from Discord; send it again.") from error
    own = await desk.db.styles.of(person, None)
    plan = await asyncio.to_thread(lambda: transfer.plan_import(transfer.read_file(data), own))
    await desk.db.styles.save_all(person, (*plan.new, *plan.changed), now=desk.now())
    return transfer.imported_card(plan)


async def _open_form(desk: Desk, interaction: Asked, name: str) -> None:
    """The form of a new style, or of the one that is kept under this name."""
    style = await desk.db.styles.newest(interaction.user.id, " ".join(name.split()))
    if style is None:
        await interaction.response.send_modal(forms.new_form(name))
        return
    check_editable(style)
    await interaction.response.send_modal(forms.edit_form(style))


async def _shared_named(desk: Desk, interaction: Asked, name: str) -> Style:
    """A style of one's own, or else the server's, of this name. Raises Unknown."""
    style = await desk.db.styles.newest(interaction.user.id, name.strip())
    if style is None or style.guild is None:
        usable = await desk.db.styles.of(interaction.user.id, interaction.guild_id)
        shared = [each for each in usable if each.guild is not None]
        style = next((each for each in shared if each.name.casefold() == name.strip().casefold()), None)
        if style is None:
            raise unknown("shared style", name, [each.name for each in shared])
    return style


Complete = Callable[[Asked, str], Any]


def _known(desk: Desk, *, own: bool, shared: bool = False) -> Complete:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        styles = await desk.db.styles.of(interaction.user.id, None if own else interaction.guild_id)
        names = dict.fromkeys(style.name for style in styles if style.guild is not None or not shared)
        return _choices(options.names(names, typed))

    return complete


def _of_shelf(desk: Desk, suggest: Callable[..., tuple[options.Suggestion, ...]]) -> Complete:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        desk.look()  # a file that is new is suggested a moment later
        return _choices(suggest(desk.shelf(), typed))

    return complete


def _choices(suggestions: tuple[options.Suggestion, ...]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=each.name, value=each.value) for each in suggestions]
