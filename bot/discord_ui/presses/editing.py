"""✏️, ⚙️ and the forms behind them: opening one, painting what was filled in, and opening it again where that was refused."""

from collections.abc import Coroutine, Mapping
from typing import Any, Final

import discord
import msgspec

from bot.discord_ui.actions import Action, Ticket, read_ticket
from bot.discord_ui.answers import answer
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.brought import bench_of
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.error_replies import answer_error
from bot.discord_ui.forms import (
    CFG,
    CLIP_SKIP,
    CONTROLS,
    HIRES,
    KEEP,
    NEGATIVE,
    PICTURE,
    PROMPT,
    SAMPLER,
    SEED,
    SHAPE,
    SIZE,
    STEPS,
    STRENGTH,
    TEXT_LIMIT,
    WORN,
    Filled,
    open_form,
    read_form,
)
from bot.discord_ui.imagining import imagine
from bot.discord_ui.markup import plain
from bot.discord_ui.posting.nonces import custom_ids
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Button, Row
from bot.discord_ui.shown import picture_of
from bot.discord_ui.wishes import edited_wish, names_of
from bot.errors import NotFound, RequestRefused
from bot.requests.control_lines import units_text
from bot.requests.drafts import ImagineDraft
from bot.requests.edit import Edit
from bot.requests.places import spoken
from bot.requests.typed import hires_text, read_canvas, read_number, read_whole
from bot.requests.worn import parted, undressed
from inference.api.request import MAX_STEPS, GenerationRequest
from storage.errors import DatabaseUnavailable
from storage.values import Image

REFUSED: Final = "form"
"""Kind of a bench that holds a refused form."""
_TICKET: Final = "ticket"
_FIELD: Final = "field."
"""Begins the names of a refused form's fields on its bench."""
_TOO_LONG: Final = (
    f"This prompt is longer than the {TEXT_LIMIT:,} characters of a form. ⚙️ changes all but its words; for other words ask "
    "again with /imagine."
)
_ENLARGED: Final = "An enlarged picture has no prompt to edit; press ✏️ on the picture that it came from."


