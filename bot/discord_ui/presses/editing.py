"""✏️ and the forms: opening one, and painting what was filled in."""

from collections.abc import Mapping
from typing import Any, Final

import discord
import msgspec

from bot.discord_ui.actions import Action, Ticket, read_ticket
from bot.discord_ui.answers import answer
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import (
    KEEP,
    LORAS,
    NEGATIVE,
    PICTURE,
    PROMPT,
    SAMPLER,
    SEED,
    SHAPE,
    TEXT_LIMIT,
    Filled,
    edit_form,
    read_form,
)
from bot.discord_ui.markup import plain
from bot.discord_ui.posting.nonces import custom_ids
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import picture_of
from bot.discord_ui.wishes import edited_wish, wish_for
from bot.errors import RequestRefused
from bot.requests.drafts import ImagineDraft
from inference.api.request import GenerationRequest
from storage.values import Image

_TOO_LONG: Final = f"This prompt is longer than the {TEXT_LIMIT:,} characters of a form. Ask again with /imagine."


async def open_editor(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """✏️: the form, with the picture's own words in it."""
    del values
    image = await picture_of(desk.db, ticket.id)
    request = image.request
    if not isinstance(request, GenerationRequest):
        raise RequestRefused("An enlarged picture has no prompt to edit; press ✏️ on the picture that it came from.")
    prompt = request.prompt
    if max(len(prompt.positive), len(prompt.negative)) > TEXT_LIMIT:
        raise RequestRefused(_TOO_LONG)
    loras = [info.name for info in desk.shelf().loras]
    form = edit_form(Ticket(Action.EDIT_FORM, image.id), prompt=prompt.positive, negative=prompt.negative, loras=loras)
    await interaction.response.send_modal(form)


async def edit(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The editor was sent: paint, and say to who sent it what is different."""
    del values
    image = _together(await picture_of(desk.db, ticket.id), interaction.message)
    differences: list[str] = []

    async def wish() -> Wish:
        changes = _draft(_filled(interaction))
        made, told = await edited_wish(desk, image, changes, person=interaction.user.id, guild=interaction.guild_id)
        differences.extend(told)
        return made

    await ask(desk, interaction, wish())
    words = " · ".join(plain(each, limit=200) for each in differences) or "nothing; the picture will be the same"
    await answer(interaction, note_card(f"-# Changed: {words}"))


async def paint(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form of /form was sent: paint."""
    del ticket, values
    filled = _filled(interaction)
    files = filled.files.get(PICTURE, ())
    start = _attachment(interaction, files[0]) if files else None
    wish = wish_for(desk, _draft(filled), person=interaction.user.id, guild=interaction.guild_id, start=start)
    await ask(desk, interaction, wish)


def _together(image: Image, message: discord.Message | None) -> Image:
    """`image` asking for as many pictures as `message` shows: ✏️ under four of them changes all four."""
    carried: list[Any] = [part.to_dict() for part in message.components] if message else []
    tickets = [read_ticket(custom_id) for custom_id in custom_ids(carried)]
    shown = sum(ticket is not None and ticket.action is Action.SINGLE for ticket in tickets)
    if shown < 2 or not isinstance(image.request, GenerationRequest):
        return image
    return msgspec.structs.replace(image, request=msgspec.structs.replace(image.request, count=shown))


def _filled(interaction: Asked) -> Filled:
    data: Mapping[str, Any] = interaction.data or {}
    return read_form(data)


def _draft(filled: Filled) -> ImagineDraft:
    """What a form says; a field that it does not have, or that says "as it is", is left out."""
    shape = filled.choice(SHAPE)
    return ImagineDraft(
        prompt=filled.texts.get(PROMPT, ""),
        negative=filled.texts.get(NEGATIVE),
        seed=filled.choice(SEED),
        sampler=filled.choice(SAMPLER),
        aspect=None if shape == KEEP else shape,
        lora=", ".join(filled.choices.get(LORAS, ())) or None,
    )


def _attachment(interaction: Asked, payload: Mapping[str, Any]) -> discord.Attachment:
    """discord.py's object for an uploaded file: it knows how to fetch it."""
    known: Any = payload
    # discord.py makes attachments of messages and options by itself, and of a form's only while it remembers the form
    return discord.Attachment(data=known, state=interaction._state)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


HANDLERS: Mapping[Action, Handler] = {
    Action.EDIT: open_editor,
    Action.EDIT_FORM: edit,
    Action.FORM: paint,
}
