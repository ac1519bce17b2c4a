"""Buttons about a picture that is there: take one out, star, details, PNG, delete. Nothing here waits for the painter."""

import asyncio
import contextlib
import io
from collections.abc import Mapping

import discord

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import ResultFacts, note_card, result_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.info import info_card, info_file
from bot.discord_ui.markup import shorten
from bot.discord_ui.pictures import fit_file
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.removing import remove_message
from bot.discord_ui.reply import Attachment
from bot.discord_ui.shown import GONE, controls_in, link_to, picture_of, png_of, shown_maps, shown_picture
from bot.errors import NotAllowed, NotFound


async def take_out(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """U1 to U4: one picture on a card of its own, with the buttons of a single picture."""
    del values
    image = await picture_of(desk.db, ticket.id)
    facts = ResultFacts(
        job=image.job,
        person=interaction.user.id,
        prompt=image.prompt,
        model=image.model,
        pictures=(await shown_picture(desk.db, image),),
        parent=link_to(image),
        controlled=bool(controls_in(image)),
        maps=await shown_maps(desk.db, image),
    )
    await answer(interaction, result_card(facts), private=False)


async def star(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """⭐: keep it among one's favourites, or take it out again."""
    del values
    image = await picture_of(desk.db, ticket.id)
    starred = await desk.db.images.toggle_star(interaction.user.id, image.id, now=desk.now())
    if starred and desk.showcase is not None:
        await desk.showcase.starred(image.id, image.guild)
    words = "⭐ Starred. You find it in `/gallery open` under Starred." if starred else "The star is off again."
    await answer(interaction, note_card(words))


async def info(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The details: every parameter in the webui's text form; a text that is too long for a card comes as a file too."""
    del values
    image = await picture_of(desk.db, ticket.id)
    await answer(interaction, info_card(image, link=link_to(image)))
    whole = info_file(image)
    if whole is not None:
        await send_files(interaction, "The whole text:", whole)


async def send_png(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The PNG as it was painted, with its parameters inside, for the person alone."""
    del values
    image = await picture_of(desk.db, ticket.id)
    png = await png_of(desk.db, image)
    fitted = await asyncio.to_thread(fit_file, png, limit=interaction.filesize_limit)
    note = fitted.note or f"Seed `{image.seed}`, job `{image.job}`. The parameters are inside the file."
    name, alt = f"easel-{image.id}.{fitted.ending}", shorten(image.prompt, limit=900)
    await send_files(interaction, note, Attachment(name, fitted.data, alt))


async def send_files(interaction: Asked, words: str, *attached: Attachment) -> None:
    """Words and plain files to the person alone: files that are to be saved, not shown on a card."""
    files = [discord.File(io.BytesIO(file.data), file.name, description=file.description or None) for file in attached]
    if interaction.response.is_done():
        await interaction.followup.send(words, files=files, ephemeral=True)
    else:
        await interaction.response.send_message(words, files=files, ephemeral=True)


async def delete(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """🗑: by the owner the message goes with its pictures; by who manages messages, or in a conversation, only the message."""
    del values
    may_tidy = interaction.guild_id is None or interaction.permissions.manage_messages
    mine = await is_mine(desk, ticket.id, interaction.user.id, may_tidy=may_tidy)
    await interaction.response.defer(ephemeral=True)
    message = interaction.message
    removed = await remove_message(desk, message.id, person=interaction.user.id) if mine and message else 0
    if message is not None:
        with contextlib.suppress(discord.NotFound):  # pressed twice
            await interaction.delete_original_response()
    words = {
        0: "The message is gone. A picture that was kept stays in its owner's gallery.",
        1: "The picture is gone, here and from your gallery.",
    }.get(removed, f"The {removed} pictures are gone, here and from your gallery.")
    await interaction.followup.send(words, ephemeral=True)


async def is_mine(desk: Desk, number: int, person: int, *, may_tidy: bool) -> bool:
    """Whether a message's first picture is `person`'s. Raises NotAllowed where it is not, unless they `may_tidy` there;
    NotFound where it is gone and they may not."""
    image = await desk.db.images.get(number)
    owner = await desk.db.images.unkept_by(number) if image is None else image.person
    if owner != person and not may_tidy:
        if image is None and owner is None:
            raise NotFound(GONE)
        raise NotAllowed("Only who asked for this picture, or somebody who manages messages here, can delete it.")
    return owner == person


HANDLERS: Mapping[Action, Handler] = {
    Action.SINGLE: take_out,
    Action.STAR: star,
    Action.INFO: info,
    Action.PNG: send_png,
    Action.DELETE: delete,
}