async def open_editor(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """✏️: the form, with the picture's own words in it."""
    del values
    image, request = await _painting(desk, ticket)
    if max(len(request.prompt.positive), len(request.prompt.negative)) > TEXT_LIMIT:
        raise RequestRefused(_TOO_LONG)
    await interaction.response.send_modal(open_form(Ticket(Action.EDIT_FORM, image.id), words_of(request)))


async def open_settings(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """⚙️: the form of everything but words."""
    del values
    image, request = await _painting(desk, ticket)
    await interaction.response.send_modal(open_form(Ticket(Action.SETTINGS_FORM, image.id), settings_of(request)))


def words_of(request: GenerationRequest) -> dict[str, str]:
    """What the first form begins with."""
    clothes = undressed(request.prompt.positive)
    placed = None if request.regional is None else spoken(clothes.text, request.regional)
    return {
        PROMPT: clothes.text if placed is None else placed,
        NEGATIVE: request.prompt.negative,
        WORN: clothes.worn,
        SEED: KEEP,
        SIZE: f"{request.canvas.width}x{request.canvas.height}",
    }


def settings_of(request: GenerationRequest) -> dict[str, str]:
    """What the second form begins with."""
    values = {
        SAMPLER: request.sampling.sampler,
        STEPS: str(request.sampling.steps),
        CFG: f"{request.guidance.cfg_scale:g}",
        CLIP_SKIP: str(request.prompt.clip_skip),
    }
    if request.control:
        del values[CLIP_SKIP]
        values[STEPS] = f"{request.sampling.steps}, {request.prompt.clip_skip}"
        values[CONTROLS] = units_text(request.control)
    if request.source is not None:
        return values | {STRENGTH: f"{request.source.denoising_strength:g}"}
    return values | {HIRES: hires_text(request.hires)}


async def edit(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """Either form was sent: paint, and say to who sent it what is different."""
    del values
    filled = filled_in(interaction)
    differences: list[str] = []

    async def wish() -> Wish:
        image, request = await _painting(desk, ticket)
        before = words_of(request) if ticket.action is Action.EDIT_FORM else settings_of(request)
        changes = READERS[ticket.action](filled, before)
        made, told = await edited_wish(
            desk,
            _together(image, interaction.message),
            changes,
            person=interaction.user.id,
            guild=interaction.guild_id,
        )
        differences.extend(told)
        return made

    if await ask_or_offer_again(desk, interaction, ticket, filled, wish=wish()):
        words = " · ".join(plain(each, limit=200) for each in differences) or "nothing; the picture will be the same"
        await answer(interaction, note_card(f"-# Changed: {words}"))


async def paint(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """The form of /form was sent: paint, as /imagine would."""
    del values
    filled = filled_in(interaction)
    files = filled.files.get(PICTURE, ())
    start = attachment_of(interaction, files[0]) if files else None
    try:
        if desk.backend.ready is None:  # which word is a LoRA and which a style shows only when the painter is up
            await interaction.response.defer(thinking=True)
        await imagine(desk, interaction, await _drafted(desk, interaction, filled), start=start)
    except DatabaseUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - as in `ask_or_offer_again`
        await offer_again(desk, interaction, ticket, filled.values(), error=error)


async def _drafted(desk: Desk, interaction: Asked, filled: Filled) -> ImagineDraft:
    styles = (await names_of(desk, interaction.user.id, interaction.guild_id)).styles
    loras, wanted = parted(filled.texts.get(WORN, ""), inventory=await desk.inventory(), styles=styles)
    return ImagineDraft(
        prompt=filled.texts.get(PROMPT, ""),
        negative=filled.texts.get(NEGATIVE),
        aspect=filled.choice(SHAPE),
        lora=loras or None,
        style=wanted or None,
    )


async def reopen(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """A refused form once more, with what was typed."""
    del values
    bench = await bench_of(desk, ticket.id)
    before = read_ticket(bench.said.get(_TICKET, ""))
    if before is None:
        raise NotFound("That form is from another version of Easel; begin anew with /imagine.")
    typed = {name.removeprefix(_FIELD): text for name, text in bench.said.items() if name.startswith(_FIELD)}
    await interaction.response.send_modal(open_form(before, typed))


async def ask_or_offer_again(
    desk: Desk,
    interaction: Asked,
    ticket: Ticket,
    filled: Filled,
    *,
    wish: Coroutine[Any, Any, Wish],
    private: bool = False,
) -> bool:
    """Ask for `wish`, which came of the form `ticket`; True when it is queued.

    Where it is refused the person hears why, and a button opens the form again with what was `filled` in.
    """
    try:
        await ask(desk, interaction, wish, private=private)
    except DatabaseUnavailable:
        raise  # nothing can be kept now
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence and what they typed
        await offer_again(desk, interaction, ticket, filled.values(), error=error)
        return False
    return True


async def offer_again(
    desk: Desk, interaction: Asked, ticket: Ticket, values: Mapping[str, str], *, error: Exception
) -> None:
    """Say why the form `ticket` was refused, with a button that opens it again with `values`."""
    said = {_TICKET: ticket.custom_id} | {f"{_FIELD}{name}": text for name, text in values.items()}
    bench = await desk.db.benches.add(person=interaction.user.id, kind=REFUSED, said=said, now=desk.now())
    again = Button(custom_id=Ticket(Action.REOPEN, bench.id).custom_id, label="Open the form again", emoji="✏️")
    await answer_error(interaction, error, Row((again,)))


async def _painting(desk: Desk, ticket: Ticket) -> tuple[Image, GenerationRequest]:
    """The picture and its request. Raises NotFound when it is gone, RequestRefused for an enlargement."""
    image = await picture_of(desk.db, ticket.id)
    if not isinstance(image.request, GenerationRequest):
        raise RequestRefused(_ENLARGED)
    return image, image.request


def _together(image: Image, message: discord.Message | None) -> Image:
    """`image` asking for as many pictures as `message` shows: ✏️ under four of them changes all four."""
    carried: list[Any] = [part.to_dict() for part in message.components] if message else []
    tickets = [read_ticket(custom_id) for custom_id in custom_ids(carried)]
    shown = sum(ticket is not None and ticket.action is Action.SINGLE for ticket in tickets)
    if shown < 2 or not isinstance(image.request, GenerationRequest):
        return image
    return msgspec.structs.replace(image, request=msgspec.structs.replace(image.request, count=shown))


def filled_in(interaction: Asked) -> Filled:
    """What a submitted form carries."""
    data: Mapping[str, Any] = interaction.data or {}
    return read_form(data)


def _words(filled: Filled, before: Mapping[str, str]) -> Edit:
    """What the first form says; what stands there as it stood `before` is left out. Raises RequestRefused."""
    size = filled.texts.get(SIZE, "").strip()
    sized = read_canvas("" if size == before[SIZE] else size)
    return Edit(
        prompt=filled.texts.get(PROMPT, ""),
        negative=filled.texts.get(NEGATIVE),
        worn=filled.texts.get(WORN),
        seed=filled.choice(SEED),
        size=sized[0],
        aspect=sized[1],
    )


def _settings(filled: Filled, before: Mapping[str, str]) -> Edit:
    """What the second form says. Raises RequestRefused."""
    texts = {name: text for name, text in filled.texts.items() if text.strip() != before.get(name)}
    sampler = filled.choice(SAMPLER)
    steps, comma, clip_skip = texts.get(STEPS, "").partition(",")
    if comma:
        texts[CLIP_SKIP] = clip_skip
    return Edit(
        sampler=None if sampler == before[SAMPLER] else sampler,
        steps=read_whole(steps, "Steps", low=1, high=MAX_STEPS),
        cfg=read_number(texts.get(CFG, ""), "The CFG scale", low=0, high=30),
        clip_skip=read_whole(texts.get(CLIP_SKIP, ""), "Clip skip", low=1, high=12),
        hires=texts.get(HIRES),
        controls=texts.get(CONTROLS),
        strength=read_number(texts.get(STRENGTH, ""), "Strength", low=0, high=1),
    )


READERS: Final = {Action.EDIT_FORM: _words, Action.SETTINGS_FORM: _settings}


def attachment_of(interaction: Asked, payload: Mapping[str, Any]) -> discord.Attachment:
    """discord.py's object for an uploaded file: it knows how to fetch it."""
    known: Any = payload
    # discord.py makes attachments of messages and options by itself, and of a form's only while it remembers the form
    return discord.Attachment(data=known, state=interaction._state)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


HANDLERS: Mapping[Action, Handler] = {
    Action.EDIT: open_editor,
    Action.SETTINGS: open_settings,
    Action.EDIT_FORM: edit,
    Action.SETTINGS_FORM: edit,
    Action.FORM: paint,
    Action.REOPEN: reopen,
}
